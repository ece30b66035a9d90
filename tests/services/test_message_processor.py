import json
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from mqtt.decoders import registry
from mqtt.decoders.base import Content
from mqtt.enums import Availability, NodeKind, ReadingFlag
from mqtt.events import AvailabilityChanged, Event, ReadingsStored
from mqtt.messages import (
    Announcement,
    Decoded,
    DecodedAvailability,
    DecodedFacts,
    DecodedReading,
    DeviceRef,
    InboundMessage,
    Request,
)
from mqtt.models import (
    Datalogger,
    DataloggerState,
    DeviceAlias,
    DeviceAnnouncement,
    DiscoveredTopic,
    Gateway,
    GatewayState,
    Mapping,
    MqttConnection,
    Reading,
    SensorDevice,
    SensorState,
    StatusChange,
    TopicSubscription,
    UndecodedMessage,
    from_us,
    to_us,
)
from mqtt.services import (
    announcements,
    availability,
    batch_store,
    device_directory,
    message_processor,
    topic_statistics,
    undecoded,
)
from mqtt.services.message_processor import MessageProcessor, ProcessedBatch
from tests.factories import make_connection, make_site

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)
GATEWAY = "bridge_3/gateway/2"


class Pipeline:
    """A processor that holds one connection, and what it announced."""

    def __init__(self, events: list[Event], broker: MqttConnection) -> None:
        self.events = events
        self.broker = broker
        self.processor = MessageProcessor()
        self.now_us = to_us(NOW)

    @property
    def tokens(self) -> dict[int, uuid.UUID]:
        return {self.broker.pk: self.broker.lease.token}

    def message(self, topic: str, payload: str | bytes, **fields: Any) -> InboundMessage:
        self.now_us += 1000
        data = payload.encode() if isinstance(payload, str) else payload
        given = {"qos": 1, "retain": False, "received_us": self.now_us, **fields}
        return InboundMessage(self.broker.pk, topic, data, **given)

    def send(self, topic: str, payload: str | bytes, **fields: Any) -> ProcessedBatch:
        return self.process([self.message(topic, payload, **fields)])

    def process(self, batch: list[InboundMessage]) -> ProcessedBatch:
        return self.processor.process(batch, self.tokens)

    def wait(self, **time: float) -> None:
        self.now_us += timedelta(**time) // timedelta(microseconds=1)

    def stored(self) -> list[ReadingsStored]:
        return [event for event in self.events if isinstance(event, ReadingsStored)]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What would go to the channel layer."""
    sent: list[Event] = []
    monkeypatch.setattr(message_processor, "broadcast_event", sent.append)
    monkeypatch.setattr(availability, "broadcast_event", sent.append)
    return sent


@pytest.fixture
def pipeline(events: list[Event]) -> Iterator[Pipeline]:
    yield Pipeline(events, make_connection())
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE mqtt_reading")


@pytest.fixture(autouse=True)
def _no_readings() -> None:
    Reading.objects.all().delete()


def structural(serial: str = "TM7", status: str = "running", **data: float) -> str:
    entries = ", ".join(f'{{"type": "{name}", "value": {value}}}' for name, value in data.items())
    device = f'{{"type": "tilt", "serial_number_device": "{serial}", "data": [{entries}]}}'
    unit = f'{{"serial_number_datalogger": "all", "status_datalogger": "{status}", "devices": [{device}]}}'
    return f'{{"serial_number_gateway": "GW-2", "dataloggers": [{unit}]}}'


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
    monkeypatch.setattr(message_processor, "MAX_IDS", 3)
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
    assert "70000" in long.reason_detail
    counts = result.counts[pipeline.broker.pk]
    assert (counts.messages, counts.readings, counts.undecoded) == (2, 0, 2)
    topic = DiscoveredTopic.objects.get()
    assert (topic.message_count, topic.undecoded_count, topic.decoder) == (2, 2, "")


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
    assert len(one) == len(many), (one, many)
    assert len(one) <= 12


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


def test_without_its_lease_a_connection_stores_nothing(pipeline: Pipeline) -> None:
    other = make_connection()
    tokens = {pipeline.broker.pk: uuid.uuid4(), other.pk: other.lease.token}
    mine, theirs = pipeline.message("a/b", "{"), pipeline.message("a/c", "1")
    theirs.connection_id = other.pk
    result = pipeline.processor.process([mine, theirs, pipeline.message("a/d", "2")], tokens)
    assert result.accepted == {other.pk}
    assert set(result.counts) == {other.pk}
    assert list(Datalogger.objects.values_list("connection", flat=True)) == [other.pk]
    assert list(DiscoveredTopic.objects.values_list("topic", flat=True)) == ["a/c"]
    assert not UndecodedMessage.objects.exists()


def test_one_refused_message_in_two_thousand_is_set_aside_and_the_rest_is_stored(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    insert = batch_store.insert_readings

    def refusing(rows: Any) -> int:
        if "poison" in rows.texts:
            raise DatabaseError("value\0 out of range")
        return insert(rows)

    monkeypatch.setattr(batch_store, "insert_readings", refusing)
    batch = [pipeline.message(f"site/box{number % 50}", f'{{"level": {number}}}') for number in range(2000)]
    batch[777] = pipeline.message("site/bad", '{"word": "poison"}')
    result = pipeline.process(batch)
    assert result.stored == Reading.objects.count() == 1999
    assert result.accepted == {pipeline.broker.pk}
    (aside,) = UndecodedMessage.objects.all()
    assert (aside.topic, aside.reason, aside.context) == (
        "site/bad", "refused_by_database", {"detail": "value out of range"},
    )  # fmt: skip
    assert "out of range" in aside.reason_detail
    assert sum(topic.message_count for topic in DiscoveredTopic.objects.all()) <= 2000
    pipeline.processor._topics._flushed_us = 0
    pipeline.processor.flush(pipeline.tokens)
    assert sum(topic.message_count for topic in DiscoveredTopic.objects.all()) == 2000
    assert result.counts[pipeline.broker.pk].messages == 2000
    assert [record.message for record in caplog.records] == ["The database refused a message on topic 'site/bad'."]


def test_a_message_that_cannot_even_be_set_aside_leaves_its_facts_and_is_not_tried_for_ever(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = undecoded.store

    def refusing(rows: Any) -> None:
        if any("bad" in row.topic for row in rows):
            raise DatabaseError("no")
        store(rows)

    monkeypatch.setattr(undecoded, "store", refusing)
    batch = [pipeline.message(f"site/box{number}", '{"level": 1}') for number in range(20)]
    batch[7] = pipeline.message("site/bad/\u20ac", "{broken", mid=7)
    batch[8] = pipeline.message("site/other", "{broken")
    result = pipeline.process(batch)
    assert result.stored == Reading.objects.count() == 18
    assert result.accepted == {pipeline.broker.pk}
    counts = result.counts[pipeline.broker.pk]
    assert (counts.messages, counts.undecoded, counts.unkept) == (20, 2, 1)
    facts = UndecodedMessage.objects.get(reason="unstorable")
    assert (facts.topic, bytes(facts.payload), facts.size) == ("site/bad/\\u20ac", b"", 7)
    assert "the log has its beginning" in facts.reason_detail
    assert "{broken" in caplog.text


def test_a_database_that_takes_nothing_keeps_the_broker_waiting(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken tables refuse everything: no message is at fault, and none may be given up."""

    def refusing(_message: Any) -> None:
        raise DatabaseError("malformed")

    monkeypatch.setattr(batch_store, "insert_readings", refusing)
    monkeypatch.setattr(undecoded, "store", refusing)
    monkeypatch.setattr(undecoded, "store_facts", refusing)
    with pytest.raises(DatabaseError):
        pipeline.send("site/box", '{"level": 1}')


