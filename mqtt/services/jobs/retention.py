"""Deleting history: what is older than is kept, and that of sensors that are gone. Always in short transactions.

Readings go only after they are rolled up. On PostgreSQL a day that is past for all sensors is dropped whole; the rest
goes in chunks, sensor by sensor. Fine rollups go before the hourly ones: the older a chart, the wider its points.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet

from mqtt.buckets import HOUR, LEVELS
from mqtt.models import Reading, Rollup, RollupDue, SensorDevice, SensorState, from_us, to_us
from mqtt.models.retention import with_retention
from mqtt.services import clock
from mqtt.services.deletion import erase_history, in_short_transactions
from mqtt.services.jobs import partitions
from mqtt.services.jobs.device_tasks import sensors_in_work

CHUNK = 5000
PAUSE = 0.01
"""Between transactions, so that the pipeline gets its turn on SQLite."""
SENSORS_AT_ONCE = 1000
AT_ONCE = 500
"""Rows of one VALUES."""
FINE_DAYS = {10: 365, 60: 730, 300: 1826}
"""How long rollups finer than an hour are kept at most."""
DAY_SECONDS = 86400

Tell = Callable[[int, int], None]
"""Called with how many sensors are done, of how many."""


@dataclass
class Pruned:
    """What went, or would go."""

    readings: int = 0
    rollups: int = 0

    @property
    def total(self) -> int:
        """Rows of both."""
        return self.readings + self.rollups


class RetentionSweep:
    """Deletes what is older than its sensor's retention, some sensors at a time, and goes on where it stopped."""

    def __init__(self) -> None:
        self._after = 0

    def run(
        self, now: datetime, seconds: float = float("inf"), *, dry_run: bool = False, tell: Tell | None = None
    ) -> Pruned:
        """Go on for about so long, at most once through all sensors. Raises what the database raises."""
        end, pruned = time.monotonic() + seconds, Pruned()
        sensors = with_retention(SensorDevice.objects.order_by("pk"))
        if not self._after and not dry_run:
            pruned.readings += _drop_days(now, sensors)
        total, done = sensors.count() if tell else 0, 0
        while rows := list(
            sensors.filter(pk__gt=self._after).values_list("pk", "raw_days", "rollup_days")[:SENSORS_AT_ONCE]
        ):
            for pk, level, until in _past(now, rows):
                _prune_one(pk, level, until, pruned, end, dry_run=dry_run)
                if time.monotonic() >= end:
                    self._after = pk - 1
                    return pruned
            self._after, done = rows[-1][0], done + len(rows)
            if tell:
                tell(done, total)
            if time.monotonic() >= end:
                return pruned
        self._after = 0
        return pruned


