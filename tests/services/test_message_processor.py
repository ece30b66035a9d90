"""From a batch to rows: readings, states, topics, and what there is room for."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mqtt import events
from mqtt.enums import ReadingFlag
from mqtt.messages import InboundMessage
from mqtt.models import (
    Datalogger,
    DataloggerState,
    DiscoveredTopic,
    Gateway,
    GatewayState,
    Reading,
    SensorDevice,
    SensorState,
    UndecodedMessage,
    from_us,
    to_us,
)
from mqtt.services.pipeline import device_directory, message_processor, topic_rows, topic_statistics
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.services.pipeline import GATEWAY, NOW, Pipeline, structural

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_message_becomes_device_sensors_readings_and_states(pipeline: Pipeline) -> None:
    result = pipeline.send("site/box", '{"temperature_C": 21.5, "mode": "auto", "ts": "2026-09-21T13:59:58.5Z"}')
    assert (result.accepted, result.stored) == ({pipeline.broker.pk}, 2)
    box = Datalogger.objects.get()
    assert (box.key, box.identifier, box.gateway, box.connection) == ("site/box", "box", None, pipeline.broker)
    sensor = SensorDevice.objects.get(name="temperature_C")
    assert (sensor.key, sensor.unit, sensor.kind) == ("site/box#temperature_C", "°C", "temperature")
    own = datetime(2026, 9, 21, 13, 59, 58, 500000, tzinfo=UTC)
    reading = Reading.objects.get(sensor=sensor)
    assert (reading.time, reading.value, reading.text) == (own, 21.5, None)
    assert reading.received_at == from_us(pipeline.now_us)
    assert reading.flags == ReadingFlag.OWN_TIME
    state = SensorState.objects.get(sensor=sensor)
    assert (state.value, state.time, state.last_seen_at) == (21.5, own, from_us(pipeline.now_us))
    assert (state.availability, state.flags) == ("online", ReadingFlag.OWN_TIME)
    assert SensorState.objects.get(sensor__name="mode").text == "auto"
    assert box.state.availability == "online"
    assert box.state.last_seen_at == from_us(pipeline.now_us)


def test_what_was_stored_is_announced_once_with_what_is_new(pipeline: Pipeline) -> None:
    pipeline.process([pipeline.message("site/box", '{"a": 1}'), pipeline.message("site/box", '{"a": 2, "b": 1}')])
    pipeline.process([pipeline.message("site/box", "{")])
    first, second = pipeline.stored()
    assert sorted(first.sensors) == sorted(SensorDevice.objects.values_list("pk", flat=True))
    assert first.dataloggers == list(Datalogger.objects.values_list("pk", flat=True))
    assert first.topics == list(DiscoveredTopic.objects.values_list("pk", flat=True))
    assert first.created == {"sensors": 2, "dataloggers": 1, "topics": 1}
    assert first.received_us == to_us(NOW) + 1000
    assert (second.sensors, second.undecoded, second.created) == ([], 1, {})


def test_many_changed_rows_are_named_up_to_a_bound(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_IDS", 3)
    pipeline.send("site/box", '{"a": 1, "b": 1, "c": 1, "d": 1}')
    (event,) = pipeline.stored()
    assert (len(event.sensors), event.more) == (3, True)


def test_a_gateway_stands_above_its_dataloggers(pipeline: Pipeline) -> None:
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.5))
    gateway = Gateway.objects.get()
    assert (gateway.key, gateway.identifier) == (GATEWAY, "GW-2")
    device = Datalogger.objects.get()
    assert (device.key, device.identifier, device.gateway, device.model) == (f"{GATEWAY}#TM7", "TM7", gateway, "tilt")
    assert SensorDevice.objects.get().key == f"{GATEWAY}#TM7#crack"
    assert gateway.state.availability == device.state.availability == "online"


def test_the_gateway_that_brought_a_message_is_heard_and_not_the_devices_first_one(pipeline: Pipeline) -> None:
    def uplink(gateway: str, level: int) -> str:
        end, heard = {"device_id": "soil"}, [{"gateway_ids": {"gateway_id": gateway}, "rssi": -90}]
        return json.dumps(
            {"end_device_ids": end, "uplink_message": {"decoded_payload": {"level": level}, "rx_metadata": heard}}
        )

    pipeline.send("v3/farm@ttn/devices/soil/up", uplink("roof", 1))
    before = GatewayState.objects.get().last_seen_at
    pipeline.now_us += 60_000_000
    pipeline.send("v3/farm@ttn/devices/soil/up", uplink("barn", 2))
    seen = dict(GatewayState.objects.values_list("gateway__identifier", "last_seen_at"))
    assert seen == {"roof": before, "barn": from_us(pipeline.now_us)}
    assert Datalogger.objects.get().gateway == Gateway.objects.get(identifier="roof")


def test_a_unit_that_the_device_says_takes_the_place_of_a_guess_and_not_of_a_persons(pipeline: Pipeline) -> None:
    config = {"name": "Air", "uniq_id": "a1", "stat_t": "zigbee2mqtt/air", "val_tpl": "{{ value_json.voc }}"}
    pipeline.send("zigbee2mqtt/air", '{"voc": 3, "battery": 80}')
    assert SensorDevice.objects.get(name="voc").unit == "ppb"
    pipeline.send("homeassistant/sensor/a1/config", json.dumps(config | {"unit_of_meas": "ppm"}))
    pipeline.send("zigbee2mqtt/air", '{"voc": 4}')
    assert SensorDevice.objects.get(name="voc").unit == "ppm"
    SensorDevice.objects.filter(name="voc").update(unit="mg/m³")
    pipeline.send("homeassistant/sensor/a1/config", json.dumps(config | {"unit_of_meas": "µg/m³"}))
    pipeline.send("zigbee2mqtt/air", '{"voc": 5}')
    assert SensorDevice.objects.get(name="voc").unit == "mg/m³"


def test_a_redelivered_reading_is_stored_once_and_two_values_at_one_instant_twice(pipeline: Pipeline) -> None:
    said = '{"level": 1.5, "ts": 1789999000}'
    assert pipeline.send("t", said).stored == 1
    assert pipeline.send("t", said).stored == 0
    assert pipeline.process([pipeline.message("t", said), pipeline.message("t", said)]).stored == 0
    assert pipeline.send("t", '{"level": 2.5, "ts": 1789999000}').stored == 1
    assert pipeline.send("u", '{"word": "a", "ts": 1789999000}').stored == 1
    assert pipeline.send("u", '{"word": "b", "ts": 1789999000}').stored == 1
    assert pipeline.send("v", '{"x": 0.0, "ts": 1789999000}').stored == 1
    assert pipeline.send("v", '{"x": -0.0, "ts": 1789999000}').stored == 0


def test_the_newest_time_is_the_current_value_whatever_arrives_later(pipeline: Pipeline) -> None:
    pipeline.send("t", '{"level": 2, "ts": 1789999020}')
    pipeline.send("t", '{"level": 1, "ts": 1789999010}')
    state = SensorState.objects.get()
    assert (state.value, state.last_seen_at) == (2.0, from_us(pipeline.now_us))
    late = Reading.objects.order_by("time").first()
    assert late is not None
    assert (late.value, late.flags) == (1.0, ReadingFlag.OWN_TIME | ReadingFlag.LATE)
    MessageProcessor().process([pipeline.message("t", '{"level": 0, "ts": 1789999000}')], pipeline.tokens)
    assert SensorState.objects.get().value == 2.0


def test_a_clock_that_was_ahead_does_not_freeze_the_current_value(pipeline: Pipeline) -> None:
    ahead = int(NOW.timestamp()) + 20 * 3600
    pipeline.send("t", f'{{"level": 1, "ts": {ahead}}}')
    assert SensorState.objects.get().value == 1.0
    pipeline.send("t", '{"level": 2}')
    state = SensorState.objects.get()
    assert (state.value, state.time) == (2.0, from_us(pipeline.now_us))
    pipeline.send("t", f'{{"level": 3, "ts": {int(NOW.timestamp()) + 30}}}')
    pipeline.send("t", f'{{"level": 4, "ts": {int(NOW.timestamp()) + 20}}}')
    assert SensorState.objects.get().value == 3.0, "half a minute ahead is an ordinary clock"


def test_a_retained_message_without_time_only_fills_an_empty_value(pipeline: Pipeline) -> None:
    pipeline.send("a/level", "3", retain=True)
    state = SensorState.objects.get()
    assert (state.value, state.time, state.last_seen_at, state.flags) == (3.0, None, None, ReadingFlag.RETAINED)
    assert state.availability == "unknown"
    assert not Reading.objects.exists()
    assert not DataloggerState.objects.exists()
    pipeline.send("a/level", "4")
    pipeline.send("a/level", "5", retain=True)
    state.refresh_from_db()
    assert (state.value, state.availability, state.flags) == (4.0, "online", 0)
    assert Reading.objects.count() == 1


def test_a_retained_message_with_time_enters_history_and_proves_no_presence(pipeline: Pipeline) -> None:
    pipeline.send("a/box", '{"level": 3, "ts": 1789999000}', retain=True)
    reading = Reading.objects.get()
    assert reading.flags == ReadingFlag.OWN_TIME | ReadingFlag.RETAINED
    state = SensorState.objects.get()
    assert (state.value, state.last_seen_at, state.availability) == (3.0, None, "unknown")


def test_queued_messages_without_own_time_are_uncertain(pipeline: Pipeline) -> None:
    pipeline.send("a/level", "3", queued=True)
    pipeline.send("a/box", '{"level": 3, "ts": 1789999000}', queued=True)
    flags = {reading.sensor.name: reading.flags for reading in Reading.objects.select_related("sensor")}
    assert flags["level"] in (ReadingFlag.UNCERTAIN, ReadingFlag.OWN_TIME)
    assert {reading.flags for reading in Reading.objects.all()} == {ReadingFlag.UNCERTAIN, ReadingFlag.OWN_TIME}


def test_what_is_not_understood_is_kept_with_its_reason(pipeline: Pipeline) -> None:
    result = pipeline.process([pipeline.message("a/b", b"{\xff"), pipeline.message("a/b", "x" * 70_000)])
    broken, long = UndecodedMessage.objects.order_by("pk")
    assert (broken.topic, bytes(broken.payload), broken.size, broken.reason) == ("a/b", b"{\xff", 2, "not_utf8")
    assert (long.reason, long.size, len(long.payload)) == ("long_text", 70_000, 65_536)
    assert "70,000" in long.reason_detail
    counts = result.counts[pipeline.broker.pk]
    assert (counts.messages, counts.readings, counts.undecoded) == (2, 0, 2)
    topic = DiscoveredTopic.objects.get()
    assert (topic.message_count, topic.undecoded_count, topic.decoder) == (2, 2, "")


def test_a_trackers_row_shows_the_device_and_waits_for_a_mapping(pipeline: Pipeline) -> None:
    pipeline.send("van/raw", "490154203237518,A,45.1,9.2,80")
    pipeline.processor.flush(pipeline.tokens)
    assert Datalogger.objects.get().identifier == "490154203237518"
    kept = UndecodedMessage.objects.get()
    assert (kept.reason, bytes(kept.payload)) == ("positions_aside", b"490154203237518,A,45.1,9.2,80")
    topic = DiscoveredTopic.objects.get()
    assert (topic.message_count, topic.undecoded_count, topic.decoder) == (1, 1, "")


def test_a_flood_of_garbage_is_counted_and_kept_in_bounds(pipeline: Pipeline) -> None:
    pipeline.process([pipeline.message("a/b", "{") for _ in range(500)])
    assert 0 < UndecodedMessage.objects.count() <= 100
    assert DiscoveredTopic.objects.get().undecoded_count == 500


def test_topics_are_counted_and_written_once_a_second(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000_000_000_000]
    monkeypatch.setattr(message_processor, "_now_us", lambda: clock[0])
    pipeline.send("a/b", "1")
    pipeline.send("a/b", "22", qos=0)
    pipeline.send("a/c", "3")
    assert DiscoveredTopic.objects.get().message_count == 1
    pipeline.processor.flush(pipeline.tokens)
    assert DiscoveredTopic.objects.get().message_count == 1
    clock[0] += 1_100_000
    pipeline.processor.flush(pipeline.tokens)
    first, second = DiscoveredTopic.objects.order_by("topic")
    assert (first.message_count, bytes(first.last_payload), first.last_qos, first.decoder) == (2, b"22", 0, "scalar")
    assert (first.first_seen_at, first.last_size) == (NOW + timedelta(milliseconds=1), 2)
    assert second.message_count == 1
    assert pipeline.stored()[-1].created == {"topics": 1}
    clock[0] += 1_100_000
    pipeline.send("a/b", "4")
    first.refresh_from_db()
    assert first.message_count == 3


def test_a_batch_of_one_and_of_500_cost_the_same_number_of_queries(pipeline: Pipeline) -> None:
    def batch(size: int) -> list[InboundMessage]:
        return [pipeline.message(f"site/box{number}", '{"temperature": 21.5, "mode": "a"}') for number in range(size)]

    def queries(size: int) -> list[str]:
        pipeline.wait(seconds=2)
        pipeline.processor._topics._flushed_us = 0
        pipeline.processor._choice._read_at = time.monotonic()  # read every few seconds, whatever the batch
        with CaptureQueriesContext(connection) as captured:
            pipeline.process(batch(size))
        return [query["sql"][:80] for query in captured.captured_queries]

    queries(500)
    queries(500)
    one, many = queries(1), queries(500)
    staging = 2 if connection.vendor == "postgresql" else 0  # many readings are worth a COPY and a table for it
    assert len(one) + staging == len(many), (one, many)
    assert len(one) <= (6 if connection.vendor == "postgresql" else 9)


def test_many_new_devices_are_made_in_several_short_transactions(pipeline: Pipeline) -> None:
    messages = [pipeline.message(f"site/box{number}", '{"a": 1, "b": 2, "c": 3, "d": 4}') for number in range(300)]
    assert pipeline.process(messages).stored == 1200
    assert [sum(event.created.get("sensors", 0) for event in pipeline.stored())] == [1200]
    assert len(pipeline.stored()) == 3
    assert pipeline.process(messages).counts[pipeline.broker.pk].messages == 300
    assert len(pipeline.stored()) == 4


def test_a_batch_of_very_long_messages_is_stored_in_parts(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_processor, "MAX_READINGS", 10)
    pipeline.send("a", '{"a": 1, "b": 2, "c": 3, "d": 4}')
    pipeline.events.clear()
    batch = [pipeline.message("a", '{"a": 1, "b": 2, "c": 3, "d": 4}') for _ in range(7)]
    assert pipeline.process(batch).stored == 28
    assert len(pipeline.stored()) == 3


def test_our_own_birth_and_will_are_no_discovery(pipeline: Pipeline) -> None:
    birth = pipeline.message("vedetta/vedetta-12ab/status", "online", retain=True)
    pipeline.process([birth, pipeline.message("hall/north", "21.5")])
    assert list(DiscoveredTopic.objects.values_list("topic", flat=True)) == ["hall/north"]
    assert UndecodedMessage.objects.count() == 0


def test_invented_names_do_not_fill_the_disk(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (device_directory, topic_rows):
        monkeypatch.setattr(module, "MOST_OF_CONNECTION", 10)
    monkeypatch.setattr(topic_statistics, "FLUSH_EVERY_US", 0)
    known = pipeline.send("known", '{"a": 1}')
    flood = [pipeline.message(f"x/{number}", '{"a": 1, "b": 2}') for number in range(50)]
    pipeline.wait(seconds=2)
    flood += [pipeline.message("known", '{"a": 2, "z": 3}'), pipeline.message("known", '{"a": 3}')]
    result = pipeline.process(flood)
    pipeline.wait(seconds=2)
    pipeline.process([pipeline.message("known", '{"a": 4}')])
    assert SensorDevice.objects.count() == DiscoveredTopic.objects.count() == 10
    assert Datalogger.objects.count() <= 10
    assert known.stored == 1
    assert Reading.objects.filter(sensor=SensorDevice.objects.get(key="known#a").pk).count() == 4
    refused = UndecodedMessage.objects.filter(reason="too_many_devices")
    assert refused.count() == result.counts[pipeline.broker.pk].refused == 47
    assert refused.filter(topic="known").count() == 1


def test_no_device_is_made_that_could_have_no_sensor(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_directory, "MOST_OF_CONNECTION", 2)
    pipeline.send("a", '{"v": 1, "w": 2}')
    assert pipeline.send("b", '{"v": 1}').stored == 0
    assert list(Datalogger.objects.values_list("key", flat=True)) == ["a"]


def test_room_that_was_made_is_used(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_directory, "MOST_OF_CONNECTION", 1)
    pipeline.send("a", '{"v": 1}')
    assert pipeline.send("b", '{"v": 1}').stored == 0
    Datalogger.objects.get(key="a").delete()
    pipeline.processor._directory.forget([pipeline.broker.pk])  # as with the next lease
    assert pipeline.send("b", '{"v": 1}').stored == 1


def test_a_topic_without_a_name_is_stored_too(pipeline: Pipeline) -> None:
    assert pipeline.send("/", "21.5").stored == 1
    assert UndecodedMessage.objects.count() == 0
    assert str(SensorDevice.objects.get())
    assert str(Datalogger.objects.get())
