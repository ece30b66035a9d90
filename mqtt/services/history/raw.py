"""Pages of raw readings, newest first, of one sensor or of all sensors of a datalogger.

Written as SQL because the readings of many sensors have to be merged: for each sensor the database walks its
own index from the newest on and stops after one page, so the cost grows with sensors and page, never with history.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from mqtt.models import from_us, to_us
from mqtt.services.history.aggregate import FOREVER

POSTGRESQL = """
SELECT r.sensor_id, r.time, r.digest, r.received_at, r.value, r.text, r.flags
FROM mqtt_sensordevice s
CROSS JOIN LATERAL (
  SELECT * FROM mqtt_reading x
  WHERE x.sensor_id = s.id AND x.time >= %(start)s AND x.time <= %(until)s
    AND (x.time < %(until)s OR (x.sensor_id, x.digest) < (%(sensor)s, %(digest)s))
  ORDER BY x.time DESC, x.digest DESC LIMIT %(limit)s
) r
WHERE s.{column} = %(owner)s
ORDER BY r.time DESC, r.sensor_id DESC, r.digest DESC LIMIT %(limit)s
"""

SQLITE = """
SELECT r.sensor_id, r.time, r.digest, r.received_at, r.value, r.text, r.flags
FROM mqtt_sensordevice s CROSS JOIN mqtt_reading r
WHERE s.{column} = %(owner)s AND r.sensor_id = s.id AND r.time <= %(until)s
  AND r.time >= COALESCE((
    SELECT x.time FROM mqtt_reading x
    WHERE x.sensor_id = s.id AND x.time >= %(start)s AND x.time <= %(until)s
      AND (x.time < %(until)s OR (x.sensor_id, x.digest) < (%(sensor)s, %(digest)s))
    ORDER BY x.time DESC, x.digest DESC LIMIT 1 OFFSET %(limit)s - 1
  ), %(start)s)
  AND (r.time < %(until)s OR (r.sensor_id, r.digest) < (%(sensor)s, %(digest)s))
ORDER BY r.time DESC, r.sensor_id DESC, r.digest DESC LIMIT %(limit)s
"""

BEYOND = 2**63 - 1
WINDOWS = (2 * 86400 * 1_000_000, 64 * 86400 * 1_000_000)
"""Microseconds before the newest that is asked for, tried one after the other."""

ONE_SENSOR = """
SELECT sensor_id, {time}, digest, {received_at}, value, text, flags FROM mqtt_reading
WHERE sensor_id = %s AND time >= %s AND time <= %s AND (time, digest) < (%s, %s)
ORDER BY mqtt_reading.time DESC, digest DESC LIMIT %s
"""
AS_US = {"sqlite": "{0}", "postgresql": "(extract(epoch FROM {0}) * 1000000)::bigint"}

HistoryTuple = tuple[int, int, int, int, float | None, str | None, int]
"""The fields of a HistoryRow with times in microseconds since 1970, for who reads a million of them."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One stored reading; times in UTC. Exactly one of `value` and `text` is set."""

    sensor_id: int
    time: datetime
    digest: int
    received_at: datetime
    value: float | None
    text: str | None
    flags: int


def readings(
    column: Literal["id", "datalogger_id"],
    owner: int,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    behind: tuple[int, int, int] | None = None,
    limit: int,
) -> list[HistoryRow]:
    """At most `limit` readings from `start_us` to `end_us`, both included; `behind` is (time, sensor, digest)."""
    start = FOREVER[0] if start_us is None else start_us
    until, sensor, digest = FOREVER[1] if end_us is None else end_us, BEYOND, BEYOND
    if behind and behind[0] <= until:
        until, sensor, digest = behind
    if start > until:
        return []
    is_postgresql = connection.vendor == "postgresql"
    statement = (POSTGRESQL if is_postgresql else SQLITE).format(column=column)
    names: dict[str, Any] = {"owner": owner, "sensor": sensor, "digest": digest, "limit": limit}
    first, last = max(start, FOREVER[0]), min(max(until, FOREVER[0]), FOREVER[1])

    def read(since: int) -> list[Any]:
        bounds = {"start": since, "until": last}
        moments = {name: from_us(one) for name, one in bounds.items()} if is_postgresql else bounds
        with connection.cursor() as cursor:
            cursor.execute(statement, names | moments)
            found: list[Any] = cursor.fetchall()
            return found

    return [_row(one) for one in _newest(read, first, last, limit)]


def _newest(read: Callable[[int], list[Any]], first: int, last: int, limit: int) -> list[Any]:
    """What is read from the latest of WINDOWS on that holds enough.

    PostgreSQL plans for each of its days before it reads: a history of a year takes it longer than the reading.
    """
    if connection.vendor == "postgresql":
        behind = min(last, to_us(timezone.now()))
        for since in (behind - window for window in WINDOWS):
            if since > first and len(found := read(since)) >= limit:
                return found
    return read(first)


def readings_of(
    sensor: int, *, start_us: int | None = None, end_us: int | None = None, behind: tuple[int, int] | None, limit: int
) -> list[HistoryTuple]:
    """At most `limit` readings of one sensor, newest first; `behind` is (time, digest) of the last known one."""
    first, last = (
        max(FOREVER[0] if start_us is None else start_us, FOREVER[0]),
        min(FOREVER[1] if end_us is None else end_us, FOREVER[1]),
    )
    until, digest = behind or (last, BEYOND)
    moment = from_us if connection.vendor == "postgresql" else int
    times = {name: AS_US[connection.vendor].format(name) for name in ("time", "received_at")}
    statement = ONE_SENSOR.format(**times)

    def read(since: int) -> list[HistoryTuple]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [sensor, moment(since), moment(until), moment(until), digest, limit])
            found: list[HistoryTuple] = cursor.fetchall()
            return found

    return _newest(read, first, until, limit)


def cursor_of(row: HistoryRow) -> tuple[int, int, int]:
    """What `behind` takes to go on after a row."""
    return to_us(row.time), row.sensor_id, row.digest


def _row(found: Sequence[Any]) -> HistoryRow:
    sensor_id, time, digest, received_at, value, text, flags = found
    if isinstance(time, int):
        time, received_at = from_us(time), from_us(received_at)
    return HistoryRow(sensor_id, time, digest, received_at, value, text, flags)
