"""What a family's convention wants published, such as Sparkplug's wish for a rebirth: sent once, or not at all."""

import time
from collections import deque
from collections.abc import Iterable

from mqtt.messages import Request
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.link_reasons import Reason
from mqtt.services.sessions.reports import Counters

MOST_WAITING = 100
PROMPT = 5.0
"""Seconds within which a request is sent; later its reason may be gone."""

REFUSED_PAUSE = 3600.0
"""Seconds without requests after a refusal: some brokers cut the link of who publishes without permission."""

QOS = 1
"""So that a refusal is heard."""


class SessionRequests:
    """`put` may be called by any thread, everything else by the session's own.

    Marks are negative, so that they never meet those of people's commands.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._waiting: deque[tuple[float, Request]] = deque(maxlen=MOST_WAITING)
        self._sent: set[int] = set()
        self._mark = 0
        self._pause_until = 0.0

    def put(self, requests: Iterable[Request]) -> None:
        """To be sent with the next round; beyond the bound the oldest gives way."""
        now = time.monotonic()
        self._waiting.extend((now, request) for request in requests)

    def send(self, link: Link) -> None:
        """Publish what waits."""
        while self._waiting and link.is_up:
            asked_at, request = self._waiting.popleft()
            now = time.monotonic()
            if now - asked_at > PROMPT or now < self._pause_until:
                continue
            self._mark -= 1
            self._sent.add(self._mark)
            self._counters.requests += 1
            link.publish(self._mark, request.topic, request.payload, qos=QOS, retain=False)

    def answered(self, mark: int, reason: Reason | None) -> None:
        """The broker has it, or refused it."""
        if mark in self._sent:
            self._sent.discard(mark)
            if reason is not None and reason.is_error:
                self._refused(1)

    def link_ended(self) -> None:
        """A link that ended on a request may have been cut for it."""
        if self._sent:
            self._refused(len(self._sent))
            self._sent.clear()
        self._waiting.clear()

    def _refused(self, count: int) -> None:
        self._counters.requests_refused += count
        self._pause_until = time.monotonic() + REFUSED_PAUSE
        self._waiting.clear()
