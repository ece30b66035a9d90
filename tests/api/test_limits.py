"""What every call shares: conditional answers, the throttle, strict names, and errors that are always JSON."""

from typing import Any

import pytest
from django.test import Client, override_settings
from rest_framework.test import APIClient

from mqtt.api import throttling
from tests import factories

pytestmark = pytest.mark.django_db

SENSORS = "/api/v1/mqtt/sensors/"


def test_a_list_that_did_not_change_is_not_sent_again(looking: APIClient) -> None:
    sensor = factories.make_sensor()
    first = looking.get(SENSORS)
    assert first["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= {name.strip() for name in first["Vary"].split(",")}
    again = looking.get(SENSORS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    sensor.label = "North"
    sensor.save(update_fields=["label"])
    changed = looking.get(SENSORS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_what_is_sent_to_one_language_is_not_taken_for_another(looking: APIClient) -> None:
    factories.make_undecoded()
    url = "/api/v1/mqtt/undecoded/"
    english = looking.get(url)
    assert looking.get(url, HTTP_ACCEPT_LANGUAGE="it", HTTP_IF_NONE_MATCH=english["ETag"]).status_code == 200


def test_who_calls_too_often_must_wait_and_others_need_not(
    looking: APIClient, operating: APIClient, settings: Any
) -> None:
    settings.API_RATE = 10
    throttling.forget_everything()
    codes = [looking.get(SENSORS).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    refused = looking.get(SENSORS)
    assert 1 <= int(refused["Retry-After"]) <= 6
    assert set(refused.json()) == {"detail"}
    assert operating.get(SENSORS).status_code == 200


def test_a_bucket_fills_again_and_never_runs_over() -> None:
    bucket = throttling.Bucket()
    assert [bucket.take("a", 60, 0.0) for _ in range(60)] == [0.0] * 60
    assert bucket.take("a", 60, 0.0) == 1.0
    assert bucket.take("a", 60, 1.0) == 0.0
    assert bucket.take("a", 60, 1.5) == 0.5
    assert [bucket.take("a", 60, 10_000.0) for _ in range(61)][-1] > 0


def test_a_bucket_forgets_who_called_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "REMEMBERED", 3)
    bucket = throttling.Bucket()
    for number in range(10):
        bucket.take(str(number), 60, 0.0)
    assert list(bucket._levels) == ["7", "8", "9"]


@pytest.mark.parametrize("kind", ["connections", "sites", "gateways", "dataloggers", "sensors", "topics", "undecoded"])
def test_a_misspelled_parameter_is_an_error_that_names_those_there_are(looking: APIClient, kind: str) -> None:
    answer = looking.get(f"/api/v1/mqtt/{kind}/", {"conection": "1", "page": "1"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["conection"]
    assert "search" in answer.json()["conection"][0]


@pytest.mark.parametrize(
    "body", [{"port": "1883"}, {"is_enabled": "yes"}, {"is_enabled": 0}, {"name": 5}, {"keepalive": True}]
)
def test_a_value_of_the_wrong_kind_is_not_taken_for_the_right_one(api: APIClient, body: dict[str, Any]) -> None:
    connection = factories.make_connection()
    answer = api.patch(f"/api/v1/mqtt/connections/{connection.pk}/", body)
    assert answer.status_code == 400
    assert set(answer.json()) == set(body)


def test_a_changed_connection_is_answered_whole(api: APIClient) -> None:
    connection = factories.make_connection()
    whole = api.get(f"/api/v1/mqtt/connections/{connection.pk}/").json()
    assert api.patch(f"/api/v1/mqtt/connections/{connection.pk}/", {}).json() == whole


@override_settings(ALLOWED_HOSTS=["console.example"])
def test_a_wrong_host_is_refused_in_json(client: Client) -> None:
    answer = client.get(SENSORS)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")


def test_a_failure_outside_the_views_is_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", broken)
    answer = Client(raise_request_exception=False).get(SENSORS)
    assert (answer.status_code, answer.json()) == (500, {"detail": "This failed. The log says more."})


def test_a_method_that_is_not_there_is_json(api: APIClient) -> None:
    for method, path in (("put", SENSORS), ("post", SENSORS), ("delete", "/api/v1/commands/"), ("trace", SENSORS)):
        answer = api.generic(method.upper(), path)
        assert answer.status_code == 405
        assert set(answer.json()) == {"detail"}


def test_sites_are_listed_so_that_filters_can_name_them(looking: APIClient) -> None:
    site = factories.make_site(name="Mill", time_zone="Europe/Rome")
    factories.make_site(name="Quarry")
    found = looking.get("/api/v1/mqtt/sites/", {"search": "mil"}).json()["results"]
    assert [(one["id"], one["name"], one["time_zone"]) for one in found] == [(site.pk, "Mill", "Europe/Rome")]
