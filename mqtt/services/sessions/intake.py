"""What a session does with each message before the pipeline has it: mark it, count it, hand it over."""

import time

from mqtt import topics
from mqtt.gaps import UTTERANCE_US
from mqtt.messages import InboundMessage
from mqtt.services.broker_facts import PREFIX
from mqtt.services.mqtt_connection import Link
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions.catch_up import CatchUp
from mqtt.services.sessions.filters import SessionFilters
from mqtt.services.sessions.reports import Counters
from mqtt.services.sessions.silence import ConnectionGaps
from mqtt.services.sessions.statistics import SessionStatistics

UTTERANCE = UTTERANCE_US / 1e6


class Intake:
    """Only the session's own thread uses it."""

    def __init__(
        self,
        inbox: Inbox,
        counters: Counters,
        filters: SessionFilters,
        gaps: ConnectionGaps,
        statistics: SessionStatistics,
    ) -> None:
        self.heard_at = 0.0
        """When a device was last heard, or the link came up; by the monotonic clock."""
        self.is_closed = False
        """Another holder gets what comes now: it is not taken, hence not acknowledged."""
        self._inbox = inbox
        self._counters = counters
        self._filters = filters
        self._gaps = gaps
        self._statistics = statistics
        self._spoke_at = 0.0
        """When a live message began an utterance; 0: none since the link came up."""
        self._catch_up = CatchUp()
        self._is_start = False
        """Nothing new came since the CONNACK of a kept session: what has DUP set was sent before."""

    def begin(self, *, session_present: bool, is_ours: bool) -> None:
        """A link is up; `is_ours`: with the session whose packet ids are noted."""
        self.heard_at = time.monotonic()
        self._spoke_at = 0.0
        self._catch_up.begin(session_present=session_present)
        self._is_start = is_ours

    def take(self, link: Link, message: InboundMessage) -> bool:
        """Hand over; whether a device was heard. This runs once a message and must stay small."""
        if self.is_closed or message.topic[:5] == PREFIX:
            return self._leave_aside(message)
        counters = self._counters
        counters.messages += 1
        now = time.monotonic()
        if message.dup:
            counters.redelivered += 1
            message.redelivered = self._is_start
        elif message.qos:
            self._is_start = False
        if self._catch_up.is_on:
            message.queued = self._catch_up.may_have_waited(link, message, now)
        filters = self._filters
        if filters.removed and filters.is_unwanted(message.topic):
            message.unwanted = True
        if not self._inbox.put(message):
            if message.qos:
                link.give_up()
            else:
                counters.dropped += 1
        if topics.is_own_status(message.topic):
            return False
        self.heard_at = now
        if now - self._spoke_at >= UTTERANCE:
            self._learn(message, now)
        counters.last_message_at = message.received_us / 1e6
        return True

    def _leave_aside(self, message: InboundMessage) -> bool:
        """What the broker says of itself is not counted or stored, and acknowledged in its turn."""
        if not self.is_closed:
            self._statistics.take(message)
            if message.qos:
                message.unwanted = True
                self._inbox.put(message)
        return False

    def quiet_for(self) -> float:
        """Seconds since a device was last heard, or the link came up."""
        return time.monotonic() - self.heard_at

    def _learn(self, message: InboundMessage, now: float) -> None:
        """Count the gap before a live message; nothing could be heard before the link came up."""
        if message.retain or message.queued or message.dup:
            return
        before, self._spoke_at = self._spoke_at, now
        if before:
            self._gaps.add(now - before, message.received_us)

    def mark_new_session(self, connection_id: int, link: Link) -> None:
        """Tell the pipeline, in order, that packet ids begin anew."""
        now_us = time.time_ns() // 1000
        self._inbox.put(
            InboundMessage(connection_id, "", b"", 1, False, now_us, session=link.number, begins_session=True)
        )
