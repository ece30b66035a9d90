"""Which messages may have waited in the broker: the burst after a reconnect to a kept session.

The rule: from the CONNACK on, until 200 ms pass in which nothing came although we owed no acknowledgement
(a broker whose window is full would be silent too), and for a minute at most, since a steady stream has no
quiet moment. Retained messages are old news of another kind. A redelivered message has waited in any case.
"""

import time
from typing import Protocol

from mqtt.messages import InboundMessage

QUIET_SECONDS = 0.2
LONGEST_SECONDS = 60.0


class Window(Protocol):
    """What a link knows of its QoS 1 window."""

    received: int
    acknowledged: int
    acknowledged_at: float


class CatchUp:
    """Watches one link after its CONNACK."""

    def __init__(self) -> None:
        self.is_on = False
        self._heard_at = 0.0
        self._ends_at = 0.0

    def begin(self, *, session_present: bool) -> None:
        """A link is up; only a kept session can have kept messages."""
        self.is_on = session_present
        self._heard_at = time.monotonic()
        self._ends_at = self._heard_at + LONGEST_SECONDS

    def may_have_waited(self, window: Window, message: InboundMessage, now: float) -> bool:
        """Judge one message on arrival; `window.received` counts it already."""
        owed = window.received - window.acknowledged - (1 if message.qos else 0)
        quiet = now - max(self._heard_at, window.acknowledged_at)
        self._heard_at = now
        if now > self._ends_at or (owed <= 0 and quiet > QUIET_SECONDS):
            self.is_on = False
            return message.dup
        return not message.retain
