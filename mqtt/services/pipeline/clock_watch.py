"""What the messages of one mqtt process say of this computer's clock; see `clock`.

Each batch leaves one sample a datalogger: its own time less the time of receipt. A sample counts when it stayed
the same for a while: what a device kept for later comes with ages that shrink from message to message, and only
a clock that is off stays off by the same amount.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from mqtt.models import ClockMark, from_us
from mqtt.services import clock
from mqtt.services.clock import Doubt

LEAST_DEVICES = 3
AGREE_SECONDS = 30.0
"""So near to each other lie the samples of devices that agree."""
STEADY_SECONDS = 10.0
"""For so long a device must have said the same."""
AHEAD_FROM = 120.0
BEHIND_FROM = -7200.0
"""Devices that are ahead of us show that our clock is behind; behind us they may only have waited with sending."""
TRUE_FROM_US = 1_735_689_600_000_000
"""2025-01-01, before this was written: a device that says less starts without knowing the time."""
FORGOTTEN_SECONDS = 24 * 3600.0
MOST_DEVICES = 5000
ACCEPTED_SECONDS = 60.0
"""So far an accepted disagreement may move before it is told again."""
JUMP_SECONDS = 5.0
"""A clock that moved by more against the monotonic one was set: what was sampled before says nothing of it."""
RAISE_EVERY = timedelta(seconds=20)


class Sample:
    """What one device said: since when the same, and when last."""

    __slots__ = ("at", "offset", "since")

    def __init__(self, offset: float, at: float) -> None:
        self.offset, self.since, self.at = offset, at, at


def most_say(offsets: list[float]) -> float | None:
    """The middle of what most devices say, when enough of them agree; None: they do not."""
    ordered = sorted(offsets)
    first, best = 0, (0, 0)
    for last, offset in enumerate(ordered):
        while offset - ordered[first] > AGREE_SECONDS:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    count = best[1] - best[0]
    if count < LEAST_DEVICES or 2 * count <= len(ordered):
        return None
    return ordered[best[0] + count // 2]


class ClockWatch:
    """`take` belongs to the processor thread, `look` to the main thread; `doubt` may be read by all."""

    def __init__(self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.doubt: Doubt | None = None
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._samples: dict[int, Sample] = {}
        self._newest_us = 0
        self._ask_at = 0.0
        self._base = now() - monotonic()
        self._is_new = False
        self._opinion: float | None = None
        self._has_opinion = False

    @property
    def lead_us(self) -> int:
        """How far devices may be ahead of our clock because that is behind (µs)."""
        found = self.doubt
        return max(0, int(found.seconds * 1e6)) if found else 0

    def take(self, newest_us: int, ask: Callable[[], Mapping[int, int]]) -> None:
        """Note a committed batch: its newest time of receipt; `ask` gives {datalogger: own time less receipt} (µs).

        Under load only one batch a second is asked.
        """
        at = self._monotonic()
        offsets = ask() if at >= self._ask_at else {}
        if offsets:
            self._ask_at = at + min(1.0, len(offsets) / 100)
        with self._lock:
            self._newest_us = max(self._newest_us, newest_us)
            samples = self._samples
            for pk, offset_us in offsets.items():
                if newest_us + offset_us < TRUE_FROM_US:
                    continue
                offset, known = offset_us / 1e6, samples.get(pk)
                if known is not None and abs(offset - known.offset) <= AGREE_SECONDS:
                    known.at = at
                elif known is not None or len(samples) < MOST_DEVICES:
                    samples[pk] = Sample(offset, at)
            self._is_new = self._is_new or bool(offsets)

    def look(self) -> None:
        """Judge, and bring the row and `doubt` up to date. Raises what the database raises."""
        now = datetime.fromtimestamp(self._now(), UTC)
        row = clock.mark(now)
        if self._was_set():
            self._opine(row, None)
        steady, newest_us = self._heard()
        if len(steady) >= LEAST_DEVICES:
            self._weigh(row, most_say(steady))
        newest = from_us(newest_us) if newest_us else row.newest_received_at
        if row.off_seconds is None and row.newest_received_at + RAISE_EVERY <= newest <= now + clock.TOLERANCE:
            ClockMark.objects.filter(pk=1, newest_received_at__lt=newest).update(newest_received_at=newest)
        self.doubt = clock.judged(row, now)

    def _was_set(self) -> bool:
        base = self._now() - self._monotonic()
        with self._lock:
            if abs(base - self._base) <= JUMP_SECONDS:
                return False
            self._base, self._newest_us, self._is_new = base, 0, False
            self._samples.clear()
            return True

    def _heard(self) -> tuple[list[float], int]:
        """The offsets of those who stay with theirs, none when nothing new came; and the newest receipt (µs)."""
        at = self._monotonic()
        with self._lock:
            if not self._is_new:
                return [], self._newest_us
            self._is_new = False
            self._samples = {pk: one for pk, one in self._samples.items() if at - one.at < FORGOTTEN_SECONDS}
            steady = [one.offset for one in self._samples.values() if one.at - one.since >= STEADY_SECONDS]
            return steady, self._newest_us

    def _weigh(self, row: ClockMark, said: float | None) -> None:
        accepted = row.accepted_off_seconds
        if said is None:
            self._opine(row, None)
        elif BEHIND_FROM < said < AHEAD_FROM:
            self._opine(row, None)
            if accepted is not None:
                ClockMark.objects.filter(pk=1).update(accepted_off_seconds=None)
        elif accepted is None or abs(said - accepted) > ACCEPTED_SECONDS:
            self._opine(row, said)

    def _opine(self, row: ClockMark, off: float | None) -> None:
        """Write what this process thinks when it changes its mind: others may hear other devices."""
        before = self._opinion
        is_near = off is not None and before is not None and abs(off - before) <= AGREE_SECONDS
        if self._has_opinion and (is_near or off == before):
            return
        if row.off_seconds != off:
            ClockMark.objects.filter(pk=1).update(off_seconds=off)
            row.off_seconds = off
        self._opinion, self._has_opinion = off, True
