"""Corrections are applied when history is read: what is stored stays as it came."""

from collections.abc import Mapping, Sequence

from mqtt.buckets import Bucket, Correction, corrected, floor, joined, valid_at
from mqtt.services.history.stored import aggregate

Corrections = Sequence[Correction]


def correct_points(points: list[tuple[int, float]], corrections: Corrections) -> list[tuple[int, float]]:
    """Single readings (time in µs, value) as they are shown."""
    if not corrections:
        return points
    return [(time, valid_at(corrections, time).of(value)) for time, value in points]


def correct_buckets(
    sensor: int, rows: Sequence[Bucket], level: int, given: Mapping[int, Corrections]
) -> Sequence[Bucket]:
    """Buckets as they are shown; one in which a correction begins is made anew from the readings of both sides."""
    corrections = given.get(sensor, ())
    if not corrections:
        return rows
    changes: dict[int, list[int]] = {}
    for one in sorted(corrections):
        if one.since_us % (level * 1_000_000):
            changes.setdefault(floor(one.since_us // 1_000_000, level), []).append(one.since_us)
    return [_shown(sensor, row, level, corrections, changes.get(row.time, ())) for row in rows]


def _shown(sensor: int, row: Bucket, level: int, corrections: Corrections, cuts: Sequence[int]) -> Bucket:
    begin = row.time * 1_000_000
    parts = []
    for since, until in zip((begin, *cuts), (*cuts, begin + level * 1_000_000), strict=True) if cuts else ():
        correction = valid_at(corrections, since)
        parts += [corrected(part, correction) for _, part in aggregate(level, [(sensor, since, until)])]
    if sum(part.readings for part in parts) >= row.readings:
        return joined(parts, row.time)
    return corrected(row, valid_at(corrections, begin))
