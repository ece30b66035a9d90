"""Spans of time with what was measured in them: the rollups' levels, and arithmetic on their rows. All pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from mqtt.corrections import Correction

HOUR = 3600
DAY = 86400
FINE = (10, 60, 300)
LEVELS = (*FINE, HOUR, DAY)
"""Seconds. Hours and days are kept of every sensor, finer ones of hours in which they save something."""
READINGS_A_BUCKET = 4
"""A finer level is kept where it has at most a quarter as many rows as there are readings."""


class Bucket(NamedTuple):
    """What one sensor measured in one span that begins at `time` (seconds since 1970 UTC)."""

    time: int
    readings: int
    low: float
    high: float
    mean: float
    first: float
    last: float


def floor(seconds: int, level: int) -> int:
    """The beginning of the bucket in which a moment lies."""
    return seconds // level * level


def least_count(level: int) -> int:
    """How many readings an hour must have for a level to be kept of it."""
    return READINGS_A_BUCKET * HOUR // level if level < HOUR else 1


def joined(buckets: Sequence[Bucket], time: int) -> Bucket:
    """Neighbours in the order of time as one bucket. The mean is weighed so that huge values cannot overflow."""
    if len(buckets) == 1:
        return buckets[0] if buckets[0].time == time else buckets[0]._replace(time=time)
    count = sum(one.readings for one in buckets)
    low, high = min(one.low for one in buckets), max(one.high for one in buckets)
    mean = sum(one.mean * (one.readings / count) for one in buckets)
    return Bucket(time, count, low, high, min(max(mean, low), high), buckets[0].first, buckets[-1].last)


def coarser(buckets: Iterable[Bucket], step: int) -> Iterator[Bucket]:
    """Buckets in the order of time as longer ones of `step` seconds."""
    for time, some in groupby(buckets, lambda one: one.time // step * step):
        yield joined(list(some), time)


def corrected(bucket: Bucket, correction: Correction | None) -> Bucket:
    """A bucket as it is shown; a negative gain makes the lowest the highest."""
    if correction is None:
        return bucket
    low, high = correction.apply_range(bucket.low, bucket.high)
    mean, first, last = (correction.apply(value) for value in (bucket.mean, bucket.first, bucket.last))
    return Bucket(bucket.time, bucket.readings, low, high, mean, first, last)
