"""How often something speaks, learned from the gaps between what was heard.

Pure and small: one `Gaps` a device, about 250 bytes. Not the middle of all gaps counts but the gap in which one finds
the device at a random moment, so that bursts weigh next to nothing. The longest gaps of each day are kept apart: nights
and sleepers are known by them.
"""

import struct
from array import array
from collections.abc import Iterator
from math import ceil

from mqtt.enums import IntervalSource
from mqtt.rhythm import LATE_INTERVALS, LATE_LEAST, NO_RHYTHM, Expectation, expect, expect_unknown

UTTERANCE_US = 500_000
"""What comes within half a second is one utterance: a gap runs from the first message of one to that of the next."""
LEARNED_FROM = 20
"""Gaps before anything is concluded."""
BACKLOG_US = 600_000_000
"""A message this much older than its device's messages usually are was kept and sent again: it shows no rhythm."""

REST_US = 60_000_000
"""Of short gaps, once something is known, about one a minute is counted, and one in five minutes of a quick device that
speaks as expected: enough, and it costs nothing to speak of."""
_QUICK = 2 * LATE_LEAST / LATE_INTERVALS
_SHORT_US = int(LATE_LEAST * 1e6)
_GOLDEN = 0.618034
"""Rests of ever other lengths: equal ones would meet the same moment of each minute's burst."""

_LONGEST = 60 * 86400 * 100
_LOWEST_BITS = 6
_BINS = (_LONGEST.bit_length() - _LOWEST_BITS + 1) * 2
"""Two bins an octave, from a third of a second up to 60 days; gaps are counted in hundredths of a second."""
_RECENT = 8
_SLOW = 600 * 100
_REVIEW = 16
"""Conclusions are drawn again after so many gaps, and after each gap of ten minutes or more that is a surprise."""
_OUTLIERS = 0.02
"""The share of gaps, the longest, that are left out: an outage must not become the rhythm."""
_NIGHT = 7200.0
_NIGHTS = 0.1
"""Gaps of hours that are rare and far longer than all others are nights, which are kept apart as silences."""
_STEADY, _WILD = 0.85, 0.5
"""Which share of the time is spent in gaps within a factor of two of the middle one: of what is regular, and the least
of what has a rhythm at all."""
_RARE = 0.3
"""Where most gaps are far shorter than the middle one, and not regular, things happen when they happen."""
_HYSTERESIS = 0.05
_DAYS, _SEVERAL = 28, 3
"""A silence is usual when one as long was seen on several of the last days, or on each day of a device that is new."""
_UNHEARD_OF = 900.0
"""Seconds from which a silence is remembered while no interval is known."""
_MATERIAL = 0.1
_MOST = 127
"""Of one length; beyond it all counts are halved, so that what was long ago fades."""
_DAY_US = 86_400_000_000
_UINT = struct.Struct("<I")
_HEAD = struct.Struct("<ddQB")
_FORM = b"\x01"


