"""Several mqtt processes share the connections, without losing or doubling a reading on the way."""

from collections import Counter

import pytest

from mqtt.models import ConnectionLease, MqttWorker
from mqtt.services.holding.shares import Shares
from tests import servers
from tests.servers import wait_for
from tests.services.mqtt_processes import Publisher, Start, create, lost_and_doubled, wait_granted, wait_until_stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def holders() -> dict[str, int]:
    return dict(Counter(lease.holder.split(" ")[0] for lease in ConnectionLease.objects.exclude(holder="")))


@pytest.mark.mosquitto
@pytest.mark.usefixtures("valkey")
def test_processes_that_join_take_over_their_share_and_nothing_is_lost(
    start: Start, own_broker: servers.Server
) -> None:
    held = [create(own_broker, f"{n}/#", name=f"Plant {n}", client_id=f"plant-{n}") for n in range(6)]
    start("one")
    for connection in held:
        wait_granted(connection)
    with Publisher(own_broker.port, 100_000, 400, tuple(f"{n}/m/x" for n in range(6))) as publisher:
        start("two")
        wait_for(lambda: holders() == {"one": 3, "two": 3}, what="a fair share for two")
        start("three")
        wait_for(lambda: holders() == {"one": 2, "two": 2, "three": 2}, what="a fair share for three")
        before = list(ConnectionLease.objects.order_by("pk").values_list("token", flat=True))
        publisher.end()
    wait_until_stored(publisher.sent)
    assert lost_and_doubled(publisher.sent) == (0, 0)
    after = list(ConnectionLease.objects.order_by("pk").values_list("token", flat=True))
    assert after == before, "who holds its share neither gives nor takes"


def test_a_share_is_rounded_up_and_left_again() -> None:
    one, two = Shares("one"), Shares("two")
    one.beat()
    assert one.may_take([1, 2, 3], 0, 3) == [1, 2, 3]
    two.beat()
    assert one.may_take([1, 2, 3], 0, 3) == [1, 2]
    assert two.may_take([1, 2, 3], 1, 3) == [1]
    assert not one.has_too_many(3, 3), "two may be one that keeps dying"
    MqttWorker.objects.update(started_at="2026-01-01T00:00Z")
    assert one.has_too_many(3, 3)
    assert not one.has_too_many(2, 3)
    two.leave()
    assert not one.has_too_many(3, 3)
