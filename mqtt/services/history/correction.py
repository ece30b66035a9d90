"""Corrections are applied when history is read: what is stored stays as it came."""

from collections.abc import Mapping, Sequence

from mqtt.buckets import Bucket, corrected, joined
from mqtt.corrections import NONE, Corrections
from mqtt.services.history.stored import aggregate


def correct_points(points: list[tuple[int, float]], corrections: Corrections) -> list[tuple[int, float]]:
    """Single readings (time in µs, value) as they are shown."""
    return [(time, corrections.apply(time, value)) for time, value in points] if corrections else points


def correct_buckets(
    sensor: int, rows: Sequence[Bucket], level: int, given: Mapping[int, Corrections]
) -> Sequence[Bucket]:
    """Buckets as they are shown; one in which a correction begins is made anew from the readings of both sides."""
    corrections = given.get(sensor, NONE)
    return [_shown(sensor, row, level, corrections) for row in rows] if corrections else rows


def _shown(sensor: int, row: Bucket, level: int, corrections: Corrections) -> Bucket:
    begin = row.time * 1_000_000
    spans = list(corrections.spans(begin, begin + level * 1_000_000))
    parts = []
    for since, until, correction in spans if len(spans) > 1 else ():
        parts += [corrected(part, correction) for _, part in aggregate(level, [(sensor, since, until)])]
    if parts and sum(part.readings for part in parts) >= row.readings:
        return joined(parts, row.time)
    return corrected(row, spans[0][2])
