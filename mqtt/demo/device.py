"""What all simulated devices share: messages, measured trees, and the times of their rounds."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol


class Publication(NamedTuple):
    """One message as a device hands it to its MQTT client."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Quantity(Protocol):
    """Anything that has a value at a time (see `waves`)."""

    def at(self, now: float) -> float | bool:
        """The value at `now`, seconds since 1970 UTC."""


Tree = Mapping[str, Any]
"""Quantities, texts and further trees by key: the shape of a JSON message."""


def as_json(value: object) -> bytes:
    """Compact JSON, as small devices send it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def measured(tree: Tree, now: float) -> dict[str, Any]:
    """The tree with each quantity replaced by its value at `now`."""

    def value(item: Any) -> Any:
        if isinstance(item, Mapping):
            return measured(item, now)
        return item.at(now) if hasattr(item, "at") else item

    return {key: value(item) for key, item in tree.items()}


def utc(now: float) -> str:
    """`2026-11-23T14:20:01.250000Z`."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Device(ABC):
    """What one client publishes every `interval` seconds."""

    interval: float
    stays_on_schedule_offline = False
    """It keeps measuring without a link and delivers later, with the times of measuring."""

    def greetings(self, now: float) -> Iterator[Publication]:
        """What it says after each connect, mostly retained."""
        yield from ()

    def will(self) -> Publication | None:
        """What the broker says for it when the link breaks."""
        return None

    @abstractmethod
    def measure(self, now: float) -> Iterator[Publication]:
        """The messages of one round."""
