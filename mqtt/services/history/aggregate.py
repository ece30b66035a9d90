"""Raw readings of many sensors aggregated in the database: what rollups are made of, and what they do not hold yet."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from mqtt.models import from_us

FOREVER = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The years 1 and 9999, in microseconds since 1970."""

SpanUs = tuple[int, int, int | None]
"""(sensor, from, until) in microseconds since 1970; from is included, until is not; None: without end."""

SHRINK = 2.0**-40
"""Values are made smaller for their sum, exactly, so that huge ones cannot overflow: PostgreSQL refuses that."""

_TEXT = """
WITH wanted (sensor_id, since, until) AS (VALUES {rows})
{insert}
SELECT g.sensor_id, {level}, {seconds}, g.count, g.low, g.high,
    {most}(g.low * {shrink}, {fewest}(g.high * {shrink}, g.total / g.count)) * {grow},
    (SELECT x.value FROM mqtt_reading x WHERE x.sensor_id = g.sensor_id AND x.time = g.began
        AND {free}x.time >= %s AND {free}x.time < %s AND x.value IS NOT NULL ORDER BY x.digest LIMIT 1),
    (SELECT x.value FROM mqtt_reading x WHERE x.sensor_id = g.sensor_id AND x.time = g.ended
        AND {free}x.time >= %s AND {free}x.time < %s AND x.value IS NOT NULL ORDER BY x.digest DESC LIMIT 1)
FROM (
    SELECT r.sensor_id, {bucket} AS bucket, wanted.since, count(*) AS count, min(r.value) AS low, max(r.value) AS high,
        sum(r.value * {shrink}) AS total, min(r.time) AS began, max(r.time) AS ended
    FROM wanted CROSS JOIN mqtt_reading r
    WHERE r.sensor_id = wanted.sensor_id AND r.time >= wanted.since AND r.time < wanted.until
        AND r.time >= %s AND r.time < %s AND r.value IS NOT NULL
    GROUP BY r.sensor_id, 2, wanted.since
) g
"""
# The outermost bounds stand there once more as constants, so that PostgreSQL leaves other days' partitions alone.
# SQLite must not see them beside an instant: it would walk through the whole span for each bucket. `free` hides them.

_WORDS = {
    "sqlite": {
        "bucket": "r.time / {level}000000 * {level}",
        "seconds": "g.bucket",
        "most": "max",
        "fewest": "min",
        "free": "+",
    },
    "postgresql": {
        "bucket": "date_bin('{level} seconds', r.time, 'epoch'::timestamptz)",
        "seconds": "extract(epoch FROM g.bucket)::bigint",
        "most": "greatest",
        "fewest": "least",
        "free": "",
    },
}


def bucket_query(level: int, spans: Sequence[SpanUs], insert: str = "") -> tuple[str, list[Any]]:
    """The statement, with its parameters, that yields (sensor, level, time, count, low, high, mean, first, last).

    One row for each bucket and span; `insert` makes it the source of an INSERT. Nothing before 1970 is counted.
    """
    words = {name: text.format(level=level) for name, text in _WORDS[connection.vendor].items()}
    since = [max(0, one[1]) for one in spans]
    until = [min(FOREVER[1], FOREVER[1] if one[2] is None else one[2]) for one in spans]
    bounds = [_moment(min(since)), _moment(max(until))]
    rows = ", ".join(["(%s, %s, %s)"] * len(spans))
    text = _TEXT.format(rows=rows, insert=insert, level=level, shrink=repr(SHRINK), grow=repr(1 / SHRINK), **words)
    parameters: list[Any] = []
    for (sensor, *_), begin, end in zip(spans, since, until, strict=True):
        parameters += [sensor, _moment(begin), _moment(end)]
    return text, [*parameters, *bounds, *bounds, *bounds]


def _moment(moment: int) -> Any:
    """As the database keeps the times of readings."""
    return from_us(moment) if connection.vendor == "postgresql" else moment
