"""History made by SQL inside the database, because 100 million readings cannot be sent in the time of a bench."""

import time
from datetime import UTC, datetime, timedelta

from benchmarks.stores import Store

YEAR = 365 * 86400
CHUNK = 1_000_000
"""Readings of one statement."""
VALUE = "20.0 + (i - i / 86400 * 86400) / 8640.0"
SQLITE_READINGS = f"""
WITH RECURSIVE n(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, flags)
SELECT %s, %s + i * %s, i, %s + i * %s, {VALUE}, 1 FROM n
"""  # noqa: S608 - constants
SQLITE_ROLLUPS = f"""
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)
INSERT INTO mqtt_rollup (sensor_id, level, time, count, low, high, mean, first, last)
SELECT %s, %s, %s + i * %s, %s, {VALUE} - 1, {VALUE} + 1, {VALUE}, {VALUE}, {VALUE} FROM n
"""  # noqa: S608 - constants
POSTGRESQL_READINGS = f"""
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, flags)
SELECT %s, t, i, t, {VALUE}, 1 FROM (
    SELECT i, 'epoch'::timestamptz + (%s + i * %s) * interval '1 microsecond' AS t
    FROM generate_series(%s::bigint, %s::bigint - 1) AS i
) made
"""  # noqa: S608 - constants
POSTGRESQL_ROLLUPS = f"""
INSERT INTO mqtt_rollup (sensor_id, level, time, count, low, high, mean, first, last)
SELECT %s, %s, %s + i * %s, %s, {VALUE} - 1, {VALUE} + 1, {VALUE}, {VALUE}, {VALUE}
FROM generate_series(0, %s::bigint - 1) AS i
"""  # noqa: S608 - constants


def add_readings(store: Store, sensor: int, count: int, step: int) -> float:
    """`count` readings of a sensor until an hour ago, one each `step` seconds; returns the seconds that it took."""
    begun, begin, step_us = time.monotonic(), _begin(count, step) * 1_000_000, step * 1_000_000
    for first in range(0, count, CHUNK):
        until = min(count, first + CHUNK)
        if store.kind == "SQLite":
            store.run(SQLITE_READINGS, first, until, sensor, begin, step_us, begin, step_us)
        else:
            store.run(POSTGRESQL_READINGS, sensor, begin, step_us, first, until)
    return time.monotonic() - begun


def add_rollups(store: Store, sensor: int, count: int, step: int) -> None:
    """The rollups that so many readings have, as if they had been made from them."""
    begin = _begin(count, step)
    for level in (10, 60, 300, 3600, 86400):
        start, rows = begin // level * level, max(1, count * step // level)
        each = max(1, level // step)
        if store.kind == "SQLite":
            store.run(SQLITE_ROLLUPS, rows, sensor, level, start, level, each)
        else:
            store.run(POSTGRESQL_ROLLUPS, sensor, level, start, level, each, rows)


def add_partitions(store: Store, days: int) -> None:
    """PostgreSQL: the days of the history, as the mqtt process would have made them."""
    if store.kind == "SQLite":
        return
    today = datetime.now(UTC).date()
    for back in range(days + 1, -2, -1):
        day = today - timedelta(days=back)
        name = f"mqtt_reading_{day:%Y%m%d}"
        store.run(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF mqtt_reading "
            f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
        )


def _begin(count: int, step: int) -> int:
    """When a history begins that ends an hour ago, in seconds since 1970, at a full hour."""
    return (int(time.time()) - 3600 - count * step) // 3600 * 3600
