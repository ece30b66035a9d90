"""Deleting readings: the old ones, and those whose sensor is gone. Always in short transactions."""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.models import Min

from mqtt.models import Reading, Rollup, SensorDevice
from mqtt.services import clock, partitions
from mqtt.services.deletion import erase_history, in_short_transactions
from mqtt.services.device_tasks import sensors_in_work

CHUNK = 5000
PAUSE = 0.01
"""Between transactions, so that the pipeline gets its turn on SQLite."""
SENSORS_AT_ONCE = 1000


def count_before(moment: datetime) -> int:
    """How many readings are older."""
    return sum(Reading.objects.filter(sensor_id=pk, time__lt=moment).count() for pk in sensor_ids())


def prune(moment: datetime, *, despite_clock: bool = False) -> int:
    """Delete readings older than a moment: whole partitions on PostgreSQL, the rest in chunks.

    Raises ServiceError while this computer's clock looks wrong, unless `despite_clock`.
    """
    if not despite_clock:
        clock.insist()
    deleted = 0
    if connection.vendor == "postgresql":
        deleted += sum(partitions.drop_before(moment).values())
    for sensor_id in list(sensor_ids()):
        deleted += delete_of(sensor_id, moment)
    return deleted


def delete_of(sensor_id: int, before: datetime | None = None) -> int:
    """Delete a sensor's readings, all or those before a moment."""
    deleted = 0
    readings = Reading.objects.filter(sensor_id=sensor_id)
    if before is not None:
        readings = readings.filter(time__lt=before)
    while True:
        with transaction.atomic():
            until = readings.order_by("time").values_list("time", flat=True)[CHUNK:][:1].first()
            part = readings if until is None else readings.filter(time__lt=until)
            count, _ = part.delete()
            if until is not None and not count:  # more than a chunk at one instant
                count, _ = readings.filter(time=until).delete()
        deleted += count
        if until is None:
            return deleted
        time.sleep(PAUSE)


def sensor_ids(after: int = 0, model: type[Reading | Rollup] = Reading) -> Iterator[int]:
    """The sensors that have readings, or rollups, one index step each."""
    found: int | None = after
    while found is not None:
        found = model.objects.filter(sensor_id__gt=found).aggregate(least=Min("sensor_id"))["least"]
        if found is not None:
            yield found


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
