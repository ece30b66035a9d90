import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from mqtt.models import (
    ConnectionTest,
    PeriodicJob,
    Reading,
    SensorDevice,
    UndecodedMessage,
    to_us,
)
from mqtt.services.jobs import partitions, periodic, retention
from mqtt.services.pipeline import undecoded
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.reading_store import ReadingRows, insert_readings
from tests.factories import make_connection, make_sensor
from tests.servers import wait_for

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_readings() -> None:
    Reading.objects.all().delete()
    if connection.vendor == "postgresql":
        for name in partitions.existing().values():
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {name}")


def store(sensor: SensorDevice, *moments: datetime, value: float = 1.5) -> None:
    rows = ReadingRows()
    for number, moment in enumerate(moments):
        rows.sensors.append(sensor.pk)
        rows.times.append(to_us(moment))
        rows.received.append(to_us(moment))
        rows.values.append(value + number)
        rows.texts.append(None)
        rows.flags.append(0)
    writes = Writes()
    with transaction.atomic():
        insert_readings(writes, rows)
        writes.run()


def test_each_job_runs_when_its_time_has_come_and_in_one_process() -> None:
    jobs = [job.name for job in periodic.JOBS if job.name not in {"deletions", "devices"}]  # there is nothing to erase
    assert periodic.run_due(NOW) == jobs
    assert periodic.run_due(NOW) == []
    assert periodic.run_due(NOW + timedelta(seconds=21)) == ["availability", "rollups"]
    assert periodic.run_due(NOW + timedelta(hours=2)) == jobs
    assert periodic.run_due(NOW - timedelta(days=1)) == jobs, "the clock was set back"
    job = PeriodicJob.objects.get(name="availability")
    assert job.finished_at is not None
    assert not periodic._claim(periodic.JOBS[1], NOW, NOW), "somebody else has claimed it meanwhile"


def test_a_failing_job_is_logged_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_now: Any) -> int:
        raise ZeroDivisionError

    hour = timedelta(hours=1)
    monkeypatch.setattr(periodic, "JOBS", (periodic.Job("bad", hour, fail), periodic.Job("good", hour, lambda _: 3)))
    with caplog.at_level(logging.ERROR):
        assert periodic.run_due(NOW) == ["bad", "good"]
    assert "bad" in caplog.records[0].message
    assert PeriodicJob.objects.get(name="good").amount == 3


def test_a_job_that_waited_for_a_lock_in_vain_says_so_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wait(_now: Any) -> int:
        raise OperationalError("canceling statement due to lock timeout")

    hour = timedelta(hours=1)
    monkeypatch.setattr(periodic, "JOBS", (periodic.Job("bad", hour, wait), periodic.Job("good", hour, lambda _: 3)))
    with caplog.at_level(logging.WARNING):
        assert periodic.run_due(NOW) == ["bad", "good"]
    assert "lock timeout" in PeriodicJob.objects.get(name="bad").error
    assert "bad" in caplog.records[0].message


def test_a_job_that_fails_because_the_database_is_away_leaves_it_to_who_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: Any, **__: Any) -> int:
        raise OperationalError("server closed the connection unexpectedly")

    def lose(_now: Any) -> int:
        monkeypatch.setattr(PeriodicJob.objects, "filter", away)
        return away()

    monkeypatch.setattr(periodic, "JOBS", (periodic.Job("bad", timedelta(hours=1), lose),))
    with pytest.raises(OperationalError):
        periodic.run_due(NOW)


def test_undecoded_messages_are_trimmed_to_the_newest() -> None:
    broker, other = make_connection(), make_connection()
    for connection_id, count in ((broker.pk, 120), (other.pk, 3)):
        UndecodedMessage.objects.bulk_create(
            UndecodedMessage(
                connection_id=connection_id, topic="a", payload=b"{", size=number, received_at=NOW, reason="not_json"
            )
            for number in range(count)
        )
    assert undecoded.trim() == 70
    kept = UndecodedMessage.objects.filter(connection=broker).order_by("size").values_list("size", flat=True)
    assert list(kept) == list(range(70, 120))
    assert UndecodedMessage.objects.filter(connection=other).count() == 3


def test_old_connection_tests_go() -> None:
    broker = make_connection()
    old, new = ConnectionTest.objects.create(connection=broker), ConnectionTest.objects.create(connection=broker)
    ConnectionTest.objects.filter(pk=old.pk).update(requested_at=timezone.now() - timedelta(days=2))
    periodic.run_due()
    assert list(ConnectionTest.objects.all()) == [new]


def test_readings_of_deleted_sensors_go_and_no_others() -> None:
    kept, gone = make_sensor(), make_sensor()
    for sensor in (kept, gone):
        store(sensor, *(NOW + timedelta(seconds=number) for number in range(5)))
    gone.delete()
    sweep = retention.OrphanSweep()
    assert (sweep.step(), sweep.step()) == (1, 0)
    assert Reading.objects.count() == Reading.objects.filter(sensor=kept).count() == 5


def test_pruning_deletes_what_is_older_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    sensor = make_sensor()
    today = timezone.now()
    store(sensor, *(today - timedelta(days=number) for number in range(20)))
    store(sensor, *[today - timedelta(days=15)] * 10, value=100)
    partitions.create_ahead(today)
    call_command("prune_readings", "--older-than", "10d", "--dry-run")
    assert Reading.objects.count() == 30
    call_command("prune_readings", "--older-than", "10d")
    assert Reading.objects.count() == 10
    assert Reading.objects.filter(time__lt=today - timedelta(days=10)).count() == 0


@pytest.mark.parametrize("age", ["90", "0d", "d", "99999999d", "-5d", "5y"])
def test_an_age_that_is_none_is_refused_with_an_example(age: str) -> None:
    with pytest.raises(CommandError, match="90d"):
        call_command("prune_readings", f"--older-than={age}")


def test_day_partitions_are_made_ahead_take_over_strays_and_are_dropped_whole() -> None:
    if connection.vendor != "postgresql":
        assert partitions.create_ahead(NOW) == 0
        return
    sensor = make_sensor()
    store(sensor, NOW, NOW + timedelta(days=300))
    assert partitions.create_ahead(NOW) == 10
    assert partitions.create_ahead(NOW) == 0
    store(sensor, NOW + timedelta(days=1), NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM mqtt_reading GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [
            ("mqtt_reading_20260921", 2),
            ("mqtt_reading_20260922", 1),
            ("mqtt_reading_default", 1),
        ]
    assert partitions.drop_before(NOW) == {"mqtt_reading_20260919": 0, "mqtt_reading_20260920": 0}
    assert retention.prune(NOW + timedelta(days=1)) == 2
    assert Reading.objects.count() == 2


def test_a_row_that_comes_while_its_day_is_made_moves_there_too() -> None:
    if connection.vendor != "postgresql":
        return
    sensor = make_sensor()
    other = connection.copy()
    making = threading.Thread(target=make_day, args=(NOW,))

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE relation = 'mqtt_reading_default'::regclass AND NOT granted"
            )
            return bool(cursor.fetchone()[0])

    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, flags) "
                "VALUES (%s, %s, 1, %s, 1.5, 0)",
                [sensor.pk, NOW, NOW],
            )
            making.start()
            wait_for(waits, what="a partition that waits for the row")
            cursor.execute("COMMIT")
    finally:
        making.join()
        other.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM mqtt_reading")
        assert cursor.fetchall() == [("mqtt_reading_20260921",)]


def make_day(moment: datetime) -> None:
    """In a thread with a connection of its own."""
    try:
        partitions.create(moment.date())
    finally:
        connection.close()
