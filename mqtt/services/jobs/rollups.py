"""Rollups follow the readings: each hour is rolled up when it is over, and again when something comes late.

What has to be done stands in the database, written in the transaction of the readings themselves: a sensor's
`unrolled_us` (from then on nothing is rolled up) and `RollupDue` (hours far behind its newest). A round locks
those rows first, so that a batch that stores at the same moment is either seen or marks them again behind us.
Killed at any moment, a round leaves everything as it was. Readers fill in what is not rolled up yet.

An hour is always made from all its readings, and a bucket is replaced only by one of more readings: what was
stored twice counts once, and rollups outlive the readings that retention deletes.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from mqtt.buckets import DAY, FINE, HOUR, floor, least_count
from mqtt.models import Reading, Rollup, RollupDue, SensorState, from_us, to_us
from mqtt.services.history.aggregate import SHRINK, SpanUs, bucket_query

BUDGET = 3.0
"""Seconds of one round; what is left waits for the next."""
SENSORS_AT_ONCE = 20
HOURS_AT_ONCE = 50
READINGS_AT_ONCE = 20_000
"""A transaction stays far below 200 ms: SQLite has one writer. Long stretches are taken sensor by sensor, cut."""
PAUSE = 0.01
GRACE = timedelta(minutes=2)
"""After a full hour, for what is on its way."""
FAST_AFTER = timedelta(minutes=5)
FAST = 600
"""Sensors with so many readings an hour are rolled up before their hour is over, for the sake of who reads them."""
HOUR_US = HOUR * 1_000_000

_REPLACE = """
ON CONFLICT (sensor_id, level, time) DO UPDATE SET count = excluded.count, low = excluded.low, high = excluded.high,
    mean = excluded.mean, first = excluded.first, last = excluded.last
WHERE excluded.count > mqtt_rollup.count
RETURNING sensor_id, time, count
"""
_INSERT = "INSERT INTO mqtt_rollup (sensor_id, level, time, count, low, high, mean, first, last)"
_DAYS = f"""
WITH wanted (sensor_id, day) AS (VALUES {{rows}})
{_INSERT}
SELECT g.sensor_id, {DAY}, g.day, g.count, g.low, g.high,
    {{most}}(g.low * {SHRINK!r}, {{fewest}}(g.high * {SHRINK!r}, g.mean)) * {1 / SHRINK!r},
    (SELECT x.first FROM mqtt_rollup x WHERE x.sensor_id = g.sensor_id AND x.level = {HOUR} AND x.time = g.began),
    (SELECT x.last FROM mqtt_rollup x WHERE x.sensor_id = g.sensor_id AND x.level = {HOUR} AND x.time = g.ended)
