"""Counters shown as a rate: what was counted an hour. They start again from zero after a power cut or a full turn."""

from collections.abc import Sequence
from itertools import pairwise

from mqtt.buckets import Bucket

COUNTING = frozenset(("energy", "volume", "count"))
"""Kinds of sensors that count up."""
NOISE = 0.9
"""A counter that falls by less than a tenth was read inexactly; below that it has started again."""
POWERS = {"Wh": "W", "kWh": "kW", "MWh": "MW", "GWh": "GW", "VAh": "VA", "kVAh": "kVA", "varh": "var", "kvarh": "kvar"}


def rate_unit(unit: str) -> str:
    """The unit of a counter's rate: kWh an hour are kW."""
    return POWERS.get(unit) or f"{unit}/h"


def increase(before: float, after: float) -> float:
    """What was counted between two readings."""
    if after >= before:
        return after - before
    return 0.0 if after >= before * NOISE else max(after, 0.0)


def within(bucket: Bucket) -> float:
    """What was counted in a bucket that saw one restart at most."""
    if bucket.low >= bucket.first * NOISE and bucket.last >= bucket.first * NOISE:
        return max(bucket.last - bucket.first, 0.0)
    return (bucket.high - bucket.first) + (bucket.last - bucket.low) + max(bucket.low, 0.0)


def rates(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Each bucket but the first as its rate an hour, since the one before it."""
    found = []
    for before, bucket in pairwise(buckets):
        counted = increase(before.last, bucket.first) + within(bucket)
        rate = counted * 3600 / (bucket.time - before.time)
        found.append(bucket._replace(low=rate, high=rate, mean=rate, first=rate, last=rate))
    return found


def point_rates(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The same for single readings (time in µs, value)."""
    return [
        (time, increase(before, value) * 3.6e9 / (time - earlier))
        for (earlier, before), (time, value) in pairwise(points)
        if time > earlier
    ]
