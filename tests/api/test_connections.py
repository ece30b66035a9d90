from typing import Any

import pytest
from rest_framework.test import APIClient

from mqtt.encryption import decrypt, encrypt
from mqtt.models import AuditEntry, ConnectionTest, MqttConnection
from mqtt.services import connections as service
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LIST = "/api/v1/mqtt/connections/"

CONTRACT = {
    "id", "name", "site", "host", "port", "transport", "protocol", "username", "client_id", "keepalive",
    "ca_certificate", "client_certificate", "is_enabled", "status", "status_detail", "last_connected_at",
    "last_message_at", "retry_count", "next_retry_at", "subscriptions",
}  # fmt: skip


def test_a_connection_is_made_with_its_filters_and_its_secrets_stay_inside(api: APIClient) -> None:
    site = factories.make_site()
    body = {
        "name": "plant", "host": "broker.example.org", "port": 8883, "transport": "tls", "protocol": "5",
        "site": site.pk, "username": "bob", "password": " tr0mbone ",
        "subscriptions": [{"topic_filter": "a/#"}, {"topic_filter": "b/+", "qos": 0, "is_active": False}],
    }  # fmt: skip
    answer = api.post(LIST, body)
    assert answer.status_code == 201, answer.data
    made = MqttConnection.objects.get()
    assert decrypt(made.password_token) == " tr0mbone "
    said = answer.json()
    assert said.keys() >= CONTRACT
    assert not {"password", "client_key", "password_token", "client_key_token"} & said.keys()
    assert "tr0mbone" not in answer.content.decode()
    assert (said["status"], said["site"], said["port"]) == ("connecting", site.pk, 8883)
    assert [one["topic_filter"] for one in said["subscriptions"]] == ["a/#", "b/+"]
    assert said["subscriptions"][0].keys() == {
        "id", "topic_filter", "qos", "decoder", "is_active", "granted_qos", "reason"
    }  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.via, entry.action) == ("administrator", "api", "created")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"host": "mqtt://x"}, "host"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"port": 10**30}, "port"),
        ({"port": "x"}, "port"),
        ({"port": None}, "port"),
        ({"transport": "udp"}, "transport"),
        ({"protocol": 5.5}, "protocol"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": {"a": 1}}, "name"),
        ({"name": ["a"]}, "name"),
        ({"site": 999}, "site"),
        ({"site": "'; DROP TABLE mqtt_site;--"}, "site"),
        ({"site": True}, "site"),
        ({"site": 10**18}, "site"),
        ({"client_id": "with blank"}, "client_id"),
        ({"keepalive": -1}, "keepalive"),
        ({"ca_certificate": "nonsense"}, "ca_certificate"),
        ({"client_certificate": "<b>"}, "client_certificate"),
        ({"client_key": "nonsense"}, "client_key"),
        ({"is_enabled": "perhaps"}, "is_enabled"),
        ({"subscriptions": "#"}, "subscriptions"),
        ({"subscriptions": {"topic_filter": "#"}}, "subscriptions"),
        ({"subscriptions": [7]}, "subscriptions"),
        ({"subscriptions": []}, "subscriptions"),
        ({"subscriptions": None}, "subscriptions"),
        ({"statuss": "x"}, "statuss"),
        ({"password_token": "x"}, "password_token"),
        ({"settings_revision": 7}, "settings_revision"),
    ],
)
def test_bad_input_is_a_field_error_in_json(api: APIClient, body: dict[str, Any], field: str) -> None:
    good = {"name": "plant", "host": "h", "subscriptions": [{"topic_filter": "#"}]}
    answer = api.post(LIST, good | body)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/json"
    assert field in answer.json(), answer.json()
    assert not MqttConnection.objects.exists()


