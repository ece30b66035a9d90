from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from rest_framework.test import APIClient

from mqtt.models import ApiToken, Mapping, MqttConnection
from tests import factories
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db

API = "/api/v1/"
BASE = "/api/v1/mqtt/"
READ = [
    "mqtt/sites",
    "mqtt/connections",
    "mqtt/gateways",
    "mqtt/dataloggers",
    "mqtt/sensors",
    "mqtt/topics",
    "mqtt/undecoded",
    "mqtt/notes",
    "mqtt/corrections",
    "mqtt/mappings",
    "commands",
]


def calls() -> list[tuple[str, str, str]]:
    """Every call of the API with the least role that may make it, on things that exist."""
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()))
    logger = sensor.datalogger
    pks = {
        "connections": logger.connection_id, "gateways": logger.gateway_id, "dataloggers": logger.pk,
        "sensors": sensor.pk, "topics": factories.make_topic().pk, "undecoded": factories.make_undecoded().pk,
        "commands": factories.make_command().pk, "sites": factories.make_site().pk,
        "notes": factories.make_note(sensor).pk, "corrections": factories.make_correction(sensor).pk,
        "mappings": Mapping.objects.create(name="Box", topic_pattern="box/#", values=[{"path": "t"}]).pk,
    }  # fmt: skip
    connection = f"{BASE}connections/{logger.connection_id}/"
    test = MqttConnection.objects.get(pk=logger.connection_id).tests.create()
    return [
        *(("get", f"{API}{kind}/", "viewer") for kind in READ),
        *(("get", f"{API}{kind}/{pks[kind.removeprefix('mqtt/')]}/", "viewer") for kind in READ),
        ("get", f"{BASE}sensors/{sensor.pk}/readings/", "viewer"),
        ("get", f"{BASE}dataloggers/{logger.pk}/readings/", "viewer"),
        ("get", f"{BASE}charts/?sensors={sensor.pk}", "viewer"),
        ("get", f"{connection}tests/{test.pk}/", "viewer"),
        ("get", "/api/v1/schema/", "viewer"),
        *(
            ("post", f"{connection}{name}/", "operator")
            for name in ("enable", "resubscribe", "test", "publish", "disable")
        ),
        ("post", f"{BASE}connections/", "administrator"),
        ("patch", connection, "administrator"),
        *(("patch", f"{BASE}{kind}/{pks[kind]}/", "administrator") for kind in ("gateways", "dataloggers", "sensors")),
        ("post", f"{BASE}notes/", "operator"),
        ("patch", f"{BASE}notes/{pks['notes']}/", "administrator"),
        ("delete", f"{BASE}notes/{pks['notes']}/", "administrator"),
        ("post", f"{BASE}corrections/", "administrator"),
        ("delete", f"{BASE}corrections/{pks['corrections']}/", "administrator"),
        ("post", f"{BASE}mappings/", "administrator"),
        ("patch", f"{BASE}mappings/{pks['mappings']}/", "administrator"),
        ("delete", f"{BASE}mappings/{pks['mappings']}/", "administrator"),
        *(
            ("post", f"{BASE}{kind}/{pks[kind]}/{name}/", "administrator")
            for kind in ("gateways", "dataloggers", "sensors")
            for name in ("merge", "replace")
            if (kind, name) != ("sensors", "replace")
        ),
        *(("delete", f"{BASE}{kind}/{pks[kind]}/", "administrator") for kind in ("sensors", "dataloggers", "gateways")),
        ("delete", connection, "administrator"),
    ]


RANK = {"stranger": 0, "viewer": 1, "operator": 2, "administrator": 3}


