import json
from typing import Any

import pytest
from django.test import Client

from mqtt.models import Command, MqttConnection
from mqtt.services import commands
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

HTMX = {"HTTP_HX_REQUEST": "true"}
MESSAGE = {"topic": "hall/lamp/set", "payload": "line 1\r\n<b>2</b>", "qos": "1"}


@pytest.fixture
def connection() -> MqttConnection:
    return factories.make_connection()


@pytest.fixture
def as_operator(client: Client, operator: Any) -> Client:
    client.force_login(operator)
    return client


def send(client: Client, connection: MqttConnection, data: dict[str, str], **headers: Any) -> Any:
    return client.post(f"/connections/{connection.pk}/publish/", data, **headers)


def test_a_message_is_shown_once_more_before_it_is_sent(as_operator: Client, connection: MqttConnection) -> None:
    asked = send(as_operator, connection, MESSAGE).content.decode()
    assert not Command.objects.exists()
    assert "&lt;b&gt;2&lt;/b&gt;" in asked
    assert 'data-action="publish"' in asked
    done = send(as_operator, connection, MESSAGE | {"confirmed": "1"})
    assert done["Location"] == f"/connections/{connection.pk}/"
    command = Command.objects.get()
    assert (command.topic, bytes(command.payload), command.actor) == (
        "hall/lamp/set",
        b"line 1\n<b>2</b>",
        "operator",
    )


def test_htmx_gets_the_panel_and_is_told_what_was_done(as_operator: Client, connection: MqttConnection) -> None:
    done = send(as_operator, connection, MESSAGE | {"confirmed": "1"}, **HTMX)
    assert done.content.decode().startswith('<section class="panel" id="publish"')
    assert "hall/lamp/set" in json.loads(done["HX-Trigger"])["console:note"]["text"]


def test_the_second_thought_brings_the_form_back(as_operator: Client, connection: MqttConnection) -> None:
    form = send(as_operator, connection, MESSAGE | {"change": "1"}, **HTMX).content.decode()
    assert 'value="hall/lamp/set"' in form
    assert 'data-action="check"' in form
    assert not Command.objects.exists()


def test_what_is_retained_says_what_that_means(as_operator: Client, connection: MqttConnection) -> None:
    kept = send(as_operator, connection, MESSAGE | {"retain": "on"}).content.decode()
    assert "gives it to everybody who subscribes later, until" in kept
    gone = send(as_operator, connection, {"topic": "hall/lamp", "payload": "", "qos": "1", "retain": "on"})
    assert "deletes the one" in gone.content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"topic": ""}, "This field is required"),
        ({"topic": "a/#"}, "goes to one topic"),
        ({"topic": "x" * 1001}, "at most 1000 characters"),
        ({"payload": "é" * commands.MAX_PAYLOAD}, "262,144 bytes"),
        ({"qos": "2"}, "Select a valid choice"),
        ({"qos": "1", "payload": "a\0b"}, "Null characters"),
    ],
)
def test_a_message_that_cannot_be_sent_says_why(
    as_operator: Client, connection: MqttConnection, change: dict[str, str], sentence: str
) -> None:
    answer = send(as_operator, connection, MESSAGE | {"confirmed": "1"} | change)
    assert sentence in answer.content.decode()
    assert not Command.objects.exists()


def test_a_refusal_of_the_service_stands_above_the_form(as_operator: Client, administrator: Any) -> None:
    connection = factories.make_connection(is_enabled=False, name="Mill")
    answer = send(as_operator, connection, MESSAGE | {"confirmed": "1"})
    assert "Mill is disabled. Enable it first." in answer.content.decode()


def test_who_may_not_publish_sees_no_form_and_what_was_published(
    client: Client, viewer: Any, connection: MqttConnection
) -> None:
    command = factories.make_command(connection, state="unconfirmed", reason="command_unconfirmed")
    client.force_login(viewer)
    page = client.get(f"/connections/{connection.pk}/").content.decode()
    assert 'id="publish"' not in page
    assert "It may have arrived" in page
    assert send(client, connection, MESSAGE).status_code == 403
    assert "{&quot;on&quot;: true}" in client.get(f"/commands/{command.pk}/?view=raw").content.decode()


def test_commands_are_filtered_by_what_became_of_them(as_operator: Client) -> None:
    factories.make_command(topic="went/well", state="done")
    factories.make_command(topic="went/wrong", state="failed")
    page = as_operator.get("/commands/?state=failed").content.decode().replace("<wbr>", "")
    assert "went/wrong" in page
    assert "went/well" not in page
