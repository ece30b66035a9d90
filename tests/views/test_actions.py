import json
from typing import Any

import pytest
from django.test import Client

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry, MqttConnection
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
ACTIONS = ["enable", "disable", "resubscribe", "retry"]


@pytest.fixture
def connection() -> MqttConnection:
    return factories.make_connection()


def press(client: Client, connection: MqttConnection, action: str, data: Any = None, **headers: Any) -> Any:
    return client.post(f"/connections/{connection.pk}/{action}/", data or {}, **headers)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_viewer_may_not_press(client: Client, viewer: Any, connection: MqttConnection, action: str) -> None:
    client.force_login(viewer)
    assert press(client, connection, action, **HTMX).status_code == 403
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_looking_at_a_button_does_nothing(
    client: Client, operator: Any, connection: MqttConnection, action: str
) -> None:
    client.force_login(operator)
    assert client.get(f"/connections/{connection.pk}/{action}/").status_code == 405
    assert not AuditEntry.objects.exists()


def test_htmx_gets_the_row_back(client: Client, operator: Any, connection: MqttConnection) -> None:
    client.force_login(operator)
    response = press(client, connection, "disable", **HTMX)
    html = response.content.decode()
    assert html.startswith(f'<tr id="connection-{connection.pk}"')
    assert 'data-action="enable"' in html
    assert "HX-Request" in response.headers["Vary"]
    connection.refresh_from_db()
    assert not connection.is_enabled
    assert AuditEntry.objects.get().via == "web"


def test_a_plain_form_is_asked_before_it_disables(client: Client, operator: Any, connection: MqttConnection) -> None:
    client.force_login(operator)
    asked = press(client, connection, "disable", {"next": "/sensors/"})
    assert b'name="confirmed"' in asked.content
    connection.refresh_from_db()
    assert connection.is_enabled
    done = press(client, connection, "disable", {"next": "/sensors/", "confirmed": "1"})
    assert done.headers["Location"] == "/sensors/"
    connection.refresh_from_db()
    assert not connection.is_enabled


def test_a_plain_form_never_leads_elsewhere(client: Client, operator: Any, connection: MqttConnection) -> None:
    client.force_login(operator)
    done = press(client, connection, "retry", {"next": "https://elsewhere.example/"})
    assert done.headers["Location"] == "/connections/"


def test_a_refusal_is_said(client: Client, operator: Any, connection: MqttConnection, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise ServiceError("empty")

    monkeypatch.setattr("mqtt.services.connections.resubscribe_connection", refuse)
    client.force_login(operator)
    response = press(client, connection, "resubscribe", **HTMX)
    assert json.loads(response.headers["HX-Trigger"])["console:note"]["text"] == "The message has no content."


def test_a_connection_that_is_gone_is_not_found(client: Client, operator: Any, connection: MqttConnection) -> None:
    client.force_login(operator)
    MqttConnection.objects.all().delete()
    assert press(client, connection, "enable", **HTMX).status_code == 404


@pytest.mark.parametrize("action", ACTIONS)
def test_on_its_own_page_the_answer_is_the_buttons_anew(
    client: Client, operator: Any, connection: MqttConnection, action: str
) -> None:
    client.force_login(operator)
    response = press(client, connection, action, HTTP_HX_TARGET="buttons", **HTMX)
    html = response.content.decode()
    assert html.startswith('<div class="acts" id="buttons">')
    assert ('data-action="enable"' in html) == (action == "disable")
    note = json.loads(response.headers["HX-Trigger"])["console:note"]
    assert note["tone"] == "success"
    assert connection.name in note["text"]


def test_a_refusal_on_its_own_page_is_no_success(client: Client, operator: Any) -> None:
    connection = factories.make_connection(is_enabled=False, status="disabled")
    client.force_login(operator)
    response = press(client, connection, "retry", HTTP_HX_TARGET="buttons", **HTMX)
    assert json.loads(response.headers["HX-Trigger"])["console:note"]["tone"] == "bad"
