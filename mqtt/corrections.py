"""Corrections of a sensor's readings: raw values stay raw in the store, and what is shown went through here.

corrected = (raw - zero) * gain + offset, each correction from its own time on until the next one takes over.
Pure: times are whole microseconds since 1970 UTC; readings that are texts are never corrected.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Correction(NamedTuple):
    """What holds from `valid_from_us` on."""

    valid_from_us: int
    gain: float = 1.0
    offset: float = 0.0
    zero: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether it leaves every value as it is; it still ends the one before it."""
        return self.gain == 1.0 and self.offset == 0.0 and self.zero == 0.0

    def apply(self, value: float) -> float:
        """The corrected value; the raw one where the result would not be finite."""
        corrected = (value - self.zero) * self.gain + self.offset
        return corrected if math.isfinite(corrected) else value

    def apply_range(self, low: float, high: float) -> tuple[float, float]:
        """Corrected least and greatest value; a negative gain exchanges them."""
        one, other = self.apply(low), self.apply(high)
        return (one, other) if one <= other else (other, one)


class Corrections:
    """All corrections of one sensor."""

    __slots__ = ("_ones", "_starts")

    def __init__(self, corrections: Iterable[Correction] = ()) -> None:
        self._ones = sorted(corrections)
        self._starts = [one.valid_from_us for one in self._ones]

    def __bool__(self) -> bool:
        return bool(self._ones)

    def at(self, time_us: int) -> Correction | None:
        """What holds at a time; None: the raw value is the value."""
        place = bisect_right(self._starts, time_us)
        one = self._ones[place - 1] if place else None
        return None if one is None or one.is_none else one

    def apply(self, time_us: int, value: float) -> float:
        """The value to show of a reading."""
        one = self.at(time_us) if self._ones else None
        return value if one is None else one.apply(value)

    def spans(self, start_us: int, end_us: int) -> Iterator[tuple[int, int, Correction | None]]:
        """The half-open parts of a time in which one correction holds, in order: for sums over buckets and charts."""
        here = start_us
        for start in [*(one for one in self._starts if start_us < one < end_us), end_us]:
            if here < start:
                yield here, start, self.at(here)
                here = start


NONE = Corrections()