def test_an_announcement_that_is_refused_costs_nobody_else_a_reading(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DECODERS", (Announcer(), *registry.DECODERS))
    registry.candidates.cache_clear()
    write = announcements._write

    def refusing(connection_id: int, changed: Any) -> None:
        if any("bad" in said.key for said in changed):
            raise DatabaseError("no")
        write(connection_id, changed)

    monkeypatch.setattr(announcements, "_write", refusing)
    batch = [pipeline.message(f"site/box{number}", '{"level": 1}') for number in range(8)]
    batch[5] = pipeline.message("announced/bad", "x")
    batch[6] = pipeline.message("announced/good", "x")
    result = pipeline.process(batch)
    registry.candidates.cache_clear()
    assert result.stored == 6
    assert UndecodedMessage.objects.values_list("topic", "reason").get() == ("announced/bad", "refused_by_database")
    assert [row.key for row in DeviceAnnouncement.objects.all()] == ["good"]


def test_a_lost_database_stores_nothing_and_the_repeated_batch_everything_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_work: Any) -> None:
        raise OperationalError("the database is away")

    batch = [pipeline.message(f"site/box{number}", '{"level": 1}') for number in range(10)]
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.processor, "_keep_undecoded", away)
        for _ in range(2):
            with pytest.raises(OperationalError):
                pipeline.process(batch)
    assert not Reading.objects.exists()
    assert not SensorDevice.objects.exists()
    # Ids that were rolled back are given out again, so the cache must not have kept them.
    strangers = make_connection()
    box = Datalogger.objects.create(connection=strangers, key="x", identifier="x")
    SensorDevice.objects.create(connection=strangers, datalogger=box, key="x#y", name="y")
    assert pipeline.process(batch).stored == 10
    assert {reading.sensor.connection_id for reading in Reading.objects.all()} == {pipeline.broker.pk}
    assert sum(topic.message_count for topic in DiscoveredTopic.objects.all()) == 10


