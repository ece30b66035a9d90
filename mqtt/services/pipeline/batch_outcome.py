"""What became of a batch: each message with its decoding or a reason, and what each connection brought."""

from dataclasses import dataclass, field
from typing import Any

from mqtt.messages import Decoded, InboundMessage, Request


@dataclass(slots=True)
class Work:
    """A message and what became of it: decoded, or a reason why not."""

    message: InboundMessage
    decoded: Decoded | None = None
    reason: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether the message itself is kept: nothing was understood, or not its values."""
        return self.decoded is None or bool(self.reason)


@dataclass(slots=True)
class ConnectionCounts:
    """What one connection brought in a batch."""

    messages: int = 0
    readings: int = 0
    undecoded: int = 0
    refused: int = 0
    """Messages with something new for which there was no room."""
    repeated: int = 0
    """Messages that were stored already when the broker sent them again."""
    unkept: int = 0
    """Messages that could not be kept, only their facts."""
    oldest_received_us: int = 0

    def add(self, more: "ConnectionCounts") -> None:
        """Join another part of the same batch."""
        self.messages += more.messages
        self.readings += more.readings
        self.undecoded += more.undecoded
        self.refused += more.refused
        self.unkept += more.unkept
        self.oldest_received_us = min(self.oldest_received_us or more.oldest_received_us, more.oldest_received_us)


@dataclass(slots=True)
class ProcessedBatch:
    """The outcome: acknowledge the messages of `accepted` connections, drop those of the others."""

    accepted: set[int] = field(default_factory=set)
    counts: dict[int, ConnectionCounts] = field(default_factory=dict)
    stored: int = 0
    """Readings that were not stored before."""
    requests: dict[int, list[Request]] = field(default_factory=dict)
    """What the decoders want published, by connection."""


def counted(work: list[Work]) -> dict[int, ConnectionCounts]:
    """What each connection brought; what is read again counts as nothing."""
    counts: dict[int, ConnectionCounts] = {}
    for item in work:
        message = item.message
        if message.kept_id:
            counts.setdefault(message.connection_id, ConnectionCounts())
            continue
        count = counts.get(message.connection_id)
        if count is None:
            count = counts[message.connection_id] = ConnectionCounts()
        count.messages += 1
        count.oldest_received_us = count.oldest_received_us or message.received_us
        if item.is_kept:
            count.undecoded += 1
        if item.decoded is not None:
            count.readings += len(item.decoded.readings)
    return counts
