"""What a redelivery means: stored already, or not."""

from typing import Any

import pytest
from django.db import transaction

from mqtt.messages import InboundMessage
from mqtt.models import CommittedPackets, MqttConnection
from mqtt.services.pipeline import packet_log
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.packet_log import PacketLog
from tests.factories import make_connection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def broker() -> MqttConnection:
    return make_connection()


def message(broker: MqttConnection, mid: int, payload: bytes = b"21.5", **fields: Any) -> InboundMessage:
    return InboundMessage(broker.pk, "site/box", payload, 1, False, 1, mid=mid, **fields)


def again(broker: MqttConnection, mid: int, payload: bytes = b"21.5") -> InboundMessage:
    return message(broker, mid, payload, dup=True, redelivered=True)


def commit(log: PacketLog, *messages: InboundMessage) -> set[int]:
    writes = Writes()
    with transaction.atomic():
        repeated = log.take(messages)
        log.write(writes)
        writes.run()
    log.commit()
    return repeated


def test_what_was_committed_is_known_to_this_process_and_to_the_next(broker: MqttConnection) -> None:
    log = PacketLog()
    assert commit(log, message(broker, 1), message(broker, 2)) == set()
    for one in (log, PacketLog()):
        assert commit(one, again(broker, 1), again(broker, 2)) == {0, 1}
    assert commit(PacketLog(), again(broker, 2), again(broker, 3)) == {0}


def test_only_the_same_id_with_the_same_content_is_the_same_packet(broker: MqttConnection) -> None:
    log = PacketLog()
    commit(log, message(broker, 1))
    other = again(broker, 1)
    other.topic = "site/other"
    assert commit(log, again(broker, 1, b"22"), again(broker, 2), other) == set()


def test_without_dup_after_a_kept_session_nothing_is_recognised(broker: MqttConnection) -> None:
    log = PacketLog()
    commit(log, message(broker, 1))
    assert commit(log, message(broker, 1), message(broker, 1, dup=True)) == set()


def test_a_new_session_forgets_everything_so_that_no_new_reading_is_dropped(broker: MqttConnection) -> None:
    log = PacketLog()
    commit(log, message(broker, 1))
    begin = InboundMessage(broker.pk, "", b"", 1, False, 1, begins_session=True)
    assert commit(log, begin) == {0}
    assert not CommittedPackets.objects.exists()
    for one in (log, PacketLog()):
        assert commit(one, again(broker, 1)) == set()
        CommittedPackets.objects.all().delete()


def test_a_new_session_within_a_batch_divides_it(broker: MqttConnection) -> None:
    log = PacketLog()
    begin = InboundMessage(broker.pk, "", b"", 1, False, 1, begins_session=True)
    assert commit(log, message(broker, 1), message(broker, 2), begin, message(broker, 2)) == {2}
    assert commit(PacketLog(), again(broker, 1), again(broker, 2)) == {1}


def test_a_batch_with_the_first_and_the_second_delivery_stores_one(broker: MqttConnection) -> None:
    assert commit(PacketLog(), message(broker, 1), again(broker, 1)) == {1}


def test_a_rolled_back_batch_leaves_nothing(broker: MqttConnection) -> None:
    log = PacketLog()
    first = message(broker, 1)
    log.take([first])
    log.rollback()
    assert commit(log, again(broker, 1)) == set()
    assert not first.is_noted


def test_a_batch_that_is_tried_again_after_half_of_it_was_committed_is_no_reuse(broker: MqttConnection) -> None:
    log = PacketLog()
    batch = [message(broker, 1), message(broker, 2)]
    commit(log, *batch)
    assert commit(log, *batch, message(broker, 3)) == set()
    assert commit(log, again(broker, 2), again(broker, 3)) == {0, 1}


def test_a_broker_that_gives_ids_out_again_at_once_proves_nothing(broker: MqttConnection) -> None:
    log = PacketLog()
    commit(log, message(broker, 1))
    commit(log, message(broker, 1))
    for one in (log, PacketLog()):
        assert commit(one, again(broker, 1)) == set()


def test_the_log_is_bounded_and_keeps_the_newest(broker: MqttConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_log, "KEPT", 300)
    monkeypatch.setattr(packet_log, "PIECE", 50 * packet_log.ENTRY)
    monkeypatch.setattr(packet_log, "SLOTS", 7)
    log = PacketLog()
    for start in range(1, 2001, 10):
        commit(log, *(message(broker, mid) for mid in range(start, start + 10)))
    assert CommittedPackets.objects.count() == 7
    fresh = PacketLog()
    assert commit(fresh, *(again(broker, mid) for mid in (1500, 1701, 2000))) == {1, 2}


def test_connections_do_not_know_each_others_packets(broker: MqttConnection) -> None:
    log, other = PacketLog(), make_connection()
    assert commit(log, message(broker, 1), again(other, 1)) == set()
    assert commit(PacketLog(), again(broker, 1), again(other, 1)) == {0, 1}


def test_forgetting_reads_again_what_another_holder_wrote(broker: MqttConnection) -> None:
    log = PacketLog()
    commit(log, message(broker, 1))
    commit(PacketLog(), message(broker, 2))
    log.forget([broker.pk])
    assert commit(log, again(broker, 1), again(broker, 2)) == {0, 1}