def _past(now: datetime, rows: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(sensor, level, until) of what some sensors have too much; level 0: readings, until in µs, else in seconds."""
    now_us = to_us(now)
    pks = [row[0] for row in rows]
    unrolled = dict(SensorState.objects.filter(pk__in=pks, unrolled_us__isnull=False).values_list("pk", "unrolled_us"))
    late = RollupDue.objects.filter(sensor_id__in=pks).order_by().values_list("sensor_id").annotate(least=Min("hour"))
    due = {pk: least * 1_000_000 for pk, least in late}
    raw, rolled = [], []
    for pk, raw_days, rollup_days in rows:
        behind = min(unrolled.get(pk, now_us) or 0, due.get(pk, now_us)) // (HOUR * 1_000_000) * HOUR * 1_000_000
        until = min(now_us - raw_days * DAY_SECONDS * 1_000_000, behind)
        raw.append((pk, 0, until))
        for level in LEVELS:
            days = min(rollup_days, FINE_DAYS.get(level, rollup_days))
            rolled.append((pk, level, now_us // 1_000_000 - days * DAY_SECONDS))
    return sorted(_having("mqtt_reading", raw) + _having("mqtt_rollup", rolled))


def _having(table: str, wanted: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Those of (sensor, level, until) that have something before `until`: one step of the index each."""
    is_reading = table == "mqtt_reading"
    as_moment = is_reading and connection.vendor == "postgresql"
    level = "" if is_reading else "AND x.level = w.level"
    found = []
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        marks = ", ".join(["(%s, %s, %s)"] * len(some))
        parameters = [one for pk, at, until in some for one in (pk, at, from_us(until) if as_moment else until)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH w (sensor_id, level, until) AS (VALUES {marks}) SELECT * FROM w "  # noqa: S608 - our own names
                f"WHERE EXISTS (SELECT 1 FROM {table} x WHERE x.sensor_id = w.sensor_id {level} AND x.time < w.until)",
                parameters,
            )
            found += [(pk, at, to_us(until) if as_moment else until) for pk, at, until in cursor.fetchall()]
    return found


def _prune_one(pk: int, level: int, until: int, pruned: Pruned, end: float, *, dry_run: bool) -> None:
    rows: QuerySet[Any] = Rollup.objects.filter(sensor_id=pk, level=level, time__lt=until)
    if not level:
        rows = Reading.objects.filter(sensor_id=pk, time__lt=from_us(until))
    count = rows.order_by().count() if dry_run else _delete(rows, end)
    if level:
        pruned.rollups += count
    else:
        pruned.readings += count


def _drop_days(now: datetime, sensors: QuerySet[Any]) -> int:
    """PostgreSQL: days that are past for every sensor, and rolled up; a day in which something is due waits."""
    if connection.vendor != "postgresql":
        return 0
    longest = sensors.order_by().aggregate(most=Max("raw_days"))["most"]
    if longest is None:
        return 0
    until = now - timedelta(days=longest)
    waiting = SensorState.objects.filter(unrolled_us__lt=to_us(until)).exists()
    if waiting or RollupDue.objects.filter(hour__lt=to_us(until) // 1_000_000).exists():
        return 0
    return sum(partitions.drop_before(until).values())


def count_before(moment: datetime) -> int:
    """How many readings are older."""
    return sum(Reading.objects.filter(sensor_id=pk, time__lt=moment).count() for pk in sensor_ids())


def prune(moment: datetime, *, despite_clock: bool = False) -> int:
    """Delete readings older than a moment, whatever is set: whole days on PostgreSQL, the rest in chunks.

    Raises ServiceError while this computer's clock looks wrong, unless `despite_clock`.
    """
    if not despite_clock:
        clock.insist()
    deleted = 0
    if connection.vendor == "postgresql":
        deleted += sum(partitions.drop_before(moment).values())
    for sensor_id in list(sensor_ids()):
        deleted += _delete(Reading.objects.filter(sensor_id=sensor_id, time__lt=moment))
    return deleted


def _delete(rows: QuerySet[Any], end: float = float("inf")) -> int:
    """Delete a sensor's rows, some thousand a transaction, the oldest first, until it is time to stop."""
    deleted = 0
    while True:
        with transaction.atomic():
            until = rows.order_by("time").values_list("time", flat=True)[CHUNK:][:1].first()
            part = rows if until is None else rows.filter(time__lt=until)
            count, _ = part.delete()
            if until is not None and not count:  # more than a chunk at one instant
                count, _ = rows.filter(time=until).delete()
        deleted += count
        if until is None or time.monotonic() >= end:
            return deleted
        time.sleep(PAUSE)


_SENSORS_WITH = """
WITH RECURSIVE found (id, place) AS (
    SELECT (SELECT min(sensor_id) FROM {table} WHERE sensor_id > %s), 1
    UNION ALL
    SELECT (SELECT min(sensor_id) FROM {table} WHERE sensor_id > found.id), place + 1
    FROM found WHERE found.id IS NOT NULL AND place < %s
)
SELECT id FROM found WHERE id IS NOT NULL ORDER BY id
"""


def sensor_ids(after: int = 0, model: type[Reading | Rollup] = Reading) -> Iterator[int]:
    """The sensors that have readings, or rollups, one index step each, many in one statement."""
    statement = _SENSORS_WITH.format(table="mqtt_reading" if model is Reading else "mqtt_rollup")
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [after, SENSORS_AT_ONCE])
            found = [pk for (pk,) in cursor.fetchall()]
        yield from found
        if len(found) < SENSORS_AT_ONCE:
            return
        after = found[-1]


class OrphanSweep:
    """Deletes the history of deleted sensors, some sensors a round, and goes on where it stopped."""

    def __init__(self) -> None:
        self._after: dict[type[Reading | Rollup], int] = {Reading: 0, Rollup: 0}

    def step(self) -> int:
        """One round; returns of how many sensors something was deleted."""
        gone: set[int] = set()
        for model, after in self._after.items():
            round_ids = list(islice(sensor_ids(after, model), SENSORS_AT_ONCE))
            self._after[model] = round_ids[-1] if len(round_ids) == SENSORS_AT_ONCE else 0
            gone |= set(round_ids) - set(SensorDevice.objects.filter(pk__in=round_ids).values_list("pk", flat=True))
        gone -= sensors_in_work() if gone else set()
        for sensor_id in gone:
            in_short_transactions(erase_history([sensor_id]))
        return len(gone)
