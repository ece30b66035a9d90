"""How the mqtt processes fare now: published by each through Valkey, so that it is seen without the database.

Each process writes one key that expires, and its name into an index; readers ask the index and then all keys.
Totals count since the process took the connection, as counters of Prometheus do.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from mqtt.services.broker_facts import BrokerFacts

BEAT_EVERY = 2.0
"""Seconds between two heartbeats of a process."""

EXPIRES = 8
"""Seconds after which a process that says nothing is no longer shown."""

BEHIND_FROM = 2.0
"""Seconds from which a delay in storing is worth a reader's attention."""

PATIENCE = 0.5
"""Seconds for an answer: pages wait for this."""

KEEP = 1.0
"""Seconds for which an answer, or that there was none, serves everybody in this process."""

INDEX = "vedetta:pressure"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPressure:
    """One connection as its holder sees it."""

    connection_id: int
    status: str = ""
    """As its holder last reported it."""
    messages_per_second: float = 0.0
    readings_per_second: float = 0.0
    undecoded_per_second: float = 0.0
    waiting: int = 0
    """Messages that are received and not stored yet."""
    lag_seconds: float = 0.0
    """How long the newest stored message waited between receipt and commit."""
    messages: int = 0
    readings: int = 0
    undecoded: int = 0
    dropped: int = 0
    """QoS 0 messages that found the inbox full."""
    redelivered: int = 0
    """Messages that the broker marked as sent before."""
    repeated: int = 0
    """Those of them that were stored already."""
    refused: int = 0
    """Messages with something of a new device, beyond what is kept of a connection."""
    unkept: int = 0
    """Messages that could not be kept, only their facts."""
    requests: int = 0
    """What decoders wanted published and was, such as Sparkplug's rebirth requests."""
    requests_refused: int = 0
    """Those of them that the broker did not take."""
    broker: BrokerFacts | None = None
    """What the broker says of itself."""
    broker_state: str = ""
    """off, refused, asked or heard; empty: an older process, which does not ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPressure:
    """One mqtt process."""

    name: str
    """The holder, as leases name it."""
    at: float
    """When this was measured, in seconds since 1970 by that process's clock."""
    started_at: float = 0.0
    waiting: int = 0
    """Messages of all connections that are received and not stored yet."""
    waiting_bytes: int = 0
    behind_seconds: float = 0.0
    """How long the oldest of them has waited; more than a batch takes: storing does not keep up."""
    database_away_seconds: float = 0.0
    """For how long the database has not answered; 0: it does."""
    disk_share: float = 0.0
    """How full the database's disk is, 0 to 1; 0 when it cannot be seen from there."""
    keeps_history: bool = True
    """False: the disk is full, readings become latest values and are not kept."""
    clock_doubt: str = ""
    """Why its computer's clock looks wrong, as in `clock`: mark or devices; empty: it does not."""
    clock_behind_seconds: float = 0.0
    """By how much that clock then seems to be behind, negative: ahead."""
    connections: tuple[ConnectionPressure, ...] = ()

    @property
    def title(self) -> str:
        """As people know it: without the word behind it that no other process has."""
        return self.name.rpartition(" ")[0] or self.name

    @property
    def is_behind(self) -> bool:
        """Whether storing lags so far that people should know."""
        return self.behind_seconds >= BEHIND_FROM


class Publisher:
    """Writes one process's heartbeat; used by one thread. Raises redis.RedisError while Valkey is away."""

    def __init__(self, name: str) -> None:
        self._key = f"{INDEX}:{name}"
        self._name = name
        self._client = _client()

    def publish(self, pressure: ProcessPressure) -> None:
        """Replace what this process said before."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(self._key, orjson.dumps(asdict(pressure)), ex=EXPIRES)
            pipe.zadd(INDEX, {self._name: time.time()})
            pipe.expire(INDEX, 24 * 3600)
            pipe.zremrangebyscore(INDEX, "-inf", time.time() - 3600)
            pipe.execute()

    def leave(self) -> None:
        """This process stops: it is not missed."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.delete(self._key)
            pipe.zrem(INDEX, self._name)
            pipe.execute()

    def close(self) -> None:
        """Give the link back."""
        self._client.close()


def read_all() -> list[ProcessPressure] | None:
    """What every living mqtt process said last, by name; None: Valkey does not answer. Never raises."""
    global _kept  # noqa: PLW0603 - one answer a second for all pages of a process
    until, url, answer = _kept
    if time.monotonic() < until and url == settings.CHANNEL_URL:
        return answer
    answer = _ask()
    _kept = (time.monotonic() + KEEP, settings.CHANNEL_URL, answer)
    return answer


_kept: tuple[float, str, list[ProcessPressure] | None] = (0.0, "", None)


def of_connection(processes: list[ProcessPressure] | None, connection_id: int) -> ConnectionPressure | None:
    """What the holder of a connection says about it."""
    found = (one for process in processes or () for one in process.connections)
    return next((one for one in found if one.connection_id == connection_id), None)


def _ask() -> list[ProcessPressure] | None:
    try:
        with _client() as client:
            names: Any = client.zrange(INDEX, 0, -1)
            texts: Any = client.mget([f"{INDEX}:{name.decode()}" for name in names]) if names else []
    except (redis.RedisError, OSError, ValueError):
        return None
    return sorted((one for text in texts if text and (one := parse(text))), key=lambda one: one.name)


def _client() -> redis.Redis:
    """It does not try again by itself: somebody waits."""
    return redis.Redis.from_url(
        settings.CHANNEL_URL,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), retries=0),
    )


def parse(text: bytes) -> ProcessPressure | None:
    """A heartbeat as it was published; None: it is of another version, or not ours."""
    try:
        said = orjson.loads(text)
        connections = tuple(_connection(one) for one in said["connections"])
        return ProcessPressure(**_known(ProcessPressure, said) | {"connections": connections})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _connection(said: Mapping[str, Any]) -> ConnectionPressure:
    values = _known(ConnectionPressure, said)
    facts = values.get("broker")
    return ConnectionPressure(**values | {"broker": BrokerFacts(**_known(BrokerFacts, facts)) if facts else None})


def _known(kind: type, said: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of a heartbeat: a newer process may say more."""
    return {field.name: said[field.name] for field in fields(kind) if field.name in said}
