"""The one writer of the status."""

import uuid

import pytest

from mqtt.models import MqttConnection, StatusChange
from mqtt.services.session_status import set_status
from tests.factories import make_connection, make_lease

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_change_is_written_with_its_reason_and_recorded() -> None:
    connection = make_connection(status="connected")
    before = connection.status_changed_at
    assert set_status(connection.pk, "disconnected", "refused", {"host": "a", "port": 1}, retry_count=2)
    connection.refresh_from_db()
    assert (connection.status, connection.status_reason, connection.retry_count) == ("disconnected", "refused", 2)
    assert "nothing listens on port 1." in connection.status_detail
    assert connection.status_changed_at > before
    change = StatusChange.objects.get()
    assert (change.from_status, change.to_status, change.label) == ("connected", "disconnected", connection.name)


def test_another_reason_without_another_status_is_no_change_of_status() -> None:
    connection = make_connection(status="disconnected")
    since = connection.status_changed_at
    set_status(connection.pk, "disconnected", "timeout")
    connection.refresh_from_db()
    assert (connection.status_reason, connection.status_changed_at) == ("timeout", since)
    assert not StatusChange.objects.exists()


def test_only_the_holder_of_the_lease_may_write() -> None:
    connection = make_connection(status="connected")
    lease = make_lease(connection)
    assert not set_status(connection.pk, "error", token=uuid.uuid4())
    assert MqttConnection.objects.get().status == "connected"
    assert set_status(connection.pk, "error", token=lease.token)
    assert not set_status(999_999, "error")


def test_a_name_changed_meanwhile_is_not_written_back() -> None:
    connection = make_connection(status="connected")
    MqttConnection.objects.update(name="Renamed")
    set_status(connection.pk, "silent")
    assert MqttConnection.objects.get().name == "Renamed"


def test_every_status_is_announced_after_the_commit(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr("mqtt.signals.broadcast_status_update", lambda pk, status, changed: sent.append((pk, status)))
    connection = make_connection(status="connected")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        set_status(connection.pk, "error", "taken_over")
        assert not sent
    assert sent == [(connection.pk, "error")]
