from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from mqtt.encryption import encrypt
from mqtt.models import ConnectionTest
from mqtt.services.connection_tester import AT_ONCE, ConnectionTester
from mqtt.services.connection_tester.walk import PATIENCE
from tests import servers
from tests.factories import make_connection
from tests.listeners import listening, silent
from tests.servers import wait_for

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def tester(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionTester]:
    for name in ("connect", "message"):
        monkeypatch.setitem(PATIENCE, name, 1.0)
    tester = ConnectionTester()
    yield tester
    tester.stop()


def _ended(test: ConnectionTest) -> bool:
    test.refresh_from_db()
    return test.finished_at is not None


def test_a_queued_test_is_claimed_once_and_walked_to_its_end(tester: ConnectionTester, broker: servers.Server) -> None:
    connection = make_connection(host="127.0.0.1", port=broker.port)
    test = ConnectionTest.objects.create(connection=connection)
    assert tester.start_queued() == 1
    assert ConnectionTester().start_queued() == 0
    wait_for(lambda: _ended(test), what="the end of the test")
    assert test.state == "done"
    assert [step["name"] for step in test.steps] == ["name", "tcp", "connect", "subscribe", "message"]


def test_a_failed_test_keeps_the_steps_that_were_not_tried(tester: ConnectionTester) -> None:
    connection = make_connection(host="127.0.0.1", port=servers.free_port())
    test = ConnectionTest.objects.create(connection=connection)
    tester.start_queued()
    wait_for(lambda: _ended(test), what="the end of the test")
    assert test.state == "failed"
    assert [step["state"] for step in test.steps] == ["ok", "failed", "waiting", "waiting", "waiting"]


def test_a_request_that_nobody_watches_any_more_is_left_alone(tester: ConnectionTester) -> None:
    test = ConnectionTest.objects.create(connection=make_connection())
    ConnectionTest.objects.filter(pk=test.pk).update(requested_at=timezone.now() - timedelta(minutes=5))
    assert tester.start_queued() == 0


def test_only_a_few_run_at_once_and_a_stop_says_so(tester: ConnectionTester) -> None:
    with listening(silent) as port:
        connection = make_connection(host="127.0.0.1", port=port)
        tests = [ConnectionTest.objects.create(connection=connection) for _ in range(AT_ONCE + 2)]
        assert tester.start_queued() == AT_ONCE
        assert tester.start_queued() == 0
        wait_for(lambda: ConnectionTest.objects.exclude(steps=[]).count() == AT_ONCE, what="first steps")
        tester.stop(5)
    for test in tests[:AT_ONCE]:
        assert _ended(test)
        assert test.state == "failed"


def test_a_connection_that_is_deleted_meanwhile_ends_its_test_quietly(
    tester: ConnectionTester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATIENCE, "connect", 1.0)
    monkeypatch.setattr("mqtt.services.connection_tester.walk.SECOND_LOOK", 1.0)
    with listening(silent) as port:
        connection = make_connection(host="127.0.0.1", port=port)
        ConnectionTest.objects.create(connection=connection)
        tester.start_queued()
        wait_for(lambda: ConnectionTest.objects.exclude(steps=[]).exists(), what="first steps")
        ConnectionTest.objects.all().delete()
        wait_for(lambda: not tester._threads[0].is_alive(), what="the end of the thread")


def test_a_password_that_cannot_be_read_any_more_is_named(
    tester: ConnectionTester, settings: object, broker: servers.Server
) -> None:
    connection = make_connection(host="127.0.0.1", port=broker.port, password_token=encrypt("secret"))
    settings.CREDENTIALS_KEYS = ["HlGWmlLHa9wS8hFyDwR2CPhqrR5mAnYpQJ8c4H6mXn8="]  # type: ignore[attr-defined]
    test = ConnectionTest.objects.create(connection=connection)
    tester.start_queued()
    wait_for(lambda: _ended(test), what="the end of the test")
    assert (test.state, test.steps[0]["reason"]) == ("failed", "secret_unreadable")
