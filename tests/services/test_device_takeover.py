"""A device that was read by its topic and is announced afterwards: it stays one device with one history."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from mqtt.decoders import credentials
from mqtt.enums import NodeKind
from mqtt.exceptions import ServiceError
from mqtt.messages import InboundMessage
from mqtt.models import Datalogger, DeviceAlias, Note, Reading, SensorDevice, SensorState
from mqtt.services.audit import Actor
from mqtt.services.device_joining import release
from mqtt.services.pipeline import message_processor
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.services.pipeline import Pipeline

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

BOILER = {"ids": ["b1"], "name": "Boiler", "mdl": "M7"}


@pytest.fixture(autouse=True)
def _no_live_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.services.device_rows.broadcast_event", lambda _event: None)


def config(pipeline: Pipeline, entity: str, device: dict[str, Any] | None = None, **keys: Any) -> InboundMessage:
    said = {"dev": device or BOILER, "uniq_id": entity} | keys
    return pipeline.message(f"homeassistant/sensor/{entity}/config", json.dumps(said))


def history() -> dict[tuple[str, str], list[float | None]]:
    found: dict[tuple[str, str], list[float | None]] = {}
    rows = Reading.objects.order_by("time").values_list("sensor__datalogger__key", "sensor__name", "value")
    for key, name, value in rows:
        found.setdefault((key, name), []).append(value)
    return found


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("is_one_batch", [False, True])
def test_a_device_that_is_announced_later_goes_on_where_it_stands(
    pipeline: Pipeline, is_one_batch: bool, is_restarted: bool
) -> None:
    pipeline.send("boiler/state", '{"t": 40, "flow": 3}')
    Datalogger.objects.update(label="Cellar")
    SensorDevice.objects.filter(name="t").update(label="Supply")
    old = Datalogger.objects.get()
    batch = [
        pipeline.message("boiler/state", '{"t": 41, "flow": 4}'),
        config(pipeline, "t", stat_t="boiler/state", val_tpl="{{ value_json.t }}", unit_of_meas="°C"),
        pipeline.message("boiler/state", '{"t": 42, "flow": 5, "new": 1}'),
    ]
    if is_one_batch:
        pipeline.process(batch)
    else:
        for one in batch:
            if is_restarted:
                pipeline.processor = MessageProcessor()
            pipeline.process([one])
    pipeline.send("boiler/state", '{"t": 43}')
    box = Datalogger.objects.get()
    assert (box.pk, box.label, box.identifier, box.model) == (old.pk, "Cellar", "Boiler", "M7")
    assert history() == {
        ("boiler/state", "t"): [40.0, 41.0, 42.0, 43.0],
        ("boiler/state", "flow"): [3.0, 4.0, 5.0],
        ("boiler/state", "new"): [1.0],
    }
    sensor = SensorDevice.objects.get(name="t")
    assert (sensor.label, sensor.unit) == ("Supply", "°C")
    assert SensorState.objects.get(sensor=sensor).value == 43.0
    assert DeviceAlias.objects.get().key == "boiler#b1"


def test_an_announced_key_is_let_go_only_when_it_is_announced_no_longer(pipeline: Pipeline) -> None:
    pipeline.send("boiler/state", '{"t": 40}')
    announced = config(pipeline, "t", stat_t="boiler/state", val_tpl="{{ value_json.t }}")
    pipeline.process([announced])
    pipeline.send("boiler/state", '{"t": 41}')
    alias = DeviceAlias.objects.get()
    with pytest.raises(ServiceError) as error:
        release(Actor.command("test"), alias)
    assert (error.value.code, error.value.context["topic"]) == ("alias_announced", announced.topic)
    pipeline.send(announced.topic, "")
    release(Actor.command("test"), alias)
    pipeline.send("boiler/state", '{"t": 42}')
    assert not DeviceAlias.objects.exists()
    assert history() == {("boiler/state", "t"): [40.0, 41.0, 42.0]}


def test_an_announcement_before_the_first_message_makes_one_device_too(pipeline: Pipeline) -> None:
    pipeline.process([config(pipeline, "t", stat_t="boiler/state", val_tpl="{{ value_json.t }}")])
    pipeline.processor = MessageProcessor()
    pipeline.send("boiler/state", '{"t": 40, "flow": 3}')
    assert set(history()) == {("boiler#b1", "t"), ("boiler#b1", "flow")}


def test_all_topics_of_an_announced_device_come_together_in_it(pipeline: Pipeline) -> None:
    for topic in ("boiler/pump/state", "boiler/fan/state"):
        pipeline.send(topic, "ON")
    first = Datalogger.objects.get(key="boiler/pump")
    second = Datalogger.objects.get(key="boiler/fan")
    Note.objects.create(kind=NodeKind.DATALOGGER, object_id=second.pk, at=first.created_at, text="new valve")
    for name in ("pump", "fan"):
        pipeline.process([config(pipeline, name, stat_t=f"boiler/{name}/state")])
    for topic in ("boiler/pump/state", "boiler/fan/state"):
        pipeline.send(topic, "OFF")
    assert history() == {("boiler/pump", "pump"): [1.0, 0.0], ("boiler/pump", "fan"): [1.0, 0.0]}
    assert Datalogger.objects.get() == first
    assert Note.objects.get().object_id == first.pk
    assert set(DeviceAlias.objects.values_list("key", flat=True)) == {"boiler#b1", "boiler/fan"}


def test_devices_below_one_topic_take_their_own_sensors_and_leave_the_rest(pipeline: Pipeline) -> None:
    for name in ("t", "h", "uptime_days"):
        pipeline.send(f"house/{name}", "1")
    house = Datalogger.objects.get()
    pipeline.process(
        [
            config(pipeline, "t", stat_t="house/t"),
            config(pipeline, "h", {"ids": "h9", "name": "Bath"}, stat_t="house/h"),
        ]
    )
    pipeline.process([pipeline.message(f"house/{name}", "2") for name in ("uptime_days", "t", "h")])
    assert history() == {
        ("house#b1", "t"): [1.0, 2.0],
        ("house#h9", "h"): [1.0, 2.0],
        ("house", "uptime_days"): [1.0, 2.0],
    }
    assert Datalogger.objects.get(key="house") == house


def test_the_last_sensor_takes_label_and_notes_of_the_old_device_along(pipeline: Pipeline) -> None:
    for name in ("t", "h"):
        pipeline.send(f"boiler/{name}", "1")
    Datalogger.objects.update(label="Cellar")
    for name in ("t", "h"):
        pipeline.process([config(pipeline, name, stat_t=f"boiler/{name}")])
        pipeline.send(f"boiler/{name}", "2")
    assert history() == {("boiler#b1", "t"): [1.0, 2.0], ("boiler#b1", "h"): [1.0, 2.0]}
    assert Datalogger.objects.get().label == "Cellar"
    assert DeviceAlias.objects.get().key == "boiler"


def test_what_names_itself_is_the_announced_device_too(pipeline: Pipeline) -> None:
    pipeline.send("boiler/state", '{"sn": "X77", "t": 40}')
    assert Datalogger.objects.get().key == "boiler/state#X77"
    pipeline.process([config(pipeline, "t", stat_t="boiler/state", val_tpl="{{ value_json.t }}", unit_of_meas="°C")])
    pipeline.send("boiler/state", '{"sn": "X77", "t": 41}')
    assert history() == {("boiler/state#X77", "t"): [40.0, 41.0]}
    assert SensorDevice.objects.get().unit == "°C"


def test_values_of_one_object_by_the_topic_stay_with_their_neighbours(pipeline: Pipeline) -> None:
    pipeline.send("house/t", '{"value": 20, "unit": "°C"}')
    pipeline.send("house/h", "40")
    pipeline.process([config(pipeline, "t", stat_t="house/t", val_tpl="{{ value_json.value }}")])
    pipeline.send("house/t", '{"value": 21, "unit": "°C"}')
    pipeline.send("house/h", "41")
    assert history()["house", "h"] == [40.0, 41.0]
    assert [values for (key, _), values in history().items() if key == "house#b1"] == [[20.0, 21.0]]


def test_a_refused_batch_leaves_the_device_as_it_was(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.send("boiler/state", '{"t": 40}')
    pipeline.process([config(pipeline, "t", stat_t="boiler/state", val_tpl="{{ value_json.t }}")])

    def fail(_messages: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(message_processor, "settle_kept", lambda *_: fail(None))
        with pytest.raises(OperationalError):
            pipeline.send("boiler/state", '{"t": 41}')
    assert not DeviceAlias.objects.exists()
    pipeline.send("boiler/state", '{"t": 42}')
    assert history() == {("boiler/state", "t"): [40.0, 42.0]}
    assert Datalogger.objects.get().identifier == "Boiler"


def test_sensors_are_called_as_announced_until_somebody_calls_them_otherwise(pipeline: Pipeline) -> None:
    pipeline.send("boiler/state", '{"t": 40, "flow": 3, "other": 1}')
    SensorDevice.objects.filter(name="flow").update(label="By hand")
    point: dict[str, Any] = {"stat_t": "boiler/state"}
    pipeline.process(
        [
            config(pipeline, "t", name="Boiler supply temperature", val_tpl="{{ value_json.t }}", **point),
            config(pipeline, "flow", name="Flow rate", val_tpl="{{ value_json.flow }}", **point),
            config(pipeline, "new", name="Pump", val_tpl="{{ value_json.new }}", **point),
            config(pipeline, "none", name=None, val_tpl="{{ value_json.other }}", **point),
        ]
    )
    pipeline.send("boiler/state", '{"t": 41, "flow": 3, "other": 1, "new": 0}')
    labels = {"t": "supply temperature", "flow": "By hand", "new": "Pump", "other": ""}
    assert dict(SensorDevice.objects.values_list("name", "label")) == labels
    pipeline.process([config(pipeline, "t", name="Renamed", val_tpl="{{ value_json.t }}", **point)])
    SensorDevice.objects.filter(name="t").update(label="Mine")
    pipeline.send("boiler/state", '{"t": 42}')
    assert SensorDevice.objects.get(name="t").label == "Mine"


def test_a_station_that_was_known_by_its_secret_goes_on_without_it(pipeline: Pipeline) -> None:
    secret, form = "A1B2C3D4E5F60718", "PASSKEY={}&stationtype=GW1000&dateutc=now&tempf={}"
    alias = credentials.alias(secret)
    pipeline.send("station", form.format(secret, 70))
    box = Datalogger.objects.get()
    Datalogger.objects.update(key=f"station#{secret}", identifier=secret, label="Roof")  # as older versions stored it
    SensorDevice.objects.update(key=f"station#{secret}#tempf")
    pipeline.processor = MessageProcessor()
    pipeline.send("station", form.format(secret, 71))
    assert history() == {(f"station#{alias}", "tempf"): [70.0, 71.0]}
    box.refresh_from_db()
    assert (box.identifier, box.label, SensorDevice.objects.get().key) == (alias, "Roof", f"station#{alias}#tempf")
    assert not DeviceAlias.objects.exists()


def as_older_versions_stored(pipeline: Pipeline, device: str, names: list[str]) -> None:
    """A device with a reading of each sensor, under other keys than today's."""
    pipeline.send("old/box", json.dumps({f"place_{name}": 1 for name in names}))
    Datalogger.objects.filter(key="old/box").update(key=device, identifier=device.rpartition("/")[2], label="By hand")
    for name in names:
        SensorDevice.objects.filter(name=f"place_{name}").update(name=name, key=f"{device}#{name}")
    pipeline.processor = MessageProcessor()


