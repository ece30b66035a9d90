"""What flows through the pipeline: a message as it came in, and what a decoder made of it.

Times are whole microseconds since 1970 UTC: cheap to compare, exact, the same in both databases.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mqtt.enums import Availability


@dataclass(slots=True)
class InboundMessage:
    """One PUBLISH, exactly as the broker delivered it."""

    connection_id: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    received_us: int
    dup: bool = False
    mid: int = 0
    """The packet id; with QoS 1 what the acknowledgement names."""
    session: int = 0
    """Which broker session of this process brought it; a packet id means something only within its session."""
    queued: bool = False
    """It came in the burst after a reconnect to a kept session, so it may have waited in the broker."""
    unwanted: bool = False
    """A kept session still brought it although its filter was removed: acknowledged, never stored."""
    cut: int = 0
    """Bytes at the end of the payload that were thrown away, because it was too long to be held."""
    redelivered: bool = False
    """The broker sent it before, in the session that it kept for us: it may be stored already."""
    begins_session: bool = False
    """No message: from here on the broker counts packet ids anew, and what was noted of them is forgotten."""
    is_noted: bool = False
    """Its packet id is in the log of stored packets."""
    kept_id: int = 0
    """It was not understood when it came and is read again: the primary key of its UndecodedMessage."""

    @property
    def size(self) -> int:
        """Bytes of the payload as it was sent."""
        return len(self.payload) + self.cut


class DeviceRef(NamedTuple):
    """A datalogger as a decoder sees it, perhaps behind a gateway.

    Keys are unique within the connection: full topic prefix, plus `#name` where the payload tells devices
    apart. `#` cannot stand in a published topic, so no two meanings share a key.
    """

    key: str
    identifier: str
    gateway_key: str = ""
    gateway_identifier: str = ""


@dataclass(slots=True)
class DecodedReading:
    """One value. Exactly one of `value` and `text` is set; booleans are 1.0 and 0.0."""

    device: DeviceRef
    name: str
    value: float | None
    text: str | None = None
    unit: str = ""
    kind: str = ""
    time_us: int | None = None
    """The device's own time where the message says it."""
    guessed_unit: str = ""
    """What the name alone would have meant, where the device says another unit: stored as such, it was a guess."""
    label: str = ""
    """How the value was announced to people; shown where nobody wrote a label."""


@dataclass(slots=True)
class DecodedAvailability:
    """A device or gateway said, or had its last will say, whether it is there."""

    device: DeviceRef
    """Of a gateway its own key and identifier."""
    availability: Availability
    is_gateway: bool = False
    announces: bool = False
    """Enough to know the device by: it gets its row although it has sent no reading yet."""
    alone: bool = False
    """It speaks for this device only, also when topics of others lie below its own."""


CLOCK_FACT = "clock_off_seconds"
"""The fact that a device's clock cannot be true: how far it is ahead, negative behind; absent when it is right."""


@dataclass(slots=True)
class DecodedFacts:
    """What a message tells about a device apart from readings: firmware, model, address ..."""

    device: DeviceRef
    facts: dict[str, Any]
    """By the usual names of `decoders.vocabulary.FACT_KEYS`; null takes a fact back."""
    is_gateway: bool = False
    announces: bool = False
    """As in DecodedAvailability; moreover the identifier is the device's name from now on."""
    called: str = ""
    """How people call it where it is managed; shown where nobody wrote a label."""


class Announcement(NamedTuple):
    """What a message says about messages to come; the connection's memory keeps it (`decoders.memory`)."""

    family: str
    key: str
    data: dict[str, Any] | None
    """JSON, small; None takes it back."""
    topics: tuple[str, ...] = ()
    """The topics that it speaks about, when these may belong to another family."""


class Moved(NamedTuple):
    """What came under another key, before its device was announced or before we knew better: its history goes on."""

    before: str
    """The key of the device that it was read as."""
    name: str
    """Of the reading then; empty: all that the device has."""
    device: DeviceRef
    to: str
    """Its name now; of all that a device has, what stands before each name, with a dot, if anything."""
    rekeys: bool = False
    """The key until then is forgotten: it holds a credential, or was a reading's rather than a device's."""


class Request(NamedTuple):
    """A message that a family's convention wants from us, such as Sparkplug's wish for a rebirth."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Decoded:
    """Everything one message meant."""

    decoder: str
    readings: list[DecodedReading] = field(default_factory=list)
    availability: list[DecodedAvailability] = field(default_factory=list)
    facts: list[DecodedFacts] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    wrong_clock_us: int | None = None
    """What the device gave as its time, when that cannot be true."""
    aside: str = ""
    """Why the message is kept although its device is known: its values wait for a mapping."""
