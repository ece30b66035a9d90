import math
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from django.db import connection, transaction

from mqtt.buckets import DAY, HOUR, LEVELS, Bucket, floor
from mqtt.models import Reading, Rollup, RollupDue, SensorDevice, SensorState, from_us, to_us
from mqtt.services import history
from mqtt.services.history.aggregate import bucket_query
from mqtt.services.jobs import rollups
from mqtt.services.pipeline import availability, message_processor
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.reading_store import ReadingRows, insert_readings
from tests.factories import make_connection, make_sensor
from tests.servers import PATIENCE
from tests.services.pipeline import Pipeline

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)
US = 1_000_000
START = int(NOW.timestamp()) - 2 * DAY


@pytest.fixture(autouse=True)
def _nothing_stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rollups, "BUDGET", math.inf)  # a busy machine leaves nothing for another round
    yield
    Reading.objects.all().delete()
    Rollup.objects.all().delete()
    RollupDue.objects.all().delete()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    for module in (message_processor, availability):
        monkeypatch.setattr(module, "broadcast_event", lambda _event: None)
    return Pipeline([], make_connection())


@pytest.fixture
def sensor() -> SensorDevice:
    return make_sensor()


def store(sensor: SensorDevice, points: list[tuple[float, float]]) -> None:
    """Readings (seconds since 1970, value) as if they had been there before there were rollups."""
    rows = ReadingRows()
    for time, value in points:
        rows.sensors.append(sensor.pk)
        rows.times.append(round(time * 1_000_000))
        rows.received.append(to_us(NOW))
        rows.values.append(value)
        rows.texts.append(None)
        rows.flags.append(0)
    writes = Writes()
    with transaction.atomic():
        insert_readings(writes, rows)
        writes.run()
    SensorState.objects.filter(pk=sensor.pk).update(unrolled_us=0)


def expected(sensor: SensorDevice, level: int) -> list[Bucket]:
    """What the readings themselves say."""
    rows = Reading.objects.filter(sensor_id=sensor.pk, value__isnull=False).order_by("time", "digest")
    found = [(to_us(one.time), one.digest, one.value) for one in rows]
    return [
        bucket_of(begin, list(some)) for begin, some in groupby(found, lambda row: floor(row[0] // 1_000_000, level))
    ]


def bucket_of(begin: int, rows: list[tuple[int, int, Any]]) -> Bucket:
    values = [value for _, _, value in rows]
    mean = math.fsum(value / len(values) for value in values)
    return Bucket(begin, len(values), min(values), max(values), mean, values[0], values[-1])


def assert_same(found: list[Bucket], wanted: list[Bucket]) -> None:
    assert [one._replace(mean=0) for one in found] == [one._replace(mean=0) for one in wanted]
    assert [one.mean for one in found] == pytest.approx([one.mean for one in wanted], rel=1e-9, abs=1e-9)


def assert_true(sensor: SensorDevice, levels: tuple[int, ...] = LEVELS) -> None:
    """Every level as it is read says what the readings say."""
    for level in levels:
        wanted = expected(sensor, level)
        last = wanted[-1].time + level if wanted else START
        assert_same(history.buckets([sensor.pk], level, 0, last).get(sensor.pk, []), wanted)


def kept(sensor: SensorDevice, level: int) -> list[Bucket]:
    """The rollups themselves."""
    rows = Rollup.objects.filter(sensor_id=sensor.pk, level=level).order_by("time")
    return [Bucket(*row) for row in rows.values_list("time", "count", "low", "high", "mean", "first", "last")]


@pytest.mark.parametrize(("every", "finest"), [(1, 10), (10, 60), (60, 300), (600, HOUR)])
def test_each_level_is_kept_where_it_saves_something_and_read_everywhere(
    sensor: SensorDevice, every: int, finest: int
) -> None:
    levels = {level for level in LEVELS if level >= finest}
    store(sensor, [(START + at, 20 + math.sin(at / 500)) for at in range(0, 2 * HOUR, every)])
    assert_true(sensor)
    rollups.roll_up(NOW)
    assert set(Rollup.objects.values_list("level", flat=True)) == levels
    assert not SensorState.objects.filter(unrolled_us__isnull=False).exists()
    for level in levels:
        assert_same(kept(sensor, level), expected(sensor, level))
    assert_true(sensor)


def test_the_open_hour_waits_until_it_is_over_and_is_read_all_the_same(pipeline: Pipeline) -> None:
    for minute in range(0, 30, 5):
        pipeline.send("a/b", f'{{"level": {minute}, "ts": "2026-09-21T13:{minute:02}:30Z"}}')
    sensor = SensorDevice.objects.get()
    assert rollups.roll_up(NOW - timedelta(minutes=1)) == 0, "not yet"
    assert_true(sensor)
    assert rollups.roll_up(NOW + timedelta(minutes=3)) == 1
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))
    pipeline.send("a/b", '{"level": 7, "ts": "2026-09-21T13:59:00Z"}')
    assert_true(sensor)
    rollups.roll_up(NOW + timedelta(minutes=4))
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))
    assert_true(sensor)