@pytest.mark.parametrize(
    ("device", "names", "topic", "payload", "found"),
    [
        ("hall/temp", ["state"], "hall/temp/state", "2", {("hall", "temp"): [1.0, 2.0]}),
        ("hall/temp", ["state"], "hall/temp/state", '{"value": 2}', {("hall", "temp"): [1.0, 2.0]}),
        ("hall/temp", ["val"], "hall/temp", '{"val": 2, "qc": 3}', {("hall", "temp"): [1.0, 2.0]}),
        ("edge/x", ["Speed.v", "Speed.u"], "edge/x", '{"Speed": {"v": 2, "u": "rpm"}}',
         {("edge/x", "Speed"): [1.0, 2.0], ("edge/x", "Speed.u"): [1.0]}),
        ("edge/x#Speed", ["val"], "edge/x", '[{"name": "Speed", "val": 2}]', {("edge/x", "Speed"): [1.0, 2.0]}),
        ("a/b#boiler", ["t"], "a/b", '{"device": "boiler", "sn": "S1", "t": 2}', {("a/b#boiler#S1", "t"): [1.0, 2.0]}),
        ("a/b#S1", ["t"], "a/b", '{"sn": "S1", "device": "boiler", "t": 2}', {("a/b#boiler#S1", "t"): [1.0, 2.0]}),
        ("gate/relay", ["2"], "gate/relay/2", "2", {("gate", "relay.2"): [1.0, 2.0]}),
        ("a/all", ["value"], "a/all", '{"sensor": "TC", "value": 2}', {("a/all", "TC"): [1.0, 2.0]}),
        ("knx/1/2/3", ["raw"], "knx/1/2/3", '{"raw": 2, "dim": 2}',
         {("knx", "1/2/3.raw"): [1.0, 2.0], ("knx", "1/2/3.dim"): [2.0]}),
        ("/devices/mr6/controls", ["K1", "K2"], "/devices/mr6/controls/K1", "2",
         {("/devices/mr6", "K1"): [1.0, 2.0], ("/devices/mr6", "K2"): [1.0]}),
    ],
)  # fmt: skip
def test_what_is_called_better_now_keeps_its_history(
    pipeline: Pipeline,
    device: str,
    names: list[str],
    topic: str,
    payload: str,
    found: dict[tuple[str, str], list[float]],
) -> None:
    as_older_versions_stored(pipeline, device, names)
    pipeline.send(topic, payload)
    pipeline.send(topic, payload.replace("2", "3"))
    expected = {place: values + [3.0] * (values[-1] == 2.0) for place, values in found.items()}
    assert history() == expected
    assert Datalogger.objects.get().label == "By hand"
    assert not DeviceAlias.objects.exists()


def test_a_better_name_and_an_announcement_at_once_keep_the_history(pipeline: Pipeline) -> None:
    as_older_versions_stored(pipeline, "hall/temp", ["state"])
    pipeline.process([config(pipeline, "temp", stat_t="hall/temp/state", unit_of_meas="°C")])
    pipeline.send("hall/temp/state", "2")
    assert list(history().values()) == [[1.0, 2.0]]
    box, sensor = Datalogger.objects.get(), SensorDevice.objects.get()
    assert (box.label, sensor.name, sensor.unit) == ("By hand", "temp", "°C")
    assert DeviceAlias.objects.get().key == "hall#b1"


def test_many_new_topics_are_looked_up_together(pipeline: Pipeline, django_assert_max_num_queries: Any) -> None:
    pipeline.send("other/x", "1")
    batch = [pipeline.message(f"hall_{number}/temp/state", "2") for number in range(300)]
    with django_assert_max_num_queries(60):
        pipeline.process(batch)
    assert Datalogger.objects.count() == 301