def test_a_device_deleted_meanwhile_is_made_again(pipeline: Pipeline) -> None:
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.5))
    first = SensorDevice.objects.get()
    Datalogger.objects.all().delete()
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=2.5))
    second = SensorDevice.objects.get()
    assert second.pk != first.pk
    assert second.state.value == 2.5
    Gateway.objects.all().delete()
    pipeline.wait(seconds=2)
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=3.5))
    assert SensorDevice.objects.get() == second
    assert Datalogger.objects.get().gateway == Gateway.objects.get()
    assert not UndecodedMessage.objects.exists()


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
    store.write()
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


class Announcer:
    """A family whose messages announce a device and ask for something."""

    name = "announcer"

    def knows_topic(self, topic: str) -> bool:
        return topic.startswith("announced/")

    def claims(self, _content: Content) -> bool:
        return True

    def decode(self, content: Content) -> Decoded:
        key = content.topic.rpartition("/")[2]
        gateway, box = DeviceRef("base", "G"), DeviceRef(f"base#{key}", content.text[:20], "base", "G")
        return Decoded(
            self.name,
            availability=[DecodedAvailability(gateway, Availability.ONLINE, is_gateway=True)],
            facts=[DecodedFacts(box, {"model": "M1"}, announces=True)],
            announcements=[Announcement(self.name, key, {"unit": "V"}, ("base/b",))],
            requests=[] if content.memory.get(self.name, key) else [Request("base/ask", b"b")],
        )


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


def test_a_last_will_takes_the_gateway_and_all_behind_it_offline_and_traffic_brings_it_back(
    pipeline: Pipeline,
) -> None:
    for serial in ("A", "B"):
        pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(serial, crack=1.5))
    pipeline.send("else/where", '{"x": 1}')
    pipeline.events.clear()
    pipeline.send(f"{GATEWAY}/status", '{"serial_number": "GW-2", "status": "offline"}')
    assert GatewayState.objects.get().availability == "offline"
    states = dict(DataloggerState.objects.values_list("datalogger__identifier", "availability"))
    assert states == {"A": "offline", "B": "offline", "where": "online"}
    assert sorted(SensorState.objects.values_list("availability", flat=True)) == ["offline", "offline", "online"]
    (event,) = [event for event in pipeline.events if isinstance(event, AvailabilityChanged)]
    assert (len(event.gateways), len(event.dataloggers), len(event.sensors)) == (1, 2, 2)
    changes = StatusChange.objects.order_by("pk").values_list("kind", "label", "from_status", "to_status", "reason")
    assert changes[0] == ("gateway", "GW-2", "online", "offline", "said")
    assert {change[4] for change in changes[1:]} == {"gateway_offline"}
    assert len(changes) == 5

    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural("A", crack=1.5))
    assert GatewayState.objects.get().availability == "online"
    states = dict(DataloggerState.objects.values_list("datalogger__identifier", "availability"))
    assert states == {"A": "online", "B": "offline", "where": "online"}
    returned = StatusChange.objects.filter(to_status="online").values_list("kind", "label", "from_status")
    assert set(returned) == {
        ("gateway", "GW-2", "offline"),
        ("datalogger", "A", "offline"),
        ("sensor", "crack", "offline"),
    }