@pytest.mark.parametrize("role", RANK)
def test_every_call_is_open_to_its_role_and_to_no_lesser(
    role: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqtt.api.views.connections.TEST_PATIENCE", 0)
    client = client_of(request.getfixturevalue(role))
    for method, path, least in calls():
        code = getattr(client, method)(path, {} if method in {"post", "patch"} else None).status_code
        if RANK[role] >= RANK[least]:
            assert code not in {401, 403, 404, 500}, (method, path, code)
        else:
            assert code == 403, (method, path, code)


def test_every_address_of_the_api_is_among_the_calls() -> None:
    def names(patterns: list[Any]) -> set[str]:
        inner = [names(one.url_patterns) for one in patterns if isinstance(one, URLResolver)]
        return set().union(*inner, {one.name for one in patterns if isinstance(one, URLPattern) and one.name})

    called = {resolve(path.partition("?")[0]).url_name for _method, path, _least in calls()}
    there = {name for name in names(get_resolver().url_patterns) if name.startswith("api-")}
    assert there - called == {"api-health", "api-docs", "api-unknown"}


def test_without_a_login_there_is_nothing_but_health(valkey: Any) -> None:
    client = APIClient(raise_request_exception=False)
    for method, path, _least in calls():
        answer = getattr(client, method)(path)
        assert answer.status_code == 401, (method, path)
        assert answer["WWW-Authenticate"] == "Token"
        assert set(answer.json()) == {"detail"}
    assert client.get(f"{BASE}health/").json() == {"status": "up"}


def test_health_says_down_and_no_more(valkey: Any) -> None:
    factories.make_connection(leased=False)
    answer = APIClient().get(f"{BASE}health/")
    assert (answer.status_code, answer.json()) == (503, {"status": "down"})


def test_a_session_works_and_its_writes_need_the_csrf_token(administrator: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(administrator)
    assert browser.get(f"{BASE}connections/").status_code == 200
    answer = browser.post(f"{BASE}connections/", {}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_wrong_expired_and_malformed_tokens_are_refused(viewer: Any) -> None:
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=viewer, name="old", digest=ApiToken.digest_of(secret), expires_at=timezone.now() - timedelta(seconds=1)
    )
    for header in (f"Token {secret}", "Token", "Token a b", "Token \xff", "Bearer x", "Basic dTpw"):
        answer = APIClient().get(f"{BASE}connections/", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401, header


@pytest.mark.parametrize("word", ["Token", "Bearer", "bearer"])
def test_a_token_is_sent_under_either_word(viewer: Any, word: str) -> None:
    secret = ApiToken.new_secret()
    ApiToken.objects.create(user=viewer, name="script", digest=ApiToken.digest_of(secret))
    answer = APIClient().get(f"{BASE}connections/", HTTP_AUTHORIZATION=f"{word} {secret}")
    assert answer.status_code == 200


def test_who_guesses_tokens_must_wait(viewer: Any) -> None:
    guesser = APIClient()
    for number in range(30):
        assert guesser.get(f"{BASE}connections/", HTTP_AUTHORIZATION=f"Token x{number}").status_code == 401
    answer = guesser.get(f"{BASE}connections/", HTTP_AUTHORIZATION="Token y")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/x", "/api/v1/mqtt/nothing/", "/api/v1/mqtt/sensors"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_path_is_json(path: str, method: str) -> None:
    answer = getattr(APIClient(), method)(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail"}


def test_unknown_rows_are_json(api: APIClient) -> None:
    for kind in READ:
        for pk in ("999999", "9" * 18):
            answer = api.get(f"{API}{kind}/{pk}/")
            assert answer.status_code == 404
            assert "detail" in answer.json()


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "application/json", 400),
        (b'{"port": NaN}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"", "application/json", 400),
        (b"[1, 2]", "application/json", 400),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"<a/>", "text/xml", 415),
    ],
)
def test_a_body_that_is_no_object_is_refused_in_json(api: APIClient, body: bytes, kind: str, code: int) -> None:
    answer = api.generic("POST", f"{BASE}connections/", body, content_type=kind)
    assert answer.status_code == code, answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer.json()


def test_a_failure_inside_is_logged_and_shows_nothing(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret path /etc/x")

    monkeypatch.setattr("mqtt.api.views.base.visible_to", broken)
    answer = api.get(f"{BASE}sensors/")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "This failed. The log says more."}
    assert "secret path" in caplog.text


def test_errors_speak_the_language_of_the_request(api: APIClient) -> None:
    answer = api.get(f"{BASE}sensors/999999/", HTTP_ACCEPT_LANGUAGE="it")
    assert answer["Content-Language"] == "it"


@pytest.mark.database
@pytest.mark.parametrize("kind", ["connections", "gateways", "dataloggers", "sensors", "topics"])
def test_a_list_asks_at_most_six_queries_with_login_and_rights(
    client: Client, viewer: Any, kind: str, django_assert_max_num_queries: Any
) -> None:
    """However many things there are: see `scripts/bench api`."""
    calls()
    client.force_login(viewer)
    with django_assert_max_num_queries(6):
        assert client.get(f"{BASE}{kind}/").json()["count"]


def test_rights_of_a_user_and_of_groups_count_and_are_asked_once(viewer: Any, django_assert_num_queries: Any) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="change_user"))
    user = type(viewer).objects.get(pk=viewer.pk)
    with django_assert_num_queries(1):
        assert user.has_perms(["auth.change_user", "mqtt.view_mqttconnection"])
        assert not user.has_perm("mqtt.change_mqttconnection")
        assert user.has_module_perms("mqtt")
    user.is_active = False
    assert not user.has_perm("mqtt.view_mqttconnection")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("send a token", "PATCH does nothing here. Possible are: GET, POST, HEAD.", "Try again in 1 second.")),
        (
            "it",
            ("invia un token", "PATCH qui non fa nulla. Sono possibili: GET, POST, HEAD.", "Riprova tra 1 secondo."),
        ),
    ],
)
def test_refusals_are_told_in_one_language_with_what_to_do(
    viewer: Any, api: APIClient, monkeypatch: Any, language: str, words: tuple[str, str, str]
) -> None:
    said = {"HTTP_ACCEPT_LANGUAGE": language}
    assert words[0] in APIClient().get(f"{BASE}sensors/", **said).json()["detail"]
    assert api.patch(f"{BASE}connections/", {}, format="json", **said).json()["detail"] == words[1]
    monkeypatch.setattr("mqtt.api.authentication.throttle.token_wait", lambda _address: 0.2)
    answer = APIClient().get(f"{BASE}sensors/", HTTP_AUTHORIZATION="Token x", **said)
    assert (answer.status_code, answer.json()["detail"].endswith(words[2])) == (429, True)
