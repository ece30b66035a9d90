"""The hand-over from network threads to the processor thread.

The network thread never waits: a blocked callback misses the keepalive and loses the session. What bounds
QoS 1 is the broker's in-flight window, because acknowledgements are withheld until the commit; a broker that
has no window is left alone until there is room. QoS 0 has no such brake, so beyond the bound it is refused
and its session counts it.
"""

import threading
import time
from collections import Counter, deque

from mqtt.messages import InboundMessage

QUIET_SECONDS = 0.002
"""A batch closes when nothing arrived for so long: a lone message waits no longer than this."""

SHORTEST_SECONDS, LONGEST_SECONDS = 0.003, 0.015
"""So long a batch of a steady stream may grow: as long as storing the last one took, within these bounds. So storing
rests half of the time while little comes. Of much it must not: what waits while a batch grows makes storing longer,
which would make the next one grow longer still."""

LARGEST_BATCH = 2_000

MAX_MESSAGES = 20_000
"""QoS 0 messages are refused while more than this wait."""

MAX_BYTES = 64 * 1024 * 1024
"""The same for the bytes of topics and payloads that wait."""

PATIENCE = 8
"""QoS 1 may take so many times more, before its session must go."""


class Inbox:
    """Many threads put, one thread collects."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._waiting: deque[InboundMessage] = deque()
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._stopped = False
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def bytes_waiting(self) -> int:
        """Bytes of the topics and payloads that wait."""
        return self._bytes

    def depths(self) -> Counter[int]:
        """How many messages of each connection wait; for a look now and then."""
        with self._lock:
            waiting = list(self._waiting)
        return Counter(message.connection_id for message in waiting)

    def put(self, message: InboundMessage) -> bool:
        """Hand over one message; False: there is no room."""
        with self._lock:
            if self._is_full(PATIENCE if message.qos else 1):
                return False
            self._waiting.append(message)
            self._bytes += len(message.payload) + len(message.topic)
        if not self._filled.is_set():
            self._filled.set()
        return True

    def collect(self, seconds: float | None = None, *, growing: float = LONGEST_SECONDS) -> list[InboundMessage]:
        """Wait for messages and return the next batch in arrival order; empty: stopped, or none came in time.

        `growing`: how long a batch may grow, as many seconds as storing one takes.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while self._filled.wait(None if end is None else max(0.0, end - time.monotonic())):
            if self._stopped:
                break
            self._let_it_grow(min(max(growing, SHORTEST_SECONDS), LONGEST_SECONDS))
            batch = self._take()
            if batch:
                return batch
        return []

    def stop(self) -> None:
        """Let `collect` return empty; what still waits was not acknowledged and will come again."""
        self._stopped = True
        self._filled.set()

    def _take(self) -> list[InboundMessage]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
            self._bytes -= sum(len(message.payload) + len(message.topic) for message in batch)
            if not self._waiting and not self._stopped:
                self._filled.clear()
        return batch

    def _is_full(self, times: int) -> bool:
        return len(self._waiting) >= times * self._max_messages or self._bytes >= times * self._max_bytes

    def _let_it_grow(self, longest: float) -> None:
        """Look every 2 ms instead of being woken by every message: waking costs more than the message."""
        end = time.monotonic() + longest
        seen = len(self._waiting)
        while seen < LARGEST_BATCH and not self._stopped and time.monotonic() < end:
            time.sleep(QUIET_SECONDS)
            if len(self._waiting) == seen:
                return
            seen = len(self._waiting)
