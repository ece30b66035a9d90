"""What is older than is kept goes, and nothing before it is rolled up."""

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from mqtt.buckets import DAY, HOUR
from mqtt.enums import IntervalSource
from mqtt.models import (
    ClockMark,
    MqttConnection,
    Reading,
    Rollup,
    RollupDue,
    SensorDevice,
    SensorRhythm,
    SensorState,
    to_us,
)
from mqtt.models.retention import with_retention
from mqtt.services.jobs import partitions, retention, rollups
from mqtt.services.jobs.retention import RetentionSweep
from tests.factories import make_datalogger, make_sensor
from tests.services.test_periodic import store

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def fast() -> SensorDevice:
    """A sensor that speaks every second."""
    sensor = make_sensor()
    SensorRhythm.objects.create(sensor=sensor, interval=1.0, source=IntervalSource.LEARNED)
    return sensor


def kept(sensor: SensorDevice) -> tuple[int, int]:
    found = with_retention(SensorDevice.objects.filter(pk=sensor.pk)).values_list("raw_days", "rollup_days").get()
    return int(found[0]), int(found[1])


def rollup(sensor: SensorDevice, level: int, at: datetime) -> None:
    Rollup.objects.create(
        sensor=sensor, level=level, time=int(at.timestamp()) // level * level, count=1, low=1, high=1, mean=1, first=1,
        last=1,
    )  # fmt: skip


def test_a_sensors_word_counts_before_its_connections_and_that_before_what_is_usual(fast: SensorDevice) -> None:
    slow = make_sensor(make_datalogger(fast.connection))
    assert (kept(slow), kept(fast)) == ((1826, 3652), (90, 3652))
    MqttConnection.objects.filter(pk=fast.connection_id).update(raw_retention_days=10, rollup_retention_days=20)
    assert kept(fast) == kept(slow) == (10, 20)
    SensorDevice.objects.filter(pk=fast.pk).update(raw_retention_days=400)
    assert kept(fast) == (400, 400), "hours are kept as long as the readings that charts show with them"
    SensorDevice.objects.filter(pk=fast.pk).update(raw_retention_days=None, expected_interval=600)
    MqttConnection.objects.filter(pk=fast.connection_id).update(raw_retention_days=None)
    assert kept(fast)[0] == 1826, "what is set by hand counts before what was learned"


def test_readings_and_rollups_go_each_at_their_age(
    fast: SensorDevice, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    slow = make_sensor()
    for sensor in (fast, slow):
        store(sensor, *(now - timedelta(days=days) for days in (1, 89, *range(91, 101), 1800, 1900)))
        for level, days in ((10, 300), (10, 400), (60, 700), (60, 800), (HOUR, 3600), (HOUR, 3700), (DAY, 3700)):
            rollup(sensor, level, now - timedelta(days=days))
    trial = RetentionSweep().run(now, dry_run=True)
    pruned = RetentionSweep().run(now)
    assert (trial.readings, trial.rollups) == (pruned.readings, pruned.rollups) == (13, 8)
    assert (Reading.objects.filter(sensor=fast).count(), Reading.objects.filter(sensor=slow).count()) == (2, 13)
    assert set(Rollup.objects.filter(sensor=fast).values_list("level", flat=True)) == {10, 60, HOUR}
    assert RetentionSweep().run(now).total == 0


def test_nothing_goes_before_it_is_rolled_up(fast: SensorDevice, now: datetime) -> None:
    moments = [now - timedelta(days=days) for days in (100, 101, 102)]
    store(fast, *moments)
    SensorState.objects.filter(pk=fast.pk).update(unrolled_us=to_us(moments[1]))
    assert RetentionSweep().run(now).readings == 1
    SensorState.objects.filter(pk=fast.pk).update(unrolled_us=None)
    due = RollupDue.objects.create(sensor=fast, hour=int(moments[1].timestamp()) // HOUR * HOUR)
    assert RetentionSweep().run(now).readings == 0
    assert rollups.roll_up_due(lambda _done: None) == 1
    assert not RollupDue.objects.filter(pk=due.pk).exists()
    assert RetentionSweep().run(now).readings == 2
    assert Rollup.objects.filter(sensor=fast, level=HOUR).count() == 1


def test_a_sweep_that_has_to_stop_goes_on_where_it_was(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SENSORS_AT_ONCE", 1)
    sensors = [make_sensor() for _ in range(3)]
    for sensor in sensors:
        store(sensor, now - timedelta(days=2000))
    sweep = RetentionSweep()
    assert [sweep.run(now, 0).readings for _ in range(7)].count(1) == 3
    assert not Reading.objects.exists()


def test_days_that_are_past_for_every_sensor_are_dropped_whole(fast: SensorDevice, now: datetime) -> None:
    if connection.vendor != "postgresql":
        return
    slow = make_sensor()
    long_ago, lately = now - timedelta(days=2000), now - timedelta(days=100)
    for day in (long_ago, lately):
        partitions.create(day.date())
        store(slow, day)
        store(fast, day)
    assert RetentionSweep().run(now).readings == 3
    assert long_ago.date() not in partitions.existing()
    assert lately.date() in partitions.existing()
    assert Reading.objects.get().sensor_id == slow.pk


def test_the_command_says_what_goes_and_trusts_no_clock_that_looks_wrong(fast: SensorDevice, now: datetime) -> None:
    store(fast, now - timedelta(days=100))
    output = io.StringIO()
    call_command("prune_readings", "--dry-run", stdout=output)
    assert "1 readings and 0 rollups would be deleted" in output.getvalue()
    mark = ClockMark.objects.create(pk=1, newest_received_at=now + timedelta(days=1))
    with pytest.raises(CommandError, match="looks wrong"):
        call_command("prune_readings")
    mark.delete()
    call_command("prune_readings", stdout=output)
    assert "1 readings and 0 rollups were deleted" in output.getvalue()
    assert not Reading.objects.exists()