@pytest.mark.parametrize(
    ("one", "field", "words"),
    [
        ({"topic_filter": "a/#/b"}, "topic_filter", "last level"),
        ({"topic_filter": "a/x"}, "topic_filter", "cover the same topics"),
        ({"topic_filter": "b", "qos": 2}, "qos", "arrives at QoS 1"),
        ({"topic_filter": "b", "qos": "high"}, "qos", "QoS is 0 or 1"),
        ({"topic_filter": "b", "decoder": "nothing"}, "decoder", "no decoder"),
        ({"topic_filter": "b", "granted": 1}, "granted", "no such field"),
        ({}, "topic_filter", "required"),
    ],
)
def test_a_bad_filter_is_told_at_its_place(api: APIClient, one: dict[str, Any], field: str, words: str) -> None:
    answer = api.post(LIST, {"name": "p", "host": "h", "subscriptions": [{"topic_filter": "a/#"}, one]})
    assert answer.status_code == 400
    assert list(answer.json()["subscriptions"]) == ["1"]
    assert words in answer.json()["subscriptions"]["1"][field][0]


def test_status_and_other_read_only_fields_cannot_be_written(api: APIClient) -> None:
    connection = factories.make_connection(status="connected")
    answer = api.patch(
        f"{LIST}{connection.pk}/", {"id": 77, "status": "error", "retry_count": 9, "status_detail": "x", "name": "new"}
    )
    assert answer.status_code == 200
    stored = MqttConnection.objects.get()
    assert (stored.pk, stored.status, stored.retry_count, stored.name) == (connection.pk, "connected", 0, "new")


def test_a_patch_leaves_filters_and_secrets_that_it_does_not_name(api: APIClient) -> None:
    body = {"name": "p", "host": "h", "password": "secret-1", "subscriptions": [{"topic_filter": "a"}]}
    pk = api.post(LIST, body).json()["id"]
    before = MqttConnection.objects.get()
    answer = api.patch(f"{LIST}{pk}/", {"username": "other"})
    assert answer.status_code == 200
    stored = MqttConnection.objects.get()
    assert (stored.username, stored.password_token) == ("other", before.password_token)
    assert [one["topic_filter"] for one in answer.json()["subscriptions"]] == ["a"]
    answer = api.patch(f"{LIST}{pk}/", {"subscriptions": [{"topic_filter": "b"}], "password": ""})
    assert [one["topic_filter"] for one in answer.json()["subscriptions"]] == ["b"]
    assert MqttConnection.objects.get().password_token == ""


@pytest.mark.parametrize("move", [{"host": "evil.example"}, {"port": 1999}, {"transport": "tls"}])
def test_a_stored_password_does_not_follow_to_another_address(api: APIClient, move: dict[str, Any]) -> None:
    connection = factories.make_connection(password_token=encrypt("old"))
    answer = api.patch(f"{LIST}{connection.pk}/", move)
    assert (answer.status_code, list(answer.json())) == (400, ["password"])
    assert api.patch(f"{LIST}{connection.pk}/", move | {"password": "new"}).status_code == 200
    assert decrypt(MqttConnection.objects.get().password_token) == "new"


def test_a_taken_name_is_a_field_error(api: APIClient) -> None:
    factories.make_connection(name="plant")
    answer = api.post(LIST, {"name": "plant", "host": "h", "subscriptions": [{"topic_filter": "#"}]})
    assert answer.status_code == 400
    assert "name" in answer.json()


def test_put_is_refused_in_json(api: APIClient) -> None:
    connection = factories.make_connection()
    answer = api.put(f"{LIST}{connection.pk}/", {})
    assert answer.status_code == 405
    assert "detail" in answer.json()


def test_switching_answers_202_with_the_connection(api: APIClient) -> None:
    connection = factories.make_connection(leased=False, is_enabled=False, status="disabled")
    answer = api.post(f"{LIST}{connection.pk}/enable/")
    assert (answer.status_code, answer.json()["status"], answer.json()["is_enabled"]) == (202, "connecting", True)
    assert api.post(f"{LIST}{connection.pk}/resubscribe/").status_code == 202
    answer = api.post(f"{LIST}{connection.pk}/disable/")
    assert (answer.status_code, answer.json()["status"]) == (202, "disabled")
    refused = api.post(f"{LIST}{connection.pk}/resubscribe/")
    assert refused.status_code == 409
    assert "Enable it first" in refused.json()["detail"]


