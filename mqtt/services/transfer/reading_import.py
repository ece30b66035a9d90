"""Readings out of a file into the history: those that are there already are there once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from django.db import connection, transaction
from django.db.models import QuerySet

from mqtt.buckets import HOUR, floor
from mqtt.models import SensorDevice, from_us, to_us
from mqtt.services.jobs import partitions
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.reading_store import ReadingRows, insert_readings, mark_hours
from mqtt.services.transfer.reading_files import Line, Refusal

BATCH = 5_000
MOST_REFUSALS = 20
OLDEST_PARTITION = timedelta(days=3660)

Tell = Callable[[int], None]


@dataclass
class Outcome:
    """What an import did, or would do."""

    new: int = 0
    known: int = 0
    """Were stored already."""
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    """The first of them."""

    def refuse(self, number: int, why: str) -> None:
        """Count a line that was left out."""
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS:
            self.refusals.append(Refusal(number, why))


def import_readings(found: Iterable[Line | Refusal], *, dry_run: bool, tell: Tell) -> Outcome:
    """Store what a file holds, some thousand lines a transaction. Latest values stay what the devices said last."""
    outcome, iterator = Outcome(), iter(found)
    while batch := list(islice(iterator, BATCH)):
        _store(batch, outcome, dry_run=dry_run)
        tell(outcome.new + outcome.known + outcome.refused)
    return outcome


def _store(batch: list[Line | Refusal], outcome: Outcome, *, dry_run: bool) -> None:
    now, rows, writes = to_us(datetime.now(UTC)), ReadingRows(), Writes()
    for line, sensor in _with_sensors(batch, outcome):
        rows.sensors.append(sensor)
        rows.times.append(line.time_us)
        rows.received.append(now if line.received_us is None else line.received_us)
        rows.values.append(line.value)
        rows.texts.append(line.text)
        rows.flags.append(line.flags)
    if not len(rows):
        return
    with transaction.atomic():
        _make_partitions(rows)
        insert_readings(writes, rows)
        mark_hours(writes, _hours(rows))
        writes.run()
        transaction.set_rollback(dry_run)
    outcome.new += writes.counted
    outcome.known += len(rows) - writes.counted


def _hours(rows: ReadingRows) -> set[tuple[int, int]]:
    """The hours of the numbers among them, which have to be rolled up."""
    columns = zip(rows.sensors, rows.times, rows.values, strict=True)
    return {(sensor, floor(at // 1_000_000, HOUR)) for sensor, at, value in columns if value is not None and at >= 0}


def _with_sensors(batch: list[Line | Refusal], outcome: Outcome) -> Iterator[tuple[Line, int]]:
    """The lines whose sensor exists, with its key."""
    lines = [line for line in batch if isinstance(line, Line)]
    for refusal in batch:
        if isinstance(refusal, Refusal):
            outcome.refuse(refusal.number, refusal.why)
    wanted = {line.sensor for line in lines if line.sensor is not None}
    known = set(SensorDevice.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    names = {(line.connection, line.key) for line in lines if line.sensor is None}
    by_name = {(owner, key): pk for owner, key, pk in _named(names).values_list("connection__name", "key", "pk")}
    for line in lines:
        if line.sensor is not None:
            sensor = line.sensor if line.sensor in known else None
        else:
            sensor = by_name.get((line.connection, line.key))
        if sensor is None:
            who = line.sensor if line.sensor is not None else f"{line.key!r} on {line.connection!r}"
            outcome.refuse(line.number, f"there is no sensor {who}")
        else:
            yield line, sensor


def _named(names: set[tuple[str, str]]) -> QuerySet[SensorDevice]:
    return SensorDevice.objects.filter(
        connection__name__in={owner for owner, _ in names}, key__in={key for _, key in names}
    )


def _make_partitions(rows: ReadingRows) -> None:
    """History of days that had none here lies in partitions of its own, as if it had arrived then."""
    if connection.vendor != "postgresql":
        return
    today = datetime.now(UTC).date()
    days: Counter[date] = Counter(from_us(moment).date() for moment in rows.times)
    there = partitions.existing()
    for day in sorted(days):
        if day not in there and today - OLDEST_PARTITION < day <= today + timedelta(days=partitions.DAYS_AHEAD):
            partitions.create(day)
