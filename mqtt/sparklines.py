"""The last 24 hours of sensors as small drawings for the rows of tables: hourly means, lowest and highest, gaps.

Rows are pushed many times a minute, what they draw changes once an hour: drawings are kept for some minutes, and
those that are missing cost one query for all rows of a page or a push together.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mqtt import formats
from mqtt.buckets import HOUR, Bucket, corrected, floor
from mqtt.models import Rollup
from mqtt.services.history import gap

WIDTH, HEIGHT = 96, 22
MARGIN = 2.0
HOURS = 24
FRESH = 300.0
"""Seconds for which a drawing is kept."""
MOST_KEPT = 5000
"""Drawings of a process, some hundred bytes each; the pages of twenty people show fewer."""


class Spark(NamedTuple):
    """Paths in a field of WIDTH x HEIGHT, and what they say in words."""

    line: str
    band: str
    low: str
    high: str


_kept: dict[int, tuple[float, Spark | None]] = {}


def add_sparks(sensors: Sequence[Any]) -> None:
    """Give each sensor its `spark`, or None. Wants `corrections` prefetched."""
    now = time.monotonic()
    missing = [one for one in sensors if one.pk not in _kept or _kept[one.pk][0] < now - FRESH]
    if missing:
        if len(_kept) + len(missing) > MOST_KEPT:
            _kept.clear()
        _kept.update((pk, (now, spark)) for pk, spark in _draw_all(missing).items())
    for one in sensors:
        one.spark = _kept[one.pk][1] if one.pk in _kept else None


def forget_everything() -> None:
    """For tests."""
    _kept.clear()


def _draw_all(sensors: Sequence[Any]) -> dict[int, Spark | None]:
    end = time.time()
    since = floor(int(end), HOUR) - HOURS * HOUR
    found: dict[int, list[Bucket]] = defaultdict(list)
    rows = Rollup.objects.filter(sensor_id__in=[one.pk for one in sensors], level=HOUR, time__gte=since)
    columns = ("sensor_id", "time", "count", "low", "high", "mean", "first", "last")
    for sensor, *bucket in rows.order_by("sensor_id", "time").values_list(*columns):
        found[sensor].append(Bucket(*bucket))
    drawn = {}
    for one in sensors:
        rules = one.rules
        hours = [corrected(hour, rules.at(hour.time * 1_000_000)) if rules else hour for hour in found[one.pk]]
        drawn[one.pk] = draw(hours, end - HOURS * HOUR, end)
    return drawn


def draw(hours: Sequence[Bucket], start: float, end: float) -> Spark | None:
    """The paths of some hours between `start` and `end` (seconds); None without anything to draw."""
    if not hours:
        return None
    low, high = min(hour.low for hour in hours), max(hour.high for hour in hours)
    # Halves, because the difference of two huge values may not be finite.
    height = (high / 2 - low / 2) or 1.0

    def x(hour: Bucket) -> float:
        return min(WIDTH, max(0.0, (hour.time + HOUR / 2 - start) / (end - start) * WIDTH))

    def y(value: float) -> float:
        part = (value / 2 - low / 2) / height if high > low else 0.5
        return HEIGHT - MARGIN - part * (HEIGHT - 2 * MARGIN)

    line, band = [], []
    for piece in _pieces(hours):
        if len(piece) == 1:
            at = x(piece[0])
            line.append(f"M{at - 1:.1f} {y(piece[0].mean):.1f}h2")
            continue
        line.append(_path((x(hour), y(hour.mean)) for hour in piece))
        over = [(x(hour), y(hour.high)) for hour in piece]
        band.append(_path([*over, *((x(hour), y(hour.low)) for hour in reversed(piece))]) + "Z")
    return Spark("".join(line), "".join(band), formats.number(low), formats.number(high))


def _pieces(hours: Sequence[Bucket]) -> list[list[Bucket]]:
    """Hours that follow each other; a new piece begins behind a gap."""
    limit = gap([hour.time for hour in hours], HOUR)
    pieces = [[hours[0]]]
    for before, hour in pairwise(hours):
        if hour.time - before.time > limit:
            pieces.append([])
        pieces[-1].append(hour)
    return pieces


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
