"""What an mqtt process does with a connection that it has just taken when the database goes away that moment."""

from typing import Any

import pytest
from django.db import OperationalError

from mqtt.models import MqttConnection
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.mqtt_service import MqttService
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.factories import make_connection

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.parametrize("failing", ["the row", "its beginning"])
def test_a_connection_whose_taking_failed_halfway_is_taken_with_the_next_look(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    connection = make_connection(leased=False)
    service = MqttService(MessageProcessor())
    begun: list[int] = []

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as outage:
        if failing == "the row":
            outage.setattr(MqttConnection.all_objects, "filter", away)
        else:
            outage.setattr(HeldConnection, "begin", away)
        with pytest.raises(OperationalError):
            service._look_at_rows()
    assert not service.held
    assert not service.leases.tokens(), "a lease that is renewed while nobody runs its session keeps all others away"
    monkeypatch.setattr(HeldConnection, "begin", lambda one, *_: begun.append(one.connection_id))
    service._look_at_rows()
    assert begun == [connection.pk]
    assert service.held.keys() == service.leases.tokens().keys() == {connection.pk}
