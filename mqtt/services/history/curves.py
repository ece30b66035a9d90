"""What a chart draws: one point a pixel, from the coarsest level that gives it, and gaps where nothing was measured."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mqtt.buckets import FINE, HOUR, LEVELS, Bucket, coarser, floor
from mqtt.corrections import NONE, Corrections
from mqtt.models import Reading, Rollup, from_us, to_us
from mqtt.services.history.correction import correct_buckets, correct_points
from mqtt.services.history.counters import point_rates, rates
from mqtt.services.history.gaps import gap, usual_intervals
from mqtt.services.history.stored import buckets

MOST_READINGS = 40_000
"""Raw points of one chart; more are drawn from ten seconds on."""

Points = list[tuple[int, float]]
"""Single readings: (time in µs, value)."""


@dataclass(slots=True)
class Series:
    """The history of one sensor; times in seconds since 1970, values null where a gap begins.

    `step` is the length of a bucket in seconds, 0 for single readings, which have no lows and highs.
    """

    sensor: int
    step: int
    times: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    lows: list[float | None] = field(default_factory=list)
    highs: list[float | None] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, time: float, value: float | None, low: float | None, high: float | None, count: int) -> None:
        """One point more."""
        self.times.append(time)
        self.values.append(value)
        self.lows.append(low)
        self.highs.append(high)
        self.counts.append(count)


def resolution(start_us: int, end_us: int, points: int) -> tuple[int, int]:
    """(level, step) in seconds: the coarsest that still gives a point a pixel. (0, 0): every reading."""
    pixel = max(0, end_us - start_us) / 1_000_000 / max(1, points)
    level = max((one for one in LEVELS if one <= pixel), default=0)
    return level, int(pixel // level) * level if level else 0


def series(
    sensor_ids: Sequence[int],
    start_us: int,
    end_us: int,
    points: int,
    *,
    as_rate: Collection[int] = (),
    corrections: Mapping[int, Corrections] | None = None,
) -> dict[int, Series]:
    """The history of sensors from `start_us` until `end_us` (µs since 1970) for so many pixels; `as_rate`: counters."""
    given = corrections or {}
    usual = usual_intervals(sensor_ids)
    level, step = resolution(start_us, end_us, points)
    if not level:
        raw = _readings(sensor_ids, start_us, end_us)
        if raw is not None:
            return {one: _single(one, raw.get(one, []), given, one in as_rate, usual[one]) for one in sensor_ids}
        level = step = FINE[0]
    start, end = floor(start_us // 1_000_000, step), -(-end_us // 1_000_000)
    lead = step if as_rate else 0
    found = buckets(sensor_ids, level, start - lead, end)
    result = {}
    for sensor in sensor_ids:
        rows = correct_buckets(sensor, found.get(sensor, []), level, given)
        rows = list(coarser(rows, step)) if step > level else rows
        rows = rates(rows) if sensor in as_rate else rows
        result[sensor] = _drawn(sensor, rows, step, end_us / 1e6, usual[sensor])
    return result


def _readings(sensor_ids: Sequence[int], start_us: int, end_us: int) -> dict[int, Points] | None:
    """The readings themselves; None when there are too many, or retention has taken some of them."""
    found = Reading.objects.filter(
        sensor_id__in=sensor_ids, time__gte=from_us(start_us), time__lt=from_us(end_us), value__isnull=False
    )
    rows = list(found.order_by("sensor_id", "time").values_list("sensor_id", "time", "value")[: MOST_READINGS + 1])
    if len(rows) > MOST_READINGS:
        return None
    by_sensor: dict[int, Points] = defaultdict(list)
    for sensor, time, value in rows:
        by_sensor[sensor].append((to_us(time), value or 0.0))
    hours = Rollup.objects.filter(
        sensor_id__in=sensor_ids,
        level=HOUR,
        time__gte=-(-start_us // 1_000_000 // HOUR) * HOUR,
        time__lte=floor(end_us // 1_000_000, HOUR) - HOUR,
    )
    there = {(sensor, floor(time // 1_000_000, HOUR)) for sensor, some in by_sensor.items() for time, _ in some}
    return None if set(hours.values_list("sensor_id", "time")) - there else by_sensor


def _single(sensor: int, points: Points, given: Mapping[int, Corrections], is_rate: bool, usual: float) -> Series:
    """Readings as they are, without a band."""
    points = correct_points(points, given.get(sensor, NONE))
    points = point_rates(points) if is_rate else points
    limit = gap([time / 1e6 for time, _ in points], 0, usual)
    drawn, before = Series(sensor, 0), None
    for time_us, value in points:
        time = time_us / 1e6
        if before is not None and time - before > limit:
            drawn.add((time + before) / 2, None, None, None, 0)
        drawn.add(time, value, value, value, 1)
        before = time
    return drawn


def _drawn(sensor: int, rows: Sequence[Bucket], step: int, end: float, usual: float) -> Series:
    """Buckets as points in their middle."""
    limit = gap([one.time for one in rows], step, usual)
    drawn, before = Series(sensor, step), None
    for one in rows:
        if before is not None and one.time - before > limit:
            drawn.add((one.time + before + step) / 2, None, None, None, 0)
        drawn.add(min(one.time + step / 2, max(end, one.time)), one.mean, one.low, one.high, one.readings)
        before = one.time
    return drawn