def test_a_test_says_which_step_failed_and_why_in_the_language_of_the_request(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = factories.make_connection()
    steps = [
        {"name": "dns", "state": "ok", "reason": "", "context": {}, "milliseconds": 3},
        {"name": "tcp", "state": "failed", "reason": "not_enabled", "context": {"name": "<b>x</b>"}},
        {"name": "tls", "state": "waiting"},
    ]
    real = service.request_test

    def done(*arguments: Any) -> ConnectionTest:
        test = real(*arguments)
        ConnectionTest.objects.filter(pk=test.pk).update(state="failed", steps=steps)
        return test

    monkeypatch.setattr(service, "request_test", done)
    answer = api.post(f"{LIST}{connection.pk}/test/")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["state"], said["failed_step"]) == ("failed", "tcp")
    assert said["detail"] == "<b>x</b> is disabled. Enable it first."
    assert said["steps"][1]["detail"] == said["detail"]
    assert said["steps"][2] == {"name": "tls", "state": "waiting", "reason": "", "milliseconds": None, "detail": ""}
    assert api.get(said["url"]).json() == said


def test_a_test_that_nobody_takes_up_answers_202_with_its_url(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.api.views.connections.TEST_PATIENCE", 0.2)
    connection = factories.make_connection()
    answer = api.post(f"{LIST}{connection.pk}/test/")
    assert answer.status_code == 202
    assert "No mqtt process" in answer.json()["detail"]
    assert api.get(answer.json()["url"]).json()["state"] == "queued"
    assert api.get(f"{LIST}{connection.pk}/tests/999999/").status_code == 404


def test_what_is_deleted_is_out_of_sight_at_once_with_all_it_brought(api: APIClient) -> None:
    sensor = factories.make_sensor()
    kept = factories.make_sensor()
    factories.make_undecoded(sensor.connection)
    assert api.delete(f"{LIST}{sensor.connection_id}/").status_code == 204
    assert api.get(f"{LIST}{sensor.connection_id}/").status_code == 404
    assert api.get("/api/v1/mqtt/undecoded/").json()["count"] == 0
    sensors = api.get("/api/v1/mqtt/sensors/").json()
    assert [one["id"] for one in sensors["results"]] == [kept.pk]
    assert api.get(f"/api/v1/mqtt/sensors/{sensor.pk}/readings/").status_code == 404


def test_the_status_is_the_effective_one_with_a_reason_to_match(api: APIClient) -> None:
    factories.make_connection(leased=False, status="connected", name="lost")
    factories.make_connection(status="error", name="broken", status_reason="not_enabled", status_context={"name": "x"})
    lost, broken = (one for one in sorted(api.get(LIST).json()["results"], key=lambda one: -ord(one["name"][0])))
    assert lost["status"] == "unknown"
    assert "No mqtt process holds" in lost["status_detail"]
    assert (broken["status"], broken["status_detail"]) == ("error", "x is disabled. Enable it first.")
    found = api.get(LIST, {"status": "unknown"}).json()
    assert [one["name"] for one in found["results"]] == ["lost"]


def test_the_list_costs_the_same_for_one_and_for_three(api: APIClient, django_assert_num_queries: Any) -> None:
    factories.make_connection(filters=("a", "b"), activity={"messages_total": 3})
    with django_assert_num_queries(4):
        assert api.get(LIST).json()["count"] == 1
    for _ in range(2):
        factories.make_connection(filters=("a", "b"), site=factories.make_site())
    with django_assert_num_queries(4):
        assert api.get(LIST).json()["count"] == 3
