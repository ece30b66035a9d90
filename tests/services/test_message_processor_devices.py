"""Who a message is about: keys, sites, units, facts, announcements, and what people write."""

import orjson
import pytest

from mqtt.decoders import registry
from mqtt.enums import NodeKind
from mqtt.messages import (
    Decoded,
    DecodedReading,
    DeviceRef,
    Request,
)
from mqtt.models import (
    Datalogger,
    DeviceAlias,
    DeviceAnnouncement,
    DiscoveredTopic,
    Gateway,
    Mapping,
    MqttConnection,
    Reading,
    SensorDevice,
    SensorState,
    TopicSubscription,
    UndecodedMessage,
    from_us,
)
from mqtt.services.pipeline import batch_store
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.factories import make_site
from tests.services.pipeline import Announcer, Pipeline

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_another_key_leads_to_the_same_device(pipeline: Pipeline) -> None:
    pipeline.send("site/old", '{"level": 1}')
    box = Datalogger.objects.get()
    DeviceAlias.objects.create(connection=pipeline.broker, kind=NodeKind.DATALOGGER, key="site/new", datalogger=box)
    pipeline.send("site/new", '{"level": 2, "other": 3}')
    assert Datalogger.objects.get() == box
    assert Reading.objects.filter(sensor__name="level", sensor__datalogger=box).count() == 2
    assert set(SensorDevice.objects.values_list("key", flat=True)) == {"site/old#level", "site/old#other"}


def test_new_devices_belong_to_the_site_of_the_longest_prefix(pipeline: Pipeline) -> None:
    default, broad, narrow = make_site(), make_site(topic_prefix="plant/"), make_site(topic_prefix="plant/hall_2/")
    MqttConnection.objects.filter(pk=pipeline.broker.pk).update(site=default)
    for topic in ("elsewhere/x/t", "plant/x/t", "plant/hall_2/x/t"):
        pipeline.send(topic, "1")
    sites = dict(Datalogger.objects.values_list("key", "site"))
    assert sites == {"elsewhere/x": default.pk, "plant/x": broad.pk, "plant/hall_2/x": narrow.pk}


def test_a_unit_is_filled_when_the_device_says_it_and_never_overwritten(pipeline: Pipeline) -> None:
    pipeline.send("a/b", '{"level": 1}')
    pipeline.send("a/b", '{"level": 1, "level_unit": "m"}')
    assert SensorDevice.objects.get().unit == "m"
    pipeline.send("a/b", '{"level": 1, "level_unit": "cm"}')
    assert SensorDevice.objects.get().unit == "m"


def test_what_people_write_of_a_sensor_survives_every_announcement(pipeline: Pipeline) -> None:
    pipeline.send("site/box", '{"level": 1}')
    SensorDevice.objects.update(kind="depth")  # while the pipeline remembers an empty one
    pipeline.send("site/box", '{"level": {"value": 2, "unit": "m"}}')
    pipeline.send("site/box", '{"level_m": 2}')
    SensorDevice.objects.update(unit="cm")
    pipeline.processor = MessageProcessor()
    pipeline.send("site/box", '{"level_m": 3, "level": 3}')
    assert set(SensorDevice.objects.values_list("unit", flat=True)) == {"cm"}
    assert SensorDevice.objects.get(name="level").kind == "depth"


def test_a_unit_from_a_later_message_leaves_a_kind_written_by_hand(pipeline: Pipeline) -> None:
    entry_unit, by_hand = "°C", "dew point"
    pipeline.send("site/box", '{"temperature": 20}')
    SensorDevice.objects.update(kind=by_hand, unit="")
    entry = next(iter(pipeline.processor._directory.dataloggers.values())).sensors["temperature"]
    entry.unit, entry.kind = "", ""
    decoded = DecodedReading(DeviceRef("site/box", "box"), "temperature", 21.0, unit=entry_unit, kind="temperature")
    plan_message = pipeline.message("site/box", "{}")
    store = batch_store.BatchStore(pipeline.processor._directory, pipeline.processor._rhythms)
    store.take(plan_message, Decoded("test", [decoded]))
    store.write(Writes())
    sensor = SensorDevice.objects.get()
    assert (sensor.unit, sensor.kind) == (entry_unit, by_hand)


def test_a_key_too_long_for_the_index_is_set_aside_without_its_siblings(pipeline: Pipeline) -> None:
    topic = "x" * 900
    pipeline.send(topic, '{"' + "n" * 200 + '": 1, "short": 2}')
    pipeline.send("y" * 1001, '{"a": 1}')
    assert SensorDevice.objects.get().name == "short"
    assert list(UndecodedMessage.objects.values_list("reason", flat=True)) == ["topic_too_long", "topic_too_long"]


