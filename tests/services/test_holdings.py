"""The connections that an mqtt process holds: what becomes of one with which something goes wrong."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, OperationalError

from mqtt.enums import ConnectionStatus
from mqtt.models import MqttConnection
from mqtt.services.holding import held_connection
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.holding.holdings import Holdings
from mqtt.services.holding.leases import Leases, new_holder
from mqtt.services.holding.wake_ups import Alarm
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions.broker_session import BrokerSession
from tests.factories import make_connection
from tests.servers import PATIENCE

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


@pytest.fixture
def holdings() -> Iterator[Holdings]:
    """Those of a process without a loop; what still runs in the end is left."""
    ours = Holdings(Leases(new_holder("one")), Inbox(), Alarm())
    yield ours
    for session in ours.stop():
        assert session.join(PATIENCE)


def no_room(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def nobody_there() -> MqttConnection:
    """A connection to a port on which nobody answers."""
    return make_connection(leased=False, host="127.0.0.1", port=9)


def test_a_session_for_which_there_is_no_thread_is_told_and_begun_later(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = nobody_there()
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", no_room)
        holdings.look()
        holdings.write_reports()
    connection.refresh_from_db()
    assert (connection.status, connection.status_reason) == (ConnectionStatus.ERROR, "internal_error")
    assert "thread" in connection.status_context["detail"]
    holdings.look()
    assert holdings.held[connection.pk].session.is_finished, "not at once"  # type: ignore[union-attr]
    monkeypatch.setattr(held_connection, "RESTART_AFTER", 0.0)
    holdings.look()
    assert not holdings.held[connection.pk].session.is_finished  # type: ignore[union-attr]


def test_a_broker_that_is_left_while_there_is_no_thread_is_still_told_to_forget_us(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = nobody_there()
    holdings.look()
    former = holdings.held[connection.pk].session
    assert former
    former.is_kept = True  # as after a link
    MqttConnection.objects.filter(pk=connection.pk).update(client_id="another", settings_revision=77)
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", no_room)
        holdings.look()
    holdings.write_reports()
    monkeypatch.setattr(held_connection, "RESTART_AFTER", 0.0)
    holdings.look()
    session = holdings.held[connection.pk].session
    assert session
    assert session is not former
    session.stop(end_session=False)
    assert session.join(PATIENCE)
    assert [one.client_id for one in session.leftovers] == [former.settings.client_id]


def test_a_connection_that_is_switched_off_after_its_session_failed_still_leaves_its_broker(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = nobody_there()
    with monkeypatch.context() as broken:
        broken.setattr(BrokerSession, "_inherit", lambda _: 1 / 0)
        holdings.look()
        assert holdings.held[connection.pk].session.join(PATIENCE)  # type: ignore[union-attr]
    holdings.write_reports()
    MqttConnection.objects.filter(pk=connection.pk).update(is_enabled=False)
    monkeypatch.setattr(held_connection, "RESTART_AFTER", 0.0)
    holdings.look()
    assert holdings.held[connection.pk].session.join(PATIENCE)  # type: ignore[union-attr]
    holdings.write_reports()
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.DISABLED
    assert not holdings.held


@pytest.mark.parametrize("step", ["begin", "follow", "write_reports"])
def test_what_goes_wrong_with_one_connection_is_not_the_others_trouble(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    broken, sound = make_connection(leased=False), make_connection(leased=False)
    done: set[int] = set()

    def one_fails(one: HeldConnection, *_: Any) -> bool:
        done.add(one.connection_id)
        if one.connection_id == broken.pk:
            raise DataError("value too long for type character varying(100)")
        return False

    for name in ("begin", "follow", "write_reports"):
        monkeypatch.setattr(HeldConnection, name, one_fails if name == step else lambda *_: False)
    for _ in range(3):  # a process with many takes few at each look
        holdings.look()
        holdings.write_reports()
    assert done == {broken.pk, sound.pk}
    assert f"Connection {broken.pk}" in caplog.text
    assert "value too long" in caplog.text
    assert sound.pk in holdings.held
