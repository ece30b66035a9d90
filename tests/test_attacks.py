"""Attacks from the network against what is easily forgotten: bodies, caches, foreign pages, lists of secrets."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from app.bodies import MAX_BODY
from app.middleware import CONTENT_POLICY
from mqtt.consumers import MOST_MESSAGES, TOO_MANY
from mqtt.encryption import encrypt
from tests import factories
from tests.live_sockets import connect
from tests.servers import PATIENCE
from tests.web_process import web_running

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["/", "/login/", "/connections/1/edit/", "/account/", "/audit/", "/admin/", "/api/v1/docs/", "/api/v1/schema/",
         "/api/v1/mqtt/connections/", "/api/nothing", "/nothing", "/static/nothing", "/healthz"]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_the_policy_and_stays_in_no_cache(path: str, administrator: Any) -> None:
    factories.make_connection()
    client = Client()
    for _ in range(2):
        answer = client.get(path)
        assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
        kept = answer.headers["Cache-Control"]
        # Programs may keep a list for themselves, and ask each time whether it is still true.
        assert "no-store" in kept or (path.startswith("/api/v1/mqtt/") and kept == "private, no-cache")
        client.force_login(administrator)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "\x00//e",
    ],
)
def test_a_login_leads_nowhere_else(target: str, viewer: Any) -> None:
    answer = Client().post("/login/", {"username": "viewer", "password": "viewer-password", "next": target})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.django_db
def test_a_session_from_before_the_login_is_worth_nothing(viewer: Any) -> None:
    client = Client()
    client.cookies["sessionid"] = "chosen-by-a-stranger"
    client.post("/login/", {"username": "viewer", "password": "viewer-password"})
    session = client.cookies["sessionid"]
    assert session.value != "chosen-by-a-stranger"
    assert session["httponly"]
    assert session["samesite"] == "Lax"


@pytest.mark.django_db
def test_a_viewer_can_write_nothing(viewer: Any) -> None:
    connection = factories.make_connection()
    client = Client()
    client.force_login(viewer)
    own = re.compile("(login|logout|account|password|token|set_language|healthz|readyz|search|overview|-list$)")
    urls = get_resolver().reverse_dict
    tried = 0
    for name in urls:
        if not isinstance(name, str) or own.search(name):
            continue
        pattern, names = urls[name][0][0]
        path = "/" + pattern % dict.fromkeys(names, connection.pk)
        if path.startswith("/api/"):
            continue
        answer = client.post(path, {"name": "x", "confirmed": "1"})
        assert answer.status_code in {403, 404, 405}, path
        tried += 1
    assert tried > 20
    for method in ("post", "put", "patch", "delete"):
        for path in (f"{connection.pk}/", f"{connection.pk}/enable/", f"{connection.pk}/test/", ""):
            answer = getattr(client, method)(f"/api/v1/mqtt/connections/{path}", {}, content_type="application/json")
            assert answer.status_code in {403, 405}, (method, path)
    connection.refresh_from_db()
    assert connection.name != "x"


@pytest.mark.django_db
def test_no_page_shows_a_secret_or_what_it_is_stored_as(administrator: Any) -> None:
    token = encrypt("tr0mbone-secret")
    connection = factories.make_connection(password_token=token, client_key_token=token)
    client = Client()
    client.force_login(administrator)
    for path in (
        f"/connections/{connection.pk}/", f"/connections/{connection.pk}/edit/", "/connections/", "/audit/",
        f"/admin/mqtt/mqttconnection/{connection.pk}/change/", f"/admin/mqtt/mqttconnection/{connection.pk}/history/",
        f"/api/v1/mqtt/connections/{connection.pk}/", "/search/?q=tr0mbone",
        "/admin/mqtt/mqttconnection/?password_token__startswith=g", f"/api/v1/mqtt/connections/?password_token={token}",
    ):  # fmt: skip
        body = client.get(path).content.decode()
        assert token not in body.replace(f"password_token={token}", ""), path
        assert "tr0mbone-secret" not in body, path


@pytest.mark.django_db
def test_a_name_cannot_hide_or_turn_round_what_stands_beside_it(viewer: Any) -> None:
    sensor = factories.make_sensor(name="pump\u202egnp.exe\x07\x9b", text="open\u2066")
    client = Client()
    client.force_login(viewer)
    for path in ("/sensors/", f"/sensors/{sensor.pk}/", "/search/?q=pump"):
        page = client.get(path).content.decode()
        assert "pump\ufffdgnp.exe\ufffd\ufffd" in page
        assert not set(page) & set("\u202e\u2066\x07\x9b")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
async def test_a_browser_that_talks_without_end_is_sent_away(viewer: Any) -> None:
    page, is_in, _ = await connect("/ws/overview/", viewer)
    assert is_in
    for _ in range(MOST_MESSAGES + 5):
        await page.send_to(text_data="{}")
    while (message := await page.receive_output(PATIENCE))["type"] == "websocket.send":
        pass
    assert message["code"] == TOO_MANY


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    with web_running() as port:
        yield port


def answer_to(port: int, head: str, body: bytes) -> bytes:
    """The first line of the answer to a body of MAX_BODY pieces, or nothing when the server hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
        wire.sendall(f"POST /api/nothing HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
        try:
            for _ in range(40):
                wire.sendall(body)
            return wire.recv(100).partition(b"\r\n")[0]
        except OSError:
            return b""


def test_a_body_without_end_is_refused_before_it_fills_the_disk(web: int) -> None:
    piece = b"x" * (MAX_BODY // 8)
    announced = answer_to(web, f"Content-Length: {100 * MAX_BODY}", b"")
    assert b"413" in announced
    sent = answer_to(web, "Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(piece), piece))
    assert sent == b"" or b"413" in sent
    fine = answer_to(web, "Content-Length: 400\r\nContent-Type: application/x-www-form-urlencoded", b"a=12345678")
    assert b"404" in fine


def test_a_foreign_host_is_one_line_in_the_log(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALLOWED_HOSTS = ["console.example"]
    assert Client().get("/login/", headers={"host": "evil.example"}).status_code == 400
    record = next(one for one in caplog.records if one.name == "django.security.DisallowedHost")
    assert "ALLOWED_HOSTS" in record.getMessage()
    assert not record.exc_info


@pytest.mark.django_db
def test_a_wrong_form_of_an_export_is_one_line_in_the_log(
    client: Client, viewer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(viewer)
    assert client.get("/sensors/?export=zip").status_code == 400
    assert [(one.levelname, one.exc_info) for one in caplog.records if one.name == "django.request"] == [
        ("WARNING", None)
    ]
