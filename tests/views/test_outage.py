"""What people and programs are told while the database is away; tests/system/test_outage.py takes it away."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client, RequestFactory

from app.outage import OUTAGE, CloseWhileAway, DatabaseOutageMiddleware
from mqtt.views import errors
from mqtt.views.outage import database_away
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until_over() -> None:
    wait_for(lambda: not OUTAGE.is_known, what="the outage being over")
    wait_for(lambda: all(one.name != "outage" for one in threading.enumerate()), what="the end of the thread")


def test_the_page_needs_no_database_and_loads_itself_again(rf: RequestFactory, django_db_blocker: object) -> None:
    with django_db_blocker.block():  # type: ignore[attr-defined]
        page = database_away(rf.get("/sensors/"))
    assert (page.status_code, page["Refresh"], page["Retry-After"]) == (503, "5", "5")
    assert "The database does not answer" in page.content.decode()
    assert "loads itself again every 5 seconds" in page.content.decode()


def test_what_was_sent_is_not_sent_again_by_itself(rf: RequestFactory) -> None:
    page = database_away(rf.post("/connections/1/enable/"))
    assert "Refresh" not in page.headers
    assert "probably not saved" in page.content.decode()


def test_programs_get_json(rf: RequestFactory) -> None:
    answer = database_away(rf.get("/api/v1/mqtt/sensors/"))
    assert answer["Content-Type"] == "application/json"
    assert b"The database does not answer" in answer.content


def test_one_thread_asks_and_all_others_are_told_at_once(
    client: Client, viewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(viewer)
    OUTAGE._since = 1.0  # known, and nobody asks
    try:
        assert client.get("/sensors/").status_code == 503
        assert client.get("/api/v1/mqtt/sensors/").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code in {200, 503}
    finally:
        OUTAGE._since = 0.0
    OUTAGE.note(OperationalError("away"))
    wait_until_over()
    assert client.get("/sensors/").status_code == 200
    assert sum("The database does not answer, pages say so: away" in text for text in caplog.messages) == 1
    assert sum("The database answers again" in text for text in caplog.messages) == 1
    assert not any("Service Unavailable" in text for text in caplog.messages), "once is enough"


def test_only_a_database_that_is_away_is_an_outage(rf: RequestFactory) -> None:
    middleware = DatabaseOutageMiddleware(database_away)
    assert middleware.process_exception(rf.get("/"), ValueError("ours")) is None
    answer = middleware.process_exception(rf.get("/"), OperationalError("away"))
    assert answer
    assert answer.status_code == 503
    wait_until_over()


def test_an_error_outside_of_the_views_is_told_as_the_outage_that_it_is(rf: RequestFactory) -> None:
    def fail() -> None:
        raise OperationalError("away")

    try:
        fail()
    except OperationalError:
        assert errors.server_error(rf.get("/")).status_code == 503
    assert errors.server_error(rf.get("/")).status_code == 500


async def test_a_socket_is_closed_so_that_the_browser_comes_back() -> None:
    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def fails(*_: object) -> None:
        raise OperationalError("away")

    await CloseWhileAway(fails)({}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1013}]
    wait_until_over()


def test_a_full_disk_is_said_as_such_and_is_no_outage(rf: RequestFactory, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small")) as small:
        small.execute("CREATE TABLE t (x)")
        small.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")
    error = OperationalError(str(full.value))
    error.__cause__ = full.value
    middleware = DatabaseOutageMiddleware(lambda _: database_away(rf.get("/")))
    page = middleware.process_exception(rf.post("/login/"), error)
    answer = middleware.process_exception(rf.post("/api/v1/mqtt/sites/"), error)
    assert page
    assert answer
    assert (page.status_code, answer.status_code) == (503, 503)
    assert "its disk is full" in page.content.decode()
    assert "probably not saved" in page.content.decode()
    assert b"its disk is full" in answer.content
    assert not OUTAGE.is_known
