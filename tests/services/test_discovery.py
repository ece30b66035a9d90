from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from mqtt.enums import NodeKind
from mqtt.messages import InboundMessage
from mqtt.models import AuditEntry, Datalogger, Gateway, MqttConnection, SensorDevice, UndecodedMessage, to_us
from mqtt.services import discovery
from mqtt.services.audit import Actor
from mqtt.services.discovery import accept, room_for_new
from mqtt.services.pipeline.batch_outcome import ProcessedBatch
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests import factories

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> MqttConnection:
    """A connection whose first device came two hours ago; three new ones an hour are taken."""
    monkeypatch.setattr(discovery, "NEW_AN_HOUR", 3)
    made = factories.make_connection()
    age(factories.make_datalogger(made, identifier="first"), timedelta(hours=2))
    return made


def age(device: Any, since: timedelta) -> None:
    type(device).objects.filter(pk=device.pk).update(created_at=timezone.now() - since)


def send(connection: MqttConnection, *names: str) -> ProcessedBatch:
    """One message of each device in one batch."""
    now = to_us(timezone.now())
    batch = [
        InboundMessage(connection.pk, f"plant/{name}", b'{"v": 1}', 1, False, now + number)
        for number, name in enumerate(names)
    ]
    return MessageProcessor().process(batch, {connection.pk: connection.lease.token})


def test_an_installation_introduces_itself_freely_in_its_first_hour() -> None:
    connection = factories.make_connection()
    assert room_for_new(connection.pk) is None
    send(connection, *(f"d{number}" for number in range(60)))
    assert room_for_new(connection.pk) is None
    assert Datalogger.objects.filter(accepted_at=None).count() == 60


def test_later_only_so_many_new_devices_are_taken_and_the_rest_is_counted(connection: MqttConnection) -> None:
    processed = send(connection, "a", "b", "c", "d", "e", "a")
    assert set(Datalogger.objects.values_list("identifier", flat=True)) == {"first", "a", "b", "c"}
    assert processed.counts[connection.pk].refused == 2
    assert list(UndecodedMessage.objects.values_list("reason", "context")) == [("too_many_new", {"limit": 50})] * 2


def test_accepting_makes_room_for_more(connection: MqttConnection, administrator: User) -> None:
    send(connection, "a", "b", "c", "d")
    assert room_for_new(connection.pk) == 0
    count = accept(Actor.of(administrator, "web"), NodeKind.DATALOGGER, Datalogger.objects.exclude(identifier="c"))
    assert count == 3
    assert room_for_new(connection.pk) == 2
    assert AuditEntry.objects.get().details == {"dataloggers": 3}
    send(connection, "d")
    assert SensorDevice.objects.filter(datalogger__identifier="d").exists()


def test_after_an_hour_there_is_room_again(connection: MqttConnection) -> None:
    send(connection, "a", "b", "c")
    for device in Datalogger.objects.all():
        age(device, timedelta(hours=3))
    assert room_for_new(connection.pk) == 3


def test_gateways_count_too(connection: MqttConnection) -> None:
    for _ in range(2):
        factories.make_gateway(connection)
    assert room_for_new(connection.pk) == 1


def test_known_devices_are_never_refused(connection: MqttConnection) -> None:
    send(connection, "a", "b", "c")
    assert send(connection, "a", "b", "c").counts[connection.pk].refused == 0
    assert not Gateway.objects.exists()