def test_a_fast_sensor_is_rolled_up_before_its_hour_is_over(pipeline: Pipeline) -> None:
    messages = [
        pipeline.message("a/b", f'{{"level": {at % 7}, "ts": {int(NOW.timestamp()) - HOUR + at}}}')
        for at in range(0, 4200, 2)
    ]
    pipeline.process(messages)
    sensor = SensorDevice.objects.get()
    rollups.roll_up(NOW + timedelta(minutes=3))
    assert kept(sensor, HOUR)[-1].time == NOW.timestamp(), "all there was"
    pipeline.send("a/b", f'{{"level": 3, "ts": {int(NOW.timestamp()) + 601}}}')
    assert rollups.roll_up_fast(NOW + timedelta(minutes=12)) == 0
    assert rollups.roll_up_fast(NOW + timedelta(minutes=16)) == 1
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))
    assert_true(sensor)


def test_what_comes_in_any_order_twice_and_late_is_counted_once_in_its_place(
    pipeline: Pipeline,
) -> None:
    dice = random.Random(7)
    payloads = [
        f'{{"level": {dice.choice([1, 2.5, -3, 0.001])}, "ts": {int(NOW.timestamp()) - dice.randrange(3 * DAY)}}}'
        for _ in range(150)
    ]
    payloads += [f'{{"level": {at % 50}, "ts": {int(NOW.timestamp()) - 5 * HOUR + at}}}' for at in range(4000)]
    payloads += dice.sample(payloads, 200)
    dice.shuffle(payloads)
    at = 0
    while at < len(payloads):
        size = dice.choice([1, 1, 20, 700])
        pipeline.process([pipeline.message("a/b", one) for one in payloads[at : at + size]])
        at += size
        if dice.random() < 0.2:
            rollups.roll_up(NOW + timedelta(seconds=at))
        if dice.random() < 0.1:
            assert_true(SensorDevice.objects.get(), (60, DAY) if not RollupDue.objects.exists() else ())
    sensor = SensorDevice.objects.get()
    rollups.roll_up(NOW + timedelta(days=1))
    assert not RollupDue.objects.exists()
    assert_true(sensor)
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))
    assert_same(kept(sensor, DAY), expected(sensor, DAY))


def test_a_clock_that_runs_ahead_and_is_set_right_leaves_nothing_out(pipeline: Pipeline) -> None:
    now = int(NOW.timestamp())
    for ahead, value in ((20 * HOUR, 1), (0, 2), (60, 3), (19 * HOUR, 4), (120, 5)):
        pipeline.send("a/b", f'{{"level": {value}, "ts": {now + ahead}}}')
        rollups.roll_up(NOW + timedelta(days=2))
        assert_true(SensorDevice.objects.get())
    pipeline.process([pipeline.message("a/b", f'{{"level": {at}, "ts": {now + at}}}') for at in (500, 80000, 400, 450)])
    assert_true(SensorDevice.objects.get())
    rollups.roll_up(NOW + timedelta(days=2))
    assert_true(SensorDevice.objects.get())


