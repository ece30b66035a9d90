import base64
from typing import Any

import pytest
from rest_framework.test import APIClient

from mqtt.models import AuditEntry, Command
from mqtt.services import commands
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

LIST = "/api/v1/commands/"


def publish(api: APIClient, body: Any, **fields: Any) -> Any:
    connection = factories.make_connection(**fields)
    return api.post(f"/api/v1/mqtt/connections/{connection.pk}/publish/", body)


def test_a_message_is_accepted_and_can_be_followed(operating: APIClient) -> None:
    answer = publish(operating, {"topic": "hall/lamp/set", "payload": "on", "qos": 0, "retain": True})
    assert answer.status_code == 202, answer.content
    said = answer.json()
    assert (said["state"], said["topic"], said["qos"], said["retain"]) == ("queued", "hall/lamp/set", 0, True)
    followed = operating.get(said["url"]).json()
    assert (followed["id"], followed["payload"]) == (said["id"], "on")
    assert (AuditEntry.objects.get().via, Command.objects.get().actor) == ("api", "operator")


def test_bytes_come_as_base64_and_nothing_is_an_empty_message(operating: APIClient) -> None:
    sent = base64.b64encode(b"\xff\x00").decode()
    said = operating.get(publish(operating, {"topic": "a", "payload_base64": sent}).json()["url"]).json()
    assert (said["payload"], said["payload_base64"]) == (None, sent)
    assert publish(operating, {"topic": "a"}).status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "topic"),
        ({"topic": "a/#"}, "topic"),
        ({"topic": "a", "payload": {"on": True}}, "payload"),
        ({"topic": "a", "payload_base64": "%"}, "payload_base64"),
        ({"topic": "a", "payload": "x", "payload_base64": "eA=="}, "payload_base64"),
        ({"topic": "a", "payload": "x" * (commands.MAX_PAYLOAD + 1)}, "payload"),
        ({"topic": "a", "qos": 2}, "qos"),
        ({"topic": "a", "retained": True}, "retained"),
    ],
)
def test_a_bad_message_is_a_field_error(operating: APIClient, body: Any, field: str) -> None:
    answer = publish(operating, body)
    assert answer.status_code == 400
    assert set(answer.json()) == {field}
    assert not Command.objects.exists()


def test_a_refusal_is_a_conflict_with_its_reason(operating: APIClient) -> None:
    answer = publish(operating, {"topic": "a"}, is_enabled=False)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_enabled")


def test_commands_are_listed_newest_first_and_filtered(looking: APIClient) -> None:
    first, second = factories.make_command(state="done"), factories.make_command(state="failed")
    assert [row["id"] for row in looking.get(LIST).json()["results"]] == [second.pk, first.pk]
    assert [row["id"] for row in looking.get(LIST, {"state": "done"}).json()["results"]] == [first.pk]
    assert [row["id"] for row in looking.get(LIST, {"ordering": "state"}).json()["results"]] == [first.pk, second.pk]
    assert "payload" not in looking.get(LIST).json()["results"][0]
    assert looking.get(LIST, {"state": "sideways"}).status_code == 400
