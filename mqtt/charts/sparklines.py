"""The last 24 hours of sensors as small drawings for the rows of tables: hourly means, lowest and highest, gaps.

A sensor that is not known for a day yet is drawn since then, in shorter spans. Rows are pushed many times a minute,
what they draw changes slowly: drawings are kept for some minutes, and those that are missing cost some queries for all
rows of a page or a push together.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mqtt.buckets import HOUR, LEVELS, Bucket, corrected, floor
from mqtt.services.history import buckets, gap, usual_intervals

WIDTH, HEIGHT = 96, 22
MARGIN = 2.0
HOURS = 24
FRESH = 300.0
"""Seconds for which a drawing is kept; of a sensor that is new, one in so many of those that it shows."""
SHORTEST = 10.0
MOST_KEPT = 5000
"""Drawings of a process, some hundred bytes each; the pages of twenty people show fewer."""


class Spark(NamedTuple):
    """Paths in a field of WIDTH x HEIGHT, and what they say; numbers are written by who shows them to somebody."""

    line: str
    band: str
    low: float
    high: float
    seconds: int = HOURS * HOUR


Kept = tuple[float, Spark | None]
"""(until when it is kept, by the monotonic clock; the drawing)."""
NOT_DRAWN: Kept = (-1.0, None)
_kept: dict[int, Kept] = {}
"""By sensor; shared by all threads that make pages and pushes."""


def add_sparks(sensors: Sequence[Any]) -> None:
    """Give each sensor its `spark`, or None. Wants `corrections` prefetched."""
    now = time.monotonic()
    known = {one.pk: _kept.get(one.pk, NOT_DRAWN) for one in sensors}  # taken once: another thread may forget them
    missing = [one for one in sensors if known[one.pk][0] < now]
    if missing:
        if len(_kept) + len(missing) > MOST_KEPT:
            _kept.clear()
        drawn, end = _draw_all(missing), time.time()
        for one in missing:
            age = min(HOURS * HOUR, end - one.created_at.timestamp())
            until = now + max(SHORTEST, age / HOURS / HOUR * FRESH)
            known[one.pk] = _kept[one.pk] = (until, drawn[one.pk])
    for one in sensors:
        one.spark = known[one.pk][1]


def forget_everything() -> None:
    """For tests."""
    _kept.clear()


def _draw_all(sensors: Sequence[Any]) -> dict[int, Spark | None]:
    end = time.time()
    since = floor(int(end), HOUR) - HOURS * HOUR
    found = buckets([one.pk for one in sensors], HOUR, since, int(end) + 1)
    young, usual = _young(sensors, found, end), usual_intervals([one.pk for one in sensors])
    drawn = {}
    for one in sensors:
        step, some = young.get(one.pk, (HOUR, found.get(one.pk, [])))
        rules = one.rules
        shown = [corrected(bucket, rules.at(bucket.time * 1_000_000)) if rules else bucket for bucket in some]
        start = some[0].time if one.pk in young else end - HOURS * HOUR
        drawn[one.pk] = draw(shown, start, end, step, usual[one.pk])
    return drawn


def _young(
    sensors: Sequence[Any], hours: Mapping[int, Sequence[Bucket]], end: float
) -> dict[int, tuple[int, list[Bucket]]]:
    """{sensor: (seconds of a bucket, buckets)} of those of which there is nothing from before they were known."""
    by_level: dict[int, list[int]] = defaultdict(list)
    known = end
    for one in sensors:
        since = one.created_at.timestamp()
        if hours.get(one.pk) and hours[one.pk][0].time >= floor(int(since), HOUR):
            level = max((level for level in LEVELS if level <= (end - since) / HOURS), default=LEVELS[0])
            if level < HOUR:
                by_level[level].append(one.pk)
                known = min(known, since)
    found = {}
    for level, pks in by_level.items():
        for pk, some in buckets(pks, level, floor(int(known), HOUR), int(end) + 1).items():
            if some:
                found[pk] = (level, some)
    return found


def draw(hours: Sequence[Bucket], start: float, end: float, step: int = HOUR, usual: float = 0.0) -> Spark | None:
    """The paths of some hours, or shorter spans, between `start` and `end` (seconds); None without any.

    `usual` are the seconds between two readings of the sensor, as far as they are known.
    """
    if not hours:
        return None
    low, high = min(hour.low for hour in hours), max(hour.high for hour in hours)
    # Halves, because the difference of two huge values may not be finite.
    height = (high / 2 - low / 2) or 1.0

    def x(hour: Bucket) -> float:
        return min(WIDTH, max(0.0, (hour.time + step / 2 - start) / (end - start) * WIDTH))

    def y(value: float) -> float:
        part = (value / 2 - low / 2) / height if high > low else 0.5
        return HEIGHT - MARGIN - part * (HEIGHT - 2 * MARGIN)

    line, band = [], []
    for piece in _pieces(hours, step, usual):
        if len(piece) == 1:
            at = x(piece[0])
            line.append(f"M{at - 1:.1f} {y(piece[0].mean):.1f}h2")
            continue
        line.append(_path((x(hour), y(hour.mean)) for hour in piece))
        over = [(x(hour), y(hour.high)) for hour in piece]
        band.append(_path([*over, *((x(hour), y(hour.low)) for hour in reversed(piece))]) + "Z")
    return Spark("".join(line), "".join(band), low, high, round(end - start))


def _pieces(hours: Sequence[Bucket], step: int, usual: float) -> list[list[Bucket]]:
    """Hours that follow each other; a new piece begins behind a gap."""
    limit = gap([hour.time for hour in hours], step, usual)
    pieces = [[hours[0]]]
    for before, hour in pairwise(hours):
        if hour.time - before.time > limit:
            pieces.append([])
        pieces[-1].append(hour)
    return pieces


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
