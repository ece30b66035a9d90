"""The connections that an mqtt process holds: what becomes of one while the database goes away."""

from typing import Any

import pytest
from django.db import OperationalError

from mqtt.models import MqttConnection
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.holding.holdings import Holdings
from mqtt.services.holding.leases import Leases, new_holder
from mqtt.services.holding.wake_ups import Alarm
from mqtt.services.pipeline.inbox import Inbox
from tests.factories import make_connection

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.parametrize("failing", ["the row", "its beginning"])
def test_a_connection_whose_taking_failed_halfway_is_taken_with_the_next_look(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    connection = make_connection(leased=False)
    leases = Leases(new_holder("one"))
    holdings = Holdings(leases, Inbox(), Alarm())
    begun: list[int] = []

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as outage:
        if failing == "the row":
            outage.setattr(MqttConnection.all_objects, "filter", away)
        else:
            outage.setattr(HeldConnection, "begin", away)
        with pytest.raises(OperationalError):
            holdings.look()
    assert not holdings.held
    assert not leases.tokens(), "a lease that is renewed while nobody runs its session keeps all others away"
    monkeypatch.setattr(HeldConnection, "begin", lambda one, *_: begun.append(one.connection_id))
    holdings.look()
    assert begun == [connection.pk]
    assert holdings.held.keys() == leases.tokens().keys() == {connection.pk}
