"""What devices announced, kept for each connection: in memory for the decoders, in the database for the next start."""

import logging
from collections.abc import Iterable, Iterator, Set
from datetime import tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from django.utils.timezone import get_default_timezone, now

from mqtt.decoders.memory import Memory
from mqtt.messages import Announcement
from mqtt.models import DeviceAnnouncement, MqttConnection, Site
from mqtt.models.device import KEY_LENGTH
from mqtt.services.mappings import mapping_decoders

logger = logging.getLogger(__name__)

MAX_DATA = 64 * 1024
"""Bytes of one announcement; a device's units and names take a few hundred."""
CHUNK = 400
_reported: set[tuple[int, str, str]] = set()
MAX_REPORTED = 1000


def load_memory(connection_id: int) -> Memory:
    """What the devices of a connection announced."""
    memory = Memory(zones([connection_id]).of(connection_id))
    memory.load(_stored(connection_id))
    memory.use_mappings(mapping_decoders([connection_id])[connection_id])
    return memory


def _stored(connection_id: int) -> Iterator[Announcement]:
    rows = DeviceAnnouncement.objects.filter(connection=connection_id).values_list("family", "key", "data", "topics")
    for family, key, data, topics in rows.iterator():
        yield Announcement(family, key, orjson.loads(data), tuple(orjson.loads(topics)))


class Zones:
    """The time zones of sites, for devices that send local time."""

    def __init__(self, prefixes: list[tuple[str, tzinfo]], defaults: dict[int, tzinfo]) -> None:
        self._prefixes = sorted(prefixes, key=lambda pair: -len(pair[0]))
        self._defaults = defaults

    def of(self, connection_id: int) -> "partial[tzinfo]":
        """A function from a topic to its zone: its site's, else the connection's site's, else this computer's."""
        return partial(self._find, self._defaults.get(connection_id) or get_default_timezone())

    def _find(self, default: tzinfo, topic: str) -> tzinfo:
        for prefix, zone in self._prefixes:
            if topic.startswith(prefix):
                return zone
        return default


def zones(connection_ids: Iterable[int]) -> Zones:
    """The zones of all sites and of these connections."""
    sites = Site.objects.exclude(time_zone="").values_list("pk", "topic_prefix", "time_zone")
    by_site = {pk: (prefix, zone) for pk, prefix, name in sites if (zone := _zone(name))}
    rows = MqttConnection.objects.filter(pk__in=connection_ids, site__in=by_site).values_list("pk", "site_id")
    prefixes = [(prefix, zone) for prefix, zone in by_site.values() if prefix]
    return Zones(prefixes, {pk: by_site[site][1] for pk, site in rows if site is not None})


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


class Memories:
    """The memories of the connections that this process holds; they change with the batch's transaction."""

    def __init__(self) -> None:
        self._memories: dict[int, Memory] = {}
        self._full: set[int] = set()
        self._ahead_us = 0

    def allow_ahead(self, ahead_us: int) -> None:
        """This computer's clock is so far behind: the devices' times can be true all the same."""
        if ahead_us != self._ahead_us:
            self._ahead_us = ahead_us
            for memory in self._memories.values():
                memory.ahead_us = ahead_us

    def of(self, connection_id: int) -> Memory:
        """The memory of a connection, read from the database when it is first asked for."""
        memory = self._memories.get(connection_id)
        if memory is None:
            memory = self._memories[connection_id] = load_memory(connection_id)
            memory.ahead_us = self._ahead_us
        return memory

    def refresh(self) -> None:
        """Follow what people changed: the zones of sites, and mappings."""
        if self._memories:
            found, mappings = zones(self._memories), mapping_decoders(self._memories)
            for connection_id, memory in self._memories.items():
                memory.zone_of = found.of(connection_id)
                memory.use_mappings(mappings[connection_id])

    def take(self, connection_id: int, announcements: Iterable[Announcement]) -> None:
        """Remember what a message announces."""
        memory = self.of(connection_id)
        for said in announcements:
            if not memory.put(said) and connection_id not in self._full:
                self._full.add(connection_id)  # said once: a flood must not fill the log too
                logger.warning(
                    "Connection %s has no room for what devices announce; the rest is not kept.", connection_id
                )

    def write(self, connection_ids: Set[int]) -> None:
        """Store what changed on these connections, in the caller's transaction."""
        for connection_id, memory in self._memories.items():
            changed = memory.changed() if connection_id in connection_ids else None
            if changed:
                _write(connection_id, changed)

    def commit(self) -> None:
        """What was written is stored."""
        for memory in self._memories.values():
            memory.commit()

    def rollback(self) -> None:
        """Nothing was stored: the messages will come again."""
        for memory in self._memories.values():
            memory.rollback()

    def forget(self, connection_ids: Set[int]) -> None:
        """Read these again when they are next asked for."""
        for connection_id in connection_ids:
            self._memories.pop(connection_id, None)


def _write(connection_id: int, changed: list[Announcement]) -> None:
    rows = []
    gone: dict[str, list[str]] = {}
    for said in changed:
        if said.data is None:
            gone.setdefault(said.family, []).append(said.key)
            continue
        data = orjson.dumps(said.data).decode()
        if len(data) > MAX_DATA or len(said.key) > KEY_LENGTH or "\0" in said.key:
            _report(connection_id, said)
            continue
        topics = orjson.dumps(said.topics).decode()
        row = DeviceAnnouncement(
            connection_id=connection_id, family=said.family, key=said.key, topics=topics, data=data
        )
        row.updated_at = now()
        rows.append(row)
    for family, keys in gone.items():
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            DeviceAnnouncement.objects.filter(connection=connection_id, family=family, key__in=chunk).delete()
    if rows:
        DeviceAnnouncement.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["connection", "family", "key"],
            update_fields=["topics", "data", "updated_at"],
        )


def _report(connection_id: int, said: Announcement) -> None:
    """Log an announcement that is not kept, once for each key: it may come with every message."""
    who = (connection_id, said.family, said.key[:KEY_LENGTH])
    if who not in _reported and len(_reported) < MAX_REPORTED:
        _reported.add(who)
        logger.warning("An announcement of %s under %r is too large and is not kept.", said.family, said.key[:100])