FROM (
    SELECT h.sensor_id, wanted.day, sum(h.count) AS count, min(h.low) AS low, max(h.high) AS high,
        sum(h.mean * {SHRINK!r} * h.count) / sum(h.count) AS mean, min(h.time) AS began, max(h.time) AS ended
    FROM wanted CROSS JOIN mqtt_rollup h
    WHERE h.sensor_id = wanted.sensor_id AND h.level = {HOUR} AND h.time >= wanted.day AND h.time < wanted.day + {DAY}
    GROUP BY h.sensor_id, wanted.day
) g WHERE true
"""  # noqa: S608 - constants


def roll_up(now: datetime) -> int:
    """One round: late hours, then sensors whose hour is over. Returns how many hours and sensors were done."""
    done = _roll_late(time.monotonic() + BUDGET / 2)  # however much came late, the hours just over get their turn
    waiting = SensorState.objects.filter(unrolled_us__lt=_hour_us(now - GRACE))
    return done + _roll_sensors(waiting, now, time.monotonic() + BUDGET / 2)


def roll_up_fast(now: datetime) -> int:
    """Sensors that say much in an hour, and those that had none yet to show it, a part of the hour at a time."""
    hour_before = _hour_us(now) // 1_000_000 - HOUR
    fast = Rollup.objects.filter(level=HOUR, time=hour_before, count__gte=FAST).values("sensor_id")
    fresh = Q(sensor__created_at__gte=from_us(hour_before * 1_000_000))
    waiting = SensorState.objects.filter(Q(pk__in=fast) | fresh, unrolled_us__lt=to_us(now - FAST_AFTER))
    return _roll_sensors(waiting, now, time.monotonic() + BUDGET)


def roll_up_due(tell: Callable[[int], None]) -> int:
    """All hours that got something late, for example by an import; `tell` hears how many are done. Returns them all."""
    done = 0
    while count := _roll_due_hours():
        done += count
        tell(done)
        time.sleep(PAUSE)
    return done


def roll_up_again(sensor_ids: Iterable[int]) -> None:
    """Let the next rounds go through all readings of these sensors, for example after a merge."""
    SensorState.objects.filter(pk__in=list(sensor_ids)).update(unrolled_us=0)


def roll_up_days(sensor_id: int) -> None:
    """Make the days of a sensor from its hours again, after it got the rollups of another."""
    hours = Rollup.objects.filter(sensor_id=sensor_id, level=HOUR).order_by("time").values_list("time", flat=True)
    days = sorted({floor(at, DAY) for at in hours})
    for first in range(0, len(days), HOURS_AT_ONCE):
        _insert_days([(sensor_id, day) for day in days[first : first + HOURS_AT_ONCE]])


def _hour_us(moment: datetime) -> int:
    return to_us(moment) // HOUR_US * HOUR_US


def _roll_late(end: float) -> int:
    done = 0
    while time.monotonic() < end and (count := _roll_due_hours()):
        done += count
        time.sleep(PAUSE)
    return done


def _roll_due_hours() -> int:
    """Some hours that got something late, the oldest first."""
    with transaction.atomic():
        due = RollupDue.objects.select_for_update(skip_locked=True).order_by("hour", "sensor_id")
        found = list(due.values_list("sensor_id", "hour")[:HOURS_AT_ONCE])
        if found:
            _make([(sensor, hour * 1_000_000, hour * 1_000_000 + HOUR_US) for sensor, hour in found])
            RollupDue.objects.filter(pk__in=found).delete()
    return len(found)


def _roll_sensors(waiting: QuerySet[SensorState], now: datetime, end: float) -> int:
    """Sensors from where they are rolled up to; who is far behind waits for the others."""
    recent = _hour_us(now) - HOUR_US
    rows = list(waiting.order_by("pk").values_list("pk", "unrolled_us"))
    near = [pk for pk, unrolled in rows if unrolled is not None and unrolled >= recent]
    turns = deque(near[at : at + SENSORS_AT_ONCE] for at in range(0, len(near), SENSORS_AT_ONCE))
    turns.extend([pk] for pk, unrolled in rows if unrolled is not None and unrolled < recent)
    done = 0
    while turns and time.monotonic() < end:
        sensor_ids = turns.popleft()
        turns.extend([pk] for pk in _roll_some(sensor_ids))
        done += len(sensor_ids)
        time.sleep(PAUSE)
    return done


def _roll_some(sensor_ids: list[int]) -> list[int]:
    """Roll up some sensors, at most READINGS_AT_ONCE of each; returns those that have more."""
    spans: list[SpanUs] = []
    with transaction.atomic():
        # Without waiting for a batch that holds some of them: it might wait for others that we hold.
        states = SensorState.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")
        found = states.filter(pk__in=sensor_ids, unrolled_us__isnull=False).values_list("pk", "unrolled_us")
        for sensor, unrolled in found:
            since = max(0, unrolled or 0) // HOUR_US * HOUR_US
            spans.append((sensor, since, _end_of_part(sensor, since)))
        if spans:
            _make(spans)
        SensorState.objects.filter(pk__in=[one[0] for one in spans if one[2] is None]).update(unrolled_us=None)
        for sensor, _, until in spans:
            if until is not None:
                SensorState.objects.filter(pk=sensor).update(unrolled_us=until)
    return [sensor for sensor, _, until in spans if until is not None]


def _end_of_part(sensor: int, since: int) -> int | None:
    """Where a long stretch is cut, at a full hour; None: it is short enough."""
    readings = Reading.objects.filter(sensor_id=sensor, time__gte=from_us(since)).order_by("time")
    behind = readings.values_list("time", flat=True)[READINGS_AT_ONCE:][:1].first()
    return None if behind is None else max(to_us(behind) // HOUR_US * HOUR_US, since + HOUR_US)


def _make(spans: Sequence[SpanUs]) -> None:
    """Make the rollups of whole hours anew, where there is more than they hold."""
    hours = _insert(HOUR, spans)
    for level in FINE:
        enough = [
            (s, at * 1_000_000, at * 1_000_000 + HOUR_US) for s, at, count in hours if count >= least_count(level)
        ]
        for first in range(0, len(enough), HOURS_AT_ONCE):
            _insert(level, enough[first : first + HOURS_AT_ONCE])
    days = sorted({(sensor, floor(at, DAY)) for sensor, at, _ in hours})
    for first in range(0, len(days), HOURS_AT_ONCE):
        _insert_days(days[first : first + HOURS_AT_ONCE])


def _insert(level: int, spans: Sequence[SpanUs]) -> list[tuple[int, int, int]]:
    """(sensor, time, count) of the buckets that are new or grew."""
    statement, parameters = bucket_query(level, spans, _INSERT)
    with connection.cursor() as cursor:
        cursor.execute(statement + " WHERE true " + _REPLACE, parameters)
        return [(sensor, at, count) for sensor, at, count in cursor.fetchall()]


def _insert_days(days: Sequence[tuple[int, int]]) -> None:
    most, fewest = ("max", "min") if connection.vendor == "sqlite" else ("greatest", "least")
    statement = _DAYS.format(rows=", ".join(["(%s, %s)"] * len(days)), most=most, fewest=fewest) + _REPLACE
    with connection.cursor() as cursor:
        cursor.execute(statement, [part for day in days for part in day])
