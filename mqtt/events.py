"""What travels over the channel layer: small, typed, versioned; keys and changed fields, never rendered HTML.

An event is a hint. Receivers read the database for what they show and check the right to see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

VERSION = 1
MAX_IDS = 2000
"""Rows of a kind named in one event; beyond it `more` says that there are others."""


@dataclass(slots=True, kw_only=True)
class Event:
    """Base of all: `type` is the channel layer's name of the handler (`status.update` -> `status_update`)."""

    type: ClassVar[str]
    connection_id: int
    version: int = VERSION

    def as_message(self) -> dict[str, Any]:
        """The plain dict that the channel layer sends. It shares the event's lists: `asdict` would copy every id."""
        return {"type": self.type, **{one.name: getattr(self, one.name) for one in fields(self)}}

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> Self:
        """The event of a received dict; keys of a newer version are ignored."""
        return cls(**{name: message[name] for name in (known.name for known in fields(cls)) if name in message})


@dataclass(slots=True, kw_only=True)
class StatusUpdate(Event):
    """A connection's row changed: status, detail, rates or settings."""

    type: ClassVar[str] = "status.update"
    status: str = ""
    changed: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class RowsChanged(Event):
    """Base of those that name rows of a connection, so many of a kind at most."""

    sensors: list[int] = field(default_factory=list)
    dataloggers: list[int] = field(default_factory=list)
    gateways: list[int] = field(default_factory=list)
    more: bool = False
    """More rows changed than are named here: whoever shows rows of the connection reads them all again."""

    def add(self, kind: str, pks: Sequence[int]) -> None:
        """Name rows of a kind, such as `sensor`, as far as there is room."""
        named: list[int] = getattr(self, f"{kind}s")
        room = MAX_IDS - len(named)
        named += pks[:room]
        self.more |= len(pks) > room


@dataclass(slots=True, kw_only=True)
class ReadingsStored(RowsChanged):
    """One batch of one connection is committed: which rows have a new latest value."""

    type: ClassVar[str] = "readings.stored"
    topics: list[int] = field(default_factory=list)
    created: dict[str, int] = field(default_factory=dict)
    """How many new sensors, dataloggers, gateways, topics, by those names."""
    undecoded: int = 0
    received_us: int = 0
    """When the oldest message of the batch arrived, to measure the way to the browser."""


@dataclass(slots=True, kw_only=True)
class AvailabilityChanged(RowsChanged):
    """Gateways, dataloggers or sensors went online, late or offline, or look different for another reason."""

    type: ClassVar[str] = "availability.changed"


@dataclass(slots=True, kw_only=True)
class ConnectionTestChanged(Event):
    """A step of a connection test ended."""

    type: ClassVar[str] = "test.changed"
    test_id: int = 0


@dataclass(slots=True, kw_only=True)
class CommandChanged(Event):
    """A command was asked for, or something became of it."""

    type: ClassVar[str] = "command.changed"
    command_id: int = 0


@dataclass(slots=True, kw_only=True)
class SiteChanged(Event):
    """Somebody changed a site, or wrote a note on it; it hangs on no connection."""

    type: ClassVar[str] = "site.changed"
    connection_id: int = 0
    site_id: int = 0


@dataclass(slots=True, kw_only=True)
class WakeUp(Event):
    """For mqtt processes: look at this connection now (0: at all of them)."""

    type: ClassVar[str] = "wake.up"
    connection_id: int = 0


@dataclass(slots=True, kw_only=True)
class TailWanted(Event):
    """For mqtt processes: somebody watches the messages of a filter; repeated while they do."""

    type: ClassVar[str] = "tail.wanted"
    topic_filter: str = ""


@dataclass(slots=True, kw_only=True)
class TailHeard(Event):
    """Raw messages of a live tail, cut; they are shown and never stored."""

    type: ClassVar[str] = "tail.heard"
    tail: str = ""
    """The group's name."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    """[{topic, payload, size, qos, retained, at_us}]"""
    skipped: int = 0
    """How many more there were than are shown."""
    reason: str = ""
    """Why it ended or was refused, as in `reasons`."""
    context: dict[str, Any] = field(default_factory=dict)