def test_hostile_texts_are_stored_as_texts(pipeline: Pipeline) -> None:
    pipeline.send(
        "<b>/{{ x }}/'; DROP TABLE", '{"<script>": "=cmd()", "a\\u0000b": "%s %(x)s\\u0000", "é": "\\ud83d\\ude00"}'
    )
    values = dict(SensorState.objects.values_list("sensor__name", "text"))
    assert values == {"<script>": "=cmd()", "ab": "%s %(x)s", "é": "😀"}


def test_what_a_device_says_about_itself_is_kept_without_a_write_each_time(pipeline: Pipeline) -> None:
    said = '{"level": 1, "rssi": %d, "firmware": "1.%d", "model": "X"}'
    pipeline.send("a/b", said % (-70, 0))
    box = Datalogger.objects.get()
    assert (box.model, box.firmware, box.facts) == ("X", "1.0", {"rssi": -70, "firmware": "1.0", "model": "X"})
    pipeline.send("a/b", said % (-71, 0))
    box.refresh_from_db()
    assert box.facts["rssi"] == -70
    pipeline.send("a/b", said % (-72, 1))
    box.refresh_from_db()
    assert (box.firmware, box.facts["rssi"]) == ("1.1", -72)


def test_a_clock_that_is_wrong_stands_at_the_device_until_it_is_right_again(pipeline: Pipeline) -> None:
    pipeline.send("a/b", '{"level": 1, "time": "1985-02-01T00:00:00Z"}')
    box = Datalogger.objects.get()
    assert box.facts["clock_off_seconds"] // (365 * 86400) == -42
    assert Reading.objects.get().time == from_us(pipeline.now_us)
    pipeline.send("a/b", '{"level": 1, "time": "2026-09-21T14:00:00Z"}')
    box.refresh_from_db()
    assert "clock_off_seconds" not in box.facts


def test_an_announced_device_is_there_before_its_first_reading(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DECODERS", (Announcer(), *registry.DECODERS))
    registry.candidates.cache_clear()
    first = pipeline.send("announced/b", "b")
    second = pipeline.send("announced/b", "b")
    registry.candidates.cache_clear()
    box = Datalogger.objects.get()
    assert (box.identifier, box.model, box.gateway) == ("b", "M1", Gateway.objects.get())
    assert first.requests == {pipeline.broker.pk: [Request("base/ask", b"b")]}
    assert second.requests == {}
    assert DeviceAnnouncement.objects.get().key == "b"


def test_a_device_renamed_where_it_is_managed_keeps_its_row_and_the_label_set_by_hand(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DECODERS", (Announcer(), *registry.DECODERS))
    registry.candidates.cache_clear()
    pipeline.send("announced/1", "cellar")
    Datalogger.objects.update(label="My box")
    pipeline.send("announced/1", "attic")
    registry.candidates.cache_clear()
    box = Datalogger.objects.get()
    assert (box.identifier, box.label) == ("attic", "My box")


def test_a_device_named_in_a_network_server_is_shown_by_that_until_somebody_writes_a_label(pipeline: Pipeline) -> None:
    topic = "application/7/device/0a1b2c3d4e5f6071/event/up"

    def uplink(name: str, level: float) -> str:
        about = {"deviceInfo": {"devEui": "0a1b2c3d4e5f6071", "deviceName": name}, "object": {"level": level}}
        return orjson.dumps(about).decode()

    pipeline.send(topic, uplink("Cistern <b>north</b>", 1))
    box = Datalogger.objects.get()
    assert (box.identifier, str(box)) == ("0a1b2c3d4e5f6071", "Cistern <b>north</b>")
    pipeline.send(topic, uplink("Cistern two", 2))
    assert str(Datalogger.objects.get()) == "Cistern <b>north</b>"
    Datalogger.objects.update(label="By hand")
    pipeline.processor = MessageProcessor()
    pipeline.send(topic, uplink("Cistern three" + "e" * 300, 3))
    assert str(Datalogger.objects.get()) == "By hand"


def test_the_payload_before_the_last_different_one_is_kept_for_comparison(pipeline: Pipeline) -> None:
    for value in (1, 2, 2):
        pipeline.send("a/b", f'{{"level": {value}}}', received_us=pipeline.now_us + 2_000_000)
        pipeline.processor._topics._flushed_us = 0
    pipeline.processor.flush(pipeline.tokens)
    topic = DiscoveredTopic.objects.get()
    assert (bytes(topic.last_payload), bytes(topic.previous_payload)) == (b'{"level": 2}', b'{"level": 1}')


def test_topics_that_are_left_aside_become_nothing(pipeline: Pipeline) -> None:
    Mapping.objects.create(name="x", connection=pipeline.broker, topic_pattern="noise/#", is_ignored=True)
    pipeline.send("noise/a", '{"level": 1}')
    pipeline.send("noise/b", "")
    assert not SensorDevice.objects.exists()
    assert not UndecodedMessage.objects.exists()


def test_a_chosen_decoder_is_used(pipeline: Pipeline) -> None:
    TopicSubscription.objects.update(decoder="json")
    pipeline.send("lamp/set", '{"level": 1}')
    assert Reading.objects.count() == 1