def test_texts_are_no_part_of_it(pipeline: Pipeline) -> None:
    pipeline.send("a/b", '{"mode": "auto"}')
    assert not SensorState.objects.filter(unrolled_us__isnull=False).exists()
    rollups.roll_up(NOW + timedelta(days=1))
    assert not Rollup.objects.exists()


def test_a_kept_message_that_is_older_than_what_is_known_is_rolled_up(pipeline: Pipeline) -> None:
    pipeline.send("a/b", '{"level": 1, "ts": "2026-09-21T13:59:00Z"}')
    rollups.roll_up(NOW + timedelta(hours=1))
    pipeline.send("a/b", '{"level": 2, "ts": "2026-09-21T13:58:00Z"}', retain=True)
    rollups.roll_up(NOW + timedelta(hours=1))
    assert_same(kept(SensorDevice.objects.get(), HOUR), expected(SensorDevice.objects.get(), HOUR))


def test_a_round_that_dies_changes_nothing_and_the_next_one_does_it(
    sensor: SensorDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(sensor, [(START + at, at) for at in range(0, HOUR, 2)])
    insert_days = rollups._insert_days

    def die(_days: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rollups, "_insert_days", die)
    with pytest.raises(KeyboardInterrupt):
        rollups.roll_up(NOW)
    assert not Rollup.objects.exists()
    assert SensorState.objects.get(pk=sensor.pk).unrolled_us == 0
    monkeypatch.setattr(rollups, "_insert_days", insert_days)
    rollups.roll_up(NOW)
    assert_true(sensor)


def test_long_history_is_taken_in_parts_none_of_which_is_lost(
    sensor: SensorDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "READINGS_AT_ONCE", 100)
    store(sensor, [(START + at * 37, at % 11) for at in range(1500)])
    other = make_sensor()
    store(other, [(START, 4.0)])
    assert rollups._roll_some([sensor.pk, other.pk]) == [sensor.pk]
    assert 0 < (SensorState.objects.get(pk=sensor.pk).unrolled_us or 0) < START * 1_000_000 + 1500 * 37_000_000
    assert_true(sensor)
    rollups.roll_up(NOW)
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))
    assert_true(sensor)


def test_rollups_outlive_readings_and_are_not_replaced_by_fewer(sensor: SensorDevice) -> None:
    store(sensor, [(START + at, float(at)) for at in range(2 * HOUR)])
    rollups.roll_up(NOW)
    before = {level: kept(sensor, level) for level in LEVELS}
    Reading.objects.filter(sensor_id=sensor.pk, time__lt=from_us((START + HOUR) * 1_000_000)).delete()
    store(sensor, [(START + 5.5, 999.0)])
    rollups.roll_up(NOW)
    assert {level: kept(sensor, level) for level in LEVELS} == before
    found = history.buckets([sensor.pk], 10, START, START + 2 * HOUR)[sensor.pk]
    assert found == before[10]


def test_an_hour_without_readings_and_fine_rollups_is_shown_by_the_finest_that_is_left(sensor: SensorDevice) -> None:
    store(sensor, [(START + at, float(at)) for at in range(2 * HOUR)])
    rollups.roll_up(NOW)
    Reading.objects.all().delete()
    first = floor(START, HOUR) + HOUR
    Rollup.objects.filter(level=10, time__lt=first).delete()
    found = history.buckets([sensor.pk], 10, START, START + 2 * HOUR)[sensor.pk]
    minutes = [one for one in kept(sensor, 60) if one.time < first]
    assert found == sorted([*minutes, *kept(sensor, 10)])
    Rollup.objects.filter(level__lt=HOUR).delete()
    found = history.buckets([sensor.pk], 10, START + 600, START + 2 * HOUR)[sensor.pk]
    assert found == kept(sensor, HOUR)


def test_huge_values_of_hostile_devices_stop_nothing(sensor: SensorDevice) -> None:
    huge = 1.7976931348623157e308
    store(sensor, [(START + at, huge) for at in range(50)])
    other = make_sensor()
    store(other, [(START + at, huge * (-1) ** at) for at in range(100)])
    rollups.roll_up(NOW)
    assert [(one.low, one.mean, one.high) for one in kept(sensor, DAY)] == [(huge, huge, huge)]
    assert abs(kept(other, DAY)[0].mean) < huge / 1e10


