"""What a broker session tells the rest of the mqtt process: reports in order, and counters."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from mqtt.enums import ConnectionStatus
from mqtt.services.sessions.link_reasons import Reason


@dataclass(frozen=True, slots=True)
class FilterAnswer:
    """What the broker said to one filter; `granted_qos` None: refused."""

    topic_filter: str
    granted_qos: int | None
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Something the database must learn; None means "as it was"."""

    status: ConnectionStatus
    reason: Reason | None = None
    at: datetime = field(default_factory=timezone.now)
    retry_count: int = 0
    next_retry_at: datetime | None = None
    connected: bool = False
    answers: tuple[FilterAnswer, ...] | None = None
    kept_filters: tuple[str, ...] | None = None
    """The filters that the broker's session holds; empty when the session is ended."""
    session_open: bool | None = None


@dataclass(slots=True)
class Counters:
    """What one connection brought since this process took it; each field has one writing thread."""

    messages: int = 0
    dropped: int = 0
    """QoS 0 messages that found the inbox full."""
    redelivered: int = 0
    """Messages that the broker marked as sent before."""
    repeated: int = 0
    """Those of them that were stored already."""
    last_message_at: float = 0.0
    """Seconds since 1970; 0: nothing yet."""
    readings: int = 0
    undecoded: int = 0
    refused: int = 0
    """Messages with something of a new device, beyond what is kept of a connection."""
    unkept: int = 0
    """Messages that could not be kept, only their facts."""
    requests: int = 0
    """What decoders wanted published and was."""
    requests_refused: int = 0
    """Those of them that the broker did not take."""
    lag_seconds: float = 0.0
    """How long the newest committed message waited between receipt and commit."""