class Gaps:
    """The gaps of one device. `interval` is 0 while nothing is known and -1 when they follow no rhythm."""

    __slots__ = (
        "_buffer",
        "_turn",
        "born_us",
        "count",
        "heard_us",
        "interval",
        "is_kept",
        "lag_us",
        "rest_us",
        "silence",
        "silences",
    )

    def __init__(self) -> None:
        self._buffer = bytearray(_BINS + 4 * _RECENT)
        """How often each length was seen, and behind that the latest gaps."""
        self._turn = 0
        self.count = 0
        """How many gaps are counted, older ones by half."""
        self.heard_us = 0
        """When the last utterance began; 0: the next one ends no gap that could be counted."""
        self.rest_us = 0
        """Until when gaps need not be counted, because enough of its short ones were."""
        self.lag_us = -1
        """How old its messages usually are by their own time; -1: they say none."""
        self.born_us = 0
        """When its first gap ended."""
        self.interval = 0.0
        self.silence = 0.0
        """The longest silence that is usual, in seconds."""
        self.silences = array("I")
        """The longest silence of each day that had one: the day's number and the minutes."""
        self.is_kept = False
        """What was stored of it has been read."""

    def expectation(self, said: float | None = None) -> Expectation:
        """What to expect; `said` are the seconds that the device itself names."""
        if said is not None:
            return expect(said, IntervalSource.SAID, self.silence)
        if self.interval < 0:
            return NO_RHYTHM
        if self.interval == 0:
            return expect_unknown(self.silence)
        return expect(self.interval, IntervalSource.LEARNED, self.silence)

    def rests(self, gap_us: int, at_us: int) -> bool:
        """Whether a gap that ends now need not be counted; one that could be a silence always is."""
        return gap_us < _SHORT_US and self.rest_us - 5 * REST_US <= at_us < self.rest_us

    def is_backlog(self, lag_us: int) -> bool:
        """Whether a message so old by its own time was kept and sent later; a clock that is wrong becomes usual."""
        usual = self.lag_us
        if usual < 0 or lag_us <= usual:
            self.lag_us = lag_us
            return False
        self.lag_us = usual + (lag_us - usual) // 64
        return lag_us - usual > BACKLOG_US

    def add(self, gap_us: int, ended_us: int) -> bool:
        """Count a gap that ended now; whether something changed that is worth keeping."""
        gap = gap_us // 10_000
        if not 0 < gap < _LONGEST:
            return False
        buffer = self._buffer
        bits = max(gap.bit_length(), _LOWEST_BITS)
        place = (bits - _LOWEST_BITS) * 2 + ((gap >> (bits - 2)) & 1)
        if buffer[place] == _MOST:
            buffer[:_BINS] = bytes(count >> 1 for count in buffer[:_BINS])
            self.count = sum(buffer[:_BINS])
        buffer[place] += 1
        self.count += 1
        _UINT.pack_into(buffer, _BINS + 4 * (self._turn % _RECENT), gap)
        self._turn += 1
        self.born_us = self.born_us or ended_us
        if self.interval:
            is_quick = self.interval / 2 <= gap / 100 <= self.interval * 2 < _QUICK
            self.rest_us = ended_us + int(REST_US * (5 if is_quick else 1) * (0.5 + self._turn * _GOLDEN % 0.5))
        is_silence = self._remember(gap / 100, ended_us)
        is_new = gap >= _SLOW and _differs(gap / 100, self.interval)
        if not is_new and self._turn % _REVIEW and not is_silence and (self.interval or self.count != LEARNED_FROM):
            return False
        return self._conclude(ended_us) or is_silence or (gap >= _SLOW and self.interval == 0)

    def _remember(self, seconds: float, ended_us: int) -> bool:
        """Note a silence that is longer than what the rhythm explains; the longest of a day is enough."""
        known = max(LATE_INTERVALS * self.interval, LATE_LEAST) if self.interval > 0 else _UNHEARD_OF
        if seconds <= known:
            return False
        day, minutes = ended_us // _DAY_US, ceil(seconds / 60)
        entry = (day & 0xFFF) << 20 | minutes
        if self.silences and self.silences[-1] >> 20 == entry >> 20:
            if self.silences[-1] >= entry:
                return False
            self.silences[-1] = entry
        else:
            self.silences.append(entry)
            del self.silences[:-_DAYS]
        return True

    def _conclude(self, now_us: int) -> bool:
        """Draw conclusions; whether they differ enough from those before."""
        interval, silence = self._find_interval(), self._find_silence(now_us)
        if not (_differs(interval, self.interval) or _differs(silence, self.silence)):
            return False
        self.interval, self.silence = interval, silence
        return True

    def _find_silence(self, now_us: int) -> float:
        today = now_us // _DAY_US
        recent = [one & 0xFFFFF for one in self.silences if (today - (one >> 20)) & 0xFFF <= _DAYS]
        days = min(_SEVERAL, max(1, (now_us - self.born_us) // _DAY_US))
        return float(sorted(recent)[-days] * 60) if len(recent) >= days else 0.0

    def _find_interval(self) -> float:
        counts = [(place, count) for place, count in enumerate(self._buffer[:_BINS]) if count]
        total = sum(count for _, count in counts)
        if total < LEARNED_FROM:
            return self.interval
        left_out = ceil(total * _OUTLIERS)
        while counts and left_out >= counts[-1][1]:
            left_out -= counts.pop()[1]
        if left_out:
            counts[-1] = (counts[-1][0], counts[-1][1] - left_out)
        _leave_nights_out(counts, total)
        spent = [(place, count * _middle(place)) for place, count in counts]
        whole = sum(seconds for _, seconds in spent)
        middle = _reaching(spent, whole / 2)
        near = sum(seconds for place, seconds in spent if abs(place - middle) <= 2) / whole
        if near >= _STEADY:
            return self._exact(middle)
        doubt = _HYSTERESIS if self.interval < 0 else 0.0
        often = sum(count for place, count in counts if place >= middle - 2) / total
        if near >= _WILD + doubt and often >= _RARE + doubt:
            return self._exact(_reaching(spent, whole * 0.9))
        longest = _middle(counts[-1][0])
        return longest if LATE_INTERVALS * longest <= LATE_LEAST else -1.0

    def _exact(self, place: int) -> float:
        """The interval behind a bin: the middle of the latest gaps that are near it."""
        about = _middle(place)
        near = sorted(gap / 100 for gap in self._latest() if about / 1.5 <= gap / 100 <= about * 1.5)
        if near:
            return near[len(near) // 2]
        return self.interval if about / 1.5 <= self.interval <= about * 1.5 else about

    def _latest(self) -> Iterator[int]:
        for number in range(_RECENT):
            (gap,) = _UINT.unpack_from(self._buffer, _BINS + 4 * number)
            if gap:
                yield gap

    def pack(self) -> bytes:
        """A short form that `unpack` reads: what was concluded, the bins that are not empty, the silences."""
        bins = bytes(part for place, count in enumerate(self._buffer[:_BINS]) if count for part in (place, count))
        head = _HEAD.pack(self.interval, self.silence, self.born_us, len(bins) // 2)
        silences = struct.pack(f"<{len(self.silences)}I", *self.silences)
        return _FORM + head + bins + silences

    def unpack(self, data: bytes) -> None:
        """Take over what was stored; something else than `pack` wrote is passed over."""
        self.is_kept = True
        start = 1 + _HEAD.size
        if data[:1] != _FORM or len(data) < start:
            return
        self.interval, self.silence, self.born_us, bins = _HEAD.unpack_from(data, 1)
        end = start + 2 * bins
        for place, count in zip(data[start:end:2], data[start + 1 : end : 2], strict=False):
            if place < _BINS:
                self._buffer[place] = min(count, _MOST)
        self.count = sum(self._buffer[:_BINS])
        rest = data[end:]
        self.silences = array("I", struct.unpack(f"<{len(rest) // 4}I", rest[: len(rest) // 4 * 4]))


def _middle(place: int) -> float:
    """The middle of a bin in seconds."""
    octave, half = divmod(place, 2)
    return (5 + 2 * half) * 2.0 ** (octave + _LOWEST_BITS - 3) / 100


def _leave_nights_out(counts: list[tuple[int, int]], total: int) -> None:
    for at in range(len(counts) - 1, 0, -1):
        place = counts[at][0]
        if _middle(place) < _NIGHT or sum(count for _, count in counts[at:]) > total * _NIGHTS:
            return
        if place - counts[at - 1][0] >= 6:
            del counts[at:]
            return


def _reaching(spent: list[tuple[int, float]], wanted: float) -> int:
    """The bin in which the sum reaches what is wanted."""
    reached = 0.0
    for place, seconds in spent:
        reached += seconds
        if reached >= wanted:
            return place
    return spent[-1][0]


def _differs(now: float, before: float) -> bool:
    if now == before:
        return False
    return min(now, before) <= 0 or abs(now - before) > _MATERIAL * before
