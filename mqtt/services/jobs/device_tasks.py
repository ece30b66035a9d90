"""Readings of merged and deleted devices: moved or erased in short transactions, going on where it stopped.

The devices themselves are gone already; what is left to do are the readings that still stand under their ids.
"""

import logging
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from mqtt.buckets import LEVELS
from mqtt.enums import DeviceWork, TaskState
from mqtt.events import AvailabilityChanged
from mqtt.models import DeviceTask, Reading, Rollup, RollupDue
from mqtt.services.broadcast import broadcast_event
from mqtt.services.deletion import erase_history, in_short_transactions
from mqtt.services.jobs.rollups import roll_up_again, roll_up_days

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 2000
SENSORS_AT_ONCE = 200
UNFINISHED = (TaskState.QUEUED, TaskState.RUNNING)

_MOVE = {
    Reading: """
UPDATE mqtt_reading SET sensor_id = %s WHERE sensor_id = %s AND time {bound} AND NOT EXISTS (
    SELECT 1 FROM mqtt_reading other WHERE other.sensor_id = %s AND other.time = mqtt_reading.time)
""",
    Rollup: """
UPDATE mqtt_rollup SET sensor_id = %s WHERE sensor_id = %s AND level = {level} AND time {bound} AND NOT EXISTS (
    SELECT 1 FROM mqtt_rollup other WHERE other.sensor_id = %s AND other.level = {level}
    AND other.time = mqtt_rollup.time)
""",
}
"""Of two readings of one instant that of the device that stays is kept."""


def unfinished() -> QuerySet[DeviceTask]:
    """What waits or is being done, the first first."""
    return DeviceTask.objects.filter(state__in=UNFINISHED, connection__deleted_at=None).order_by("pk")


def sensors_in_work() -> set[int]:
    """The ids whose readings somebody is busy with, although their sensors are gone."""
    tasks = DeviceTask.objects.filter(state__in=UNFINISHED, work=DeviceWork.MERGE)
    return {pair[0] for pairs in tasks.values_list("sensors", flat=True) for pair in pairs}


def go_on(seconds: float) -> int:
    """Go on for about so long; returns how many readings were moved or erased. Raises what the database raises."""
    end = time.monotonic() + seconds
    amount = 0
    for task in unfinished():
        if task.state == TaskState.QUEUED:
            task.total = _count(task)
            DeviceTask.objects.filter(pk=task.pk).update(state=TaskState.RUNNING, total=task.total)
        slices = _moved(task.sensors) if task.work == DeviceWork.MERGE else _erased(task.sensors)
        done, is_done = in_short_transactions(slices, end)
        amount += done
        task.done += done
        values: dict[str, Any] = {"done": task.done}
        if is_done:
            values |= {"state": TaskState.DONE, "finished_at": timezone.now()}
            logger.info("The readings of %s are settled: %s rows.", task.label, task.done)
        DeviceTask.objects.filter(pk=task.pk).update(**values)
        _tell(task)
        if time.monotonic() >= end:
            break
    return amount


def _ids(task: DeviceTask) -> list[int]:
    return [one[0] for one in task.sensors] if task.work == DeviceWork.MERGE else list(task.sensors)


def _count(task: DeviceTask) -> int:
    ids = _ids(task)
    starts = range(0, len(ids), SENSORS_AT_ONCE)
    return sum(Reading.objects.filter(sensor_id__in=ids[at : at + SENSORS_AT_ONCE]).count() for at in starts)


def _tell(task: DeviceTask) -> None:
    if task.work == DeviceWork.MERGE:
        event = AvailabilityChanged(connection_id=task.connection_id)
        event.add(task.kind, [task.object_id])
        transaction.on_commit(partial(broadcast_event, event))


def _erased(ids: list[int]) -> Iterator[int]:
    for at in range(0, len(ids), SENSORS_AT_ONCE):
        yield from erase_history(ids[at : at + SENSORS_AT_ONCE])


def _moved(pairs: list[list[int]]) -> Iterator[int]:
    for source, target in pairs:
        RollupDue.objects.filter(sensor_id=source).delete()
        readings = Reading.objects.filter(sensor_id=source)
        rollups = Rollup.objects.filter(sensor_id=source)
        if not readings.exists() and not rollups.exists():
            continue
        yield from _move(Reading, readings, source, target)
        for level in LEVELS:
            for _ in _move(Rollup, rollups.filter(level=level), source, target, level):
                yield 0
        roll_up_days(target)
        roll_up_again([target])


def _move(model: Any, rows: QuerySet[Any], source: int, target: int, level: int = 0) -> Iterator[int]:
    """Some rows a step, the oldest first; what the target has already is dropped."""
    while True:
        until = rows.order_by("time").values_list("time", flat=True)[ROWS_AT_ONCE:][:1].first()
        if until is None:
            last = rows.order_by("-time").values_list("time", flat=True).first()
            if last is not None:
                yield _step(model, rows.filter(time__lte=last), source, target, level, "<=", last)
            return
        earlier = rows.filter(time__lt=until)
        if earlier.exists():
            yield _step(model, earlier, source, target, level, "<", until)
        else:  # more than a step at one instant
            yield _step(model, rows.filter(time=until), source, target, level, "=", until)


def _step(model: Any, rows: QuerySet[Any], source: int, target: int, level: int, sign: str, bound: Any) -> int:
    value = model._meta.get_field("time").get_db_prep_value(bound, connection)  # noqa: SLF001 - public by its docs
    with connection.cursor() as cursor:
        cursor.execute(_MOVE[model].format(level=level, bound=f"{sign} %s"), [target, source, value, target])
        moved = cursor.rowcount
    return int(moved) + rows.delete()[0]