def test_two_values_at_one_instant_are_two(sensor: SensorDevice) -> None:
    store(sensor, [(START, 1.0), (START, 2.0), (START + 5, 3.0), (START + 5, -4.0)])
    rollups.roll_up(NOW)
    assert_true(sensor)
    assert kept(sensor, HOUR)[0].readings == 4


def test_all_readings_are_gone_through_again_when_asked(sensor: SensorDevice) -> None:
    store(sensor, [(START, 1.0)])
    rollups.roll_up(NOW)
    Rollup.objects.all().delete()
    rollups.roll_up_again([sensor.pk])
    assert_true(sensor)
    rollups.roll_up(NOW)
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))


def test_a_new_sensor_is_rolled_up_within_its_first_hour(
    pipeline: Pipeline, django_assert_max_num_queries: Any
) -> None:
    begun = int(NOW.timestamp())
    pipeline.process([pipeline.message("a/b", f'{{"level": {at % 7}, "ts": {begun + at}}}') for at in range(0, 600, 2)])
    sensor = SensorDevice.objects.get()
    SensorDevice.objects.update(created_at=NOW)
    assert rollups.roll_up_fast(NOW + timedelta(minutes=4)) == 0
    assert rollups.roll_up_fast(NOW + timedelta(minutes=10)) == 1
    pipeline.process([pipeline.message("a/b", f'{{"level": 9, "ts": {begun + at}}}') for at in range(600, 700, 2)])
    assert_true(sensor)
    with django_assert_max_num_queries(7) as asked:
        history.buckets([sensor.pk], HOUR, begun, begun + HOUR)
    assert kept(sensor, HOUR)[-1].readings == 300, "the rest is read from what came since"
    assert any("300" in one["sql"] for one in asked), "finer rollups are the source of the hour"


@pytest.mark.parametrize("late", [False, True])
def test_a_batch_that_stores_while_a_round_runs_is_not_left_out(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """On PostgreSQL, where both run at once: the round holds its rows, the batch waits and marks them again."""
    if connection.vendor != "postgresql":
        return  # one writer at a time
    pipeline.send("a/b", '{"level": 1, "ts": "2026-09-21T12:10:00Z"}')
    pipeline.send("a/b", '{"level": 2, "ts": "2026-09-21T12:20:00Z"}')
    if late:
        rollups.roll_up(NOW)
        pipeline.send("a/b", '{"level": 9, "ts": "2026-09-20T12:20:00Z"}')
    make, sending = rollups._make, []

    def send() -> None:
        pipeline.send("a/b", f'{{"level": 3, "ts": "2026-09-{20 if late else 21}T12:19:00Z"}}')
        connection.close()

    def make_slowly(spans: Any) -> None:
        make(spans)
        sending.append(threading.Thread(target=send))
        sending[0].start()
        sending[0].join(0.3)
        assert sending[0].is_alive(), "it waits for the round"

    with monkeypatch.context() as patch:
        patch.setattr(rollups, "_make", make_slowly)
        rollups._roll_due_hours() if late else rollups._roll_some([SensorDevice.objects.get().pk])
    sending[0].join(PATIENCE)
    rollups.roll_up(NOW)
    sensor = SensorDevice.objects.get()
    assert_same(kept(sensor, HOUR), expected(sensor, HOUR))


def test_first_and_last_of_a_bucket_are_found_by_their_instant(sensor: SensorDevice) -> None:
    """Found by the bounds of the whole span instead, a history of a month would take days to roll up."""
    spans = [(sensor.pk, hour * HOUR * US, (hour + 1) * HOUR * US) for hour in range(1000, 1050)]
    statement, parameters = bucket_query(10, spans)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan = [str(row[3]) for row in cursor.fetchall()]
            assert sum("SEARCH x" in line and "time=?" in line for line in plan) == 2, plan
        else:
            cursor.execute(f"EXPLAIN {statement}", parameters)
            assert "SubPlan" in "\n".join(str(row[0]) for row in cursor.fetchall())
