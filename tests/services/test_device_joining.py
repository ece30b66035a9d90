"""Devices that are replaced, merged and deleted, with the pipeline that stores what they send."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q

from mqtt.buckets import DAY, HOUR
from mqtt.exceptions import ServiceError
from mqtt.models import (
    AuditEntry,
    Datalogger,
    DeviceAlias,
    DeviceTask,
    Gateway,
    Note,
    Reading,
    Rollup,
    RollupDue,
    SensorCorrection,
    SensorDevice,
    SensorState,
)
from mqtt.services import device_joining
from mqtt.services.audit import Actor
from mqtt.services.device_removal import delete_device, loss_of
from mqtt.services.jobs import device_tasks, rollups
from mqtt.services.jobs.retention import OrphanSweep
from mqtt.services.pipeline import availability, message_processor
from tests import factories
from tests.services.pipeline import Pipeline

pytestmark = [
    pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey"),
]  # fmt: skip

ACTOR = Actor.command("test")
NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_stored() -> Iterator[None]:
    yield
    for model in (Reading, Rollup, RollupDue):
        model.objects.all().delete()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    for module in (message_processor, availability):
        monkeypatch.setattr(module, "broadcast_event", lambda _event: None)
    return Pipeline([], factories.make_connection())


def box(key: str) -> Datalogger:
    return Datalogger.objects.get(key=key)


def values(sensor: SensorDevice) -> list[float | None]:
    return list(Reading.objects.filter(sensor=sensor).order_by("time", "digest").values_list("value", flat=True))


def test_a_new_device_takes_the_place_of_an_old_one_and_the_history_goes_on(pipeline: Pipeline) -> None:
    pipeline.send("mill/old", '{"level": 1, "battery": 90}')
    old, pk = box("mill/old"), SensorDevice.objects.get(name="level").pk
    SensorDevice.objects.filter(pk=pk).update(label="Crack 3")
    factories.make_correction(SensorDevice.objects.get(pk=pk), offset=0.5)
    pipeline.send("mill/new", '{"level": 2, "humidity": 40}')
    new = box("mill/new")
    factories.make_note(new)
    task = device_joining.replace(ACTOR, old, new)
    assert task
    old.refresh_from_db()
    assert (str(old), old.identifier, old.key) == ("old", "new", "mill/new"), "the name that everybody knows stays"
    pipeline.send("mill/new", '{"level": 3, "humidity": 41}')
    pipeline.send("mill/old", '{"level": 4}')
    assert Datalogger.objects.count() == 1
    assert sorted(SensorDevice.objects.values_list("key", "label")) == [
        ("mill/new#battery", ""), ("mill/new#humidity", ""), ("mill/new#level", "Crack 3"),
    ]  # fmt: skip
    device_tasks.go_on(10)
    level = SensorDevice.objects.get(pk=pk)
    assert values(level) == [1.0, 2.0, 3.0, 4.0]
    assert (level.state.value, level.rules.apply(2**60, 4.0)) == (4.0, 4.5)
    assert Note.objects.get().object_id == old.pk
    assert not Reading.objects.exclude(sensor__in=SensorDevice.objects.all()).exists()
    entry = AuditEntry.objects.get(action="replaced")
    assert (entry.object_id, entry.details["key"], entry.details["sensors"]) == (old.pk, "mill/old", 1)
    task.refresh_from_db()
    assert (task.state, task.done, task.total) == ("done", 1, 1)


def test_what_people_wrote_of_the_one_that_goes_fills_what_nobody_wrote_of_the_other(pipeline: Pipeline) -> None:
    for topic in ("mill/a", "mill/b"):
        pipeline.send(topic, '{"level": 1, "flow": 2}')
    written = {"level": {"decimals": 0, "expected_interval": 60}, "flow": {"decimals": 3}}
    for name, fields in written.items():
        SensorDevice.objects.filter(key=f"mill/a#{name}").update(**fields)
    SensorDevice.objects.filter(key="mill/b#flow").update(decimals=0)
    device_joining.merge(ACTOR, box("mill/a"), box("mill/b"))
    found = SensorDevice.objects.order_by("name").values_list("name", "decimals", "expected_interval")
    assert list(found) == [("flow", 0, None), ("level", 0, 60)], "no decimals are a choice as well"


def test_merging_moves_readings_once_and_brings_rollups_up_to_date(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_tasks, "ROWS_AT_ONCE", 7)
    for topic in ("mill/a", "mill/b"):
        pipeline.send(topic, '{"level": 0}')
    source, target = SensorDevice.objects.get(key="mill/a#level"), SensorDevice.objects.get(key="mill/b#level")
    start = NOW - timedelta(days=2)
    for minute in range(60):
        at = start + timedelta(hours=minute)
        factories.make_reading(source, minute, at)
        if minute % 3 == 0:
            factories.make_reading(target, minute + 100, at)
    for second in range(20):
        factories.make_reading(source, second, start, digest=second)
    SensorState.objects.update(unrolled_us=0)
    rollups.roll_up(NOW + timedelta(days=9))
    Rollup.objects.create(sensor=source, level=HOUR, time=HOUR, count=5, low=1, high=3, mean=2, first=1, last=3)
    factories.make_correction(source, valid_from=start)
    factories.make_correction(source, valid_from=NOW, reason="theirs")
    factories.make_correction(target, valid_from=NOW, reason="ours")
    device_joining.merge(ACTOR, source.datalogger, target.datalogger)
    OrphanSweep().step()
    while device_tasks.unfinished():
        device_tasks.go_on(0)
    rollups.roll_up(NOW + timedelta(days=9))
    found = values(target)
    assert len(found) == 2 + 60, "of two readings of one instant that of the device that stays is kept"
    assert found[:3] == [100.0, 1.0, 2.0]
    hours = Rollup.objects.filter(sensor=target, level=HOUR).order_by("time")
    assert sum(hour.count for hour in hours) == len(found) + 5, "what only the rollups hold is kept"
    days = Rollup.objects.filter(sensor=target, level=DAY)
    assert sum(day.count for day in days) == len(found) + 5
    assert not Rollup.objects.exclude(sensor=target).exists()
    assert sorted(SensorCorrection.objects.values_list("sensor", "reason")) == [
        (target.pk, "drift"), (target.pk, "ours"),
    ]  # fmt: skip
    assert DeviceAlias.objects.filter(key="mill/a", datalogger=target.datalogger).exists()
    pipeline.send("mill/a", '{"level": 7}')
    assert Datalogger.objects.count() == 1
    assert SensorDevice.objects.get().state.value == 7.0


def test_a_gateway_gives_its_dataloggers_and_its_key_away(pipeline: Pipeline) -> None:
    old = factories.make_gateway(pipeline.broker, key="mill/g1", identifier="g1")
    new = factories.make_gateway(pipeline.broker, key="mill/g2", identifier="g2", firmware="9", accepted_at=None)
    behind = factories.make_datalogger(gateway=new)
    assert device_joining.replace(ACTOR, old, new) is None
    old.refresh_from_db()
    behind.refresh_from_db()
    assert (old.key, old.identifier, str(old), old.firmware, behind.gateway) == ("mill/g2", "g2", "g1", "9", old)
    assert DeviceAlias.objects.get().key == "mill/g1"
    assert Gateway.objects.get() == old


def test_a_sensor_under_a_new_name_is_merged_into_the_old_one(pipeline: Pipeline) -> None:
    pipeline.send("mill/a", '{"temp": 1}')
    pipeline.send("mill/a", '{"temperature": 2}')
    new, old = SensorDevice.objects.get(name="temperature"), SensorDevice.objects.get(name="temp")
    device_joining.merge(ACTOR, new, old)
    pipeline.send("mill/a", '{"temperature": 3}')
    device_tasks.go_on(10)
    assert SensorDevice.objects.get() == old
    assert values(old) == [1.0, 2.0, 3.0]


def test_a_device_joined_twice_keeps_all_its_keys(pipeline: Pipeline) -> None:
    for number in (1, 2, 3):
        pipeline.send(f"mill/{number}", f'{{"level": {number}}}')
    first = box("mill/1")
    device_joining.replace(ACTOR, first, box("mill/2"))
    device_joining.replace(ACTOR, Datalogger.objects.get(pk=first.pk), box("mill/3"))
    for number in (1, 2, 3):
        pipeline.send(f"mill/{number}", '{"level": 9}')
    device_tasks.go_on(10)
    assert Datalogger.objects.get() == first
    assert values(SensorDevice.objects.get()) == [1.0, 2.0, 3.0, 9.0, 9.0, 9.0]


def test_a_repaired_device_that_is_let_go_is_one_of_its_own_again(pipeline: Pipeline) -> None:
    pipeline.send("mill/old", '{"level": 1}')
    pipeline.send("mill/new", '{"level": 2}')
    kept = box("mill/old")
    device_joining.replace(ACTOR, kept, box("mill/new"))
    pipeline.send("mill/old", '{"level": 3}')
    device_joining.release(ACTOR, DeviceAlias.objects.get())
    pipeline.send("mill/old", '{"level": 4}')
    pipeline.send("mill/new", '{"level": 5}')
    device_tasks.go_on(10)
    assert values(SensorDevice.objects.get(datalogger=kept)) == [1.0, 2.0, 3.0, 5.0]
    assert values(SensorDevice.objects.get(key="mill/old#level")) == [4.0]
    assert AuditEntry.objects.get(action="released").details == {"key": "mill/old"}


def test_what_cannot_be_joined_is_refused(pipeline: Pipeline) -> None:
    one, elsewhere = factories.make_datalogger(pipeline.broker), factories.make_datalogger()
    long = factories.make_datalogger(pipeline.broker, key="ä" * 490)
    factories.make_sensor(one, name="n" * 40)
    for other, code in ((one, "joined_with_itself"), (elsewhere, "joined_across"), (long, "joined_key_too_long")):
        with pytest.raises(ServiceError) as error:
            device_joining.replace(ACTOR, one, other)
        assert error.value.code == code
    gone = Datalogger.objects.get(pk=long.pk)
    long.delete()
    with pytest.raises(ServiceError) as error:
        device_joining.merge(ACTOR, gone, one)
    assert error.value.code == "gone"
    assert not AuditEntry.objects.exists()


def test_a_deleted_device_is_gone_at_once_its_readings_soon_and_it_comes_back_empty(pipeline: Pipeline) -> None:
    pipeline.send("mill/a", '{"level": 1, "battery": 2}')
    pipeline.send("mill/a", '{"level": 3}')
    old = box("mill/a")
    factories.make_note(old)
    factories.make_note(old.sensors.first())
    loss = loss_of(old)
    assert (loss.sensors, loss.readings, loss.notes, loss.is_more) == (2, 3, 1, False)
    delete_device(ACTOR, old)
    assert not Datalogger.objects.exists()
    assert not Note.objects.exists()
    pipeline.send("mill/a", '{"level": 5}')
    device_tasks.go_on(10)
    assert values(SensorDevice.objects.get()) == [5.0]
    assert Reading.objects.count() == 1
    assert DeviceTask.objects.get().state == "done"
    assert AuditEntry.objects.get(action="deleted").details["sensors"] == 2


def test_many_sensors_go_in_several_transactions(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.services.device_removal.AT_ONCE", 2)
    target: Any = factories.make_datalogger(pipeline.broker)
    sensors = [factories.make_sensor(target) for _ in range(5)]
    for sensor in sensors:
        factories.make_reading(sensor)
    delete_device(ACTOR, target)
    assert sorted(len(task.sensors) for task in DeviceTask.objects.all()) == [1, 2, 2]
    device_tasks.go_on(10)
    assert not Reading.objects.filter(~Q(sensor_id=0)).exists()


def test_a_deleted_gateway_leaves_its_dataloggers(pipeline: Pipeline) -> None:
    gateway = factories.make_gateway(pipeline.broker)
    behind = factories.make_datalogger(gateway=gateway)
    assert loss_of(gateway).dataloggers == 1
    delete_device(ACTOR, gateway)
    behind.refresh_from_db()
    assert behind.gateway is None
