"""From which silence on a line is broken: judged by what is drawn, and by how often its sensor speaks."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from statistics import median

from mqtt.buckets import HOUR
from mqtt.enums import IntervalSource
from mqtt.models import SensorDevice

GAP_INTERVALS = 3
"""Nothing for three usual intervals is a gap."""
GAP_LEAST = 2.0
UNEVEN, EVEN = 2.5, 1.5
"""Times a bucket, within which what speaks has its next reading: where it may speak more slowly than one bucket, and
where it is known to be quicker than an hour."""


def usual_intervals(sensor_ids: Sequence[int]) -> dict[int, float]:
    """Seconds between two readings of each sensor, set by hand, said or learned; 0: not known, infinite: no rhythm."""
    found = SensorDevice.objects.filter(pk__in=sensor_ids)
    usual = dict.fromkeys(sensor_ids, 0.0)
    for pk, by_hand, interval, source in found.values_list(
        "pk", "expected_interval", "rhythm__interval", "rhythm__source"
    ):
        usual[pk] = by_hand or (inf if source == IntervalSource.IRREGULAR else interval or 0.0)
    return usual


def gap(times: Sequence[float], step: int, usual: float = 0.0) -> float:
    """Seconds between two points from which on nothing was measured; `usual` is the interval of the sensor itself.

    What is drawn can look quicker than its sensor: of one that speaks every 90 minutes most hours have a reading.
    """
    return max(_gap_between(times, step, is_known=usual > 0), GAP_INTERVALS * usual)


def _gap_between(times: Sequence[float], step: int, *, is_known: bool) -> float:
    if len(times) < 3:
        return max(GAP_INTERVALS * step, GAP_LEAST) if step else inf
    between = median(later - earlier for earlier, later in pairwise(times))
    if step and between <= step:
        # What speaks every 15 s is not in every bucket of 10 s.
        return (EVEN if is_known and step >= HOUR else UNEVEN) * step
    return max(GAP_INTERVALS * between, GAP_LEAST)
