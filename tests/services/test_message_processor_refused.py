"""What the database refuses, or another process holds: nothing good is lost with it."""

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from mqtt.decoders import registry
from mqtt.enums import NodeKind
from mqtt.models import (
    Datalogger,
    DeviceAlias,
    DeviceAnnouncement,
    DiscoveredTopic,
    Gateway,
    Reading,
    SensorDevice,
    UndecodedMessage,
)
from mqtt.services import announcements
from mqtt.services.pipeline import batch_store, undecoded
from tests.factories import make_connection
from tests.services.pipeline import GATEWAY, Announcer, Pipeline, structural

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


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

    def refusing(writes: Any, rows: Any) -> None:
        if "poison" in rows.texts:
            raise DatabaseError("value\0 out of range")
        insert(writes, rows)

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

    def refusing(*_given: Any) -> None:
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


def test_a_sensor_that_was_rolled_back_is_forgotten_under_every_key_of_its_device(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_work: Any) -> None:
        raise OperationalError("the database is away")

    pipeline.send("site/box", '{"level": 1}')
    box = Datalogger.objects.get()
    DeviceAlias.objects.create(connection=pipeline.broker, kind=NodeKind.DATALOGGER, key="site/new", datalogger=box)
    pipeline.send("site/new", '{"level": 2}')
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.processor, "_keep_undecoded", away)
        with pytest.raises(OperationalError):
            pipeline.send("site/box", '{"pressure": 1}')
    # Its id is given out again.
    strangers = make_connection()
    other = Datalogger.objects.create(connection=strangers, key="x", identifier="x")
    foreign = SensorDevice.objects.create(connection=strangers, datalogger=other, key="x#y", name="y")
    pipeline.send("site/new", '{"pressure": 2}')
    assert not Reading.objects.filter(sensor=foreign).exists()
    assert SensorDevice.objects.get(name="pressure").state.value == 2.0


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