def test_every_turn_inside_one_batch_is_recorded(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    pipeline.process(
        [
            pipeline.message("a/box/LWT", "Offline"),
            pipeline.message("a/box/LWT", "Online"),
            pipeline.message("a/box/LWT", "Offline"),
        ]
    )
    turns = list(StatusChange.objects.filter(kind="datalogger").order_by("pk").values_list("to_status", flat=True))
    assert turns == ["offline", "online", "offline"]
    assert DataloggerState.objects.get().availability == "offline"


def test_an_availability_topic_speaks_for_the_devices_below_it_and_invents_none(pipeline: Pipeline) -> None:
    pipeline.send("radio/lamp", '{"level": 1}')
    pipeline.send("radio/bridge/state", '{"state": "offline"}')
    pipeline.send("unheard/of/LWT", "Offline")
    assert DataloggerState.objects.get().availability == "offline"
    assert Datalogger.objects.count() == 1
    assert not Gateway.objects.exists()


def test_a_prefix_takes_all_below_it_down_and_brings_back_what_is_next_to_it(pipeline: Pipeline) -> None:
    for topic in ("s/plug/temperature", "s/plug/relay/0", "s/plug/relay/0/power", "s/plugged/x"):
        pipeline.send(topic, "1")
    pipeline.send("s/plug/online", "false")
    states = DataloggerState.objects.order_by("datalogger__key").values_list("datalogger__key", "availability")
    assert dict(states) == {
        "s/plug": "offline", "s/plug/relay": "offline", "s/plug/relay/0": "offline", "s/plugged": "online"
    }  # fmt: skip
    assert SensorState.objects.filter(availability="offline").count() == 3
    pipeline.send("s/plug/online", "true")
    assert dict(states.all()) == {
        "s/plug": "online", "s/plug/relay": "online", "s/plug/relay/0": "offline", "s/plugged": "online"
    }  # fmt: skip
    assert dict(Datalogger.objects.values_list("key", "identifier"))["s/plug/relay/0"] == "relay/0"


def test_processes_that_meet_the_same_new_devices_make_them_once(pipeline: Pipeline) -> None:
    batch = [pipeline.message(f"s/box{number}", '{"a": 1, "b": 2, "ts": 1789999000}') for number in range(50)]
    failures: list[Exception] = []

    def run() -> None:
        try:
            MessageProcessor().process(batch, pipeline.tokens)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (Datalogger.objects.count(), SensorDevice.objects.count(), Reading.objects.count()) == (50, 100, 100)
    assert {topic.message_count for topic in DiscoveredTopic.objects.all()} == {4}


def test_presence_is_written_once_a_second(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    first = DataloggerState.objects.get().last_seen_at
    pipeline.send("a/box/level", "2")
    assert DataloggerState.objects.get().last_seen_at == first
    pipeline.wait(seconds=1)
    pipeline.send("a/box/level", "3")
    assert DataloggerState.objects.get().last_seen_at == from_us(pipeline.now_us)


def test_a_device_that_says_with_every_message_that_it_runs_is_heard_with_every_message(pipeline: Pipeline) -> None:
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.5))
    pipeline.wait(seconds=5)
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.6))
    assert DataloggerState.objects.get().last_seen_at == from_us(pipeline.now_us)


def test_a_device_that_another_process_marked_late_returns_with_a_record(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    for model in (DataloggerState, SensorState):
        model.objects.update(availability="late")
    pipeline.wait(minutes=16)
    pipeline.send("a/box/level", "2")
    assert DataloggerState.objects.get().availability == SensorState.objects.get().availability == "online"
    changes = StatusChange.objects.values_list("kind", "from_status", "to_status", "reason")
    assert set(changes) == {("datalogger", "late", "online", "heard"), ("sensor", "late", "online", "heard")}


def test_our_own_birth_and_will_are_no_discovery(pipeline: Pipeline) -> None:
    birth = pipeline.message("vedetta/vedetta-12ab/status", "online", retain=True)
    pipeline.process([birth, pipeline.message("hall/north", "21.5")])
    assert list(DiscoveredTopic.objects.values_list("topic", flat=True)) == ["hall/north"]
    assert UndecodedMessage.objects.count() == 0


def test_invented_names_do_not_fill_the_disk(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (device_directory, topic_statistics):
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
