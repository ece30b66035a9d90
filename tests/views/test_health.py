"""/metrics for Prometheus, /health/ for people, /readyz for load balancers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from mqtt.models import ApiToken, ConnectionActivity, MqttConnection, PeriodicJob
from mqtt.services import metrics, pressure, throttle
from mqtt.services.pressure import ConnectionPressure, ProcessPressure
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle.forget_everything()


def token_of(user: Any) -> str:
    secret = ApiToken.new_secret()
    ApiToken.objects.create(user=user, name="prometheus", digest=ApiToken.digest_of(secret))
    return secret


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_metrics_are_for_this_machine_a_token_or_a_login(
    client: Client, viewer: Any, stranger: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "[::1]", "testserver", "console.example"]
    assert client.get("/metrics", HTTP_HOST="localhost:8000").status_code == 200
    assert client.get("/metrics", HTTP_HOST="[::1]:8000", REMOTE_ADDR="::1").status_code == 200
    refused: list[dict[str, Any]] = [
        {"HTTP_HOST": "console.example", "REMOTE_ADDR": "127.0.0.1"},
        {"HTTP_HOST": "localhost", "REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_HOST": "localhost", "HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_AUTHORIZATION": "Bearer wrong"},
        {"HTTP_AUTHORIZATION": f"Bearer {token_of(stranger)}"},
        {"HTTP_AUTHORIZATION": "Basic dTpw"},
    ]
    for headers in refused:
        answer = client.get("/metrics", **headers)
        assert answer.status_code == 401, headers
        assert "vedetta_" not in answer.content.decode()
    secret = token_of(viewer)
    for word in ("Bearer", "Token"):
        assert client.get("/metrics", HTTP_AUTHORIZATION=f"{word} {secret}").status_code == 200
    client.force_login(viewer)
    assert client.get("/metrics").status_code == 200


def test_who_guesses_tokens_at_metrics_must_wait(client: Client) -> None:
    for number in range(30):
        assert client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {number}").status_code == 401
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer x").status_code == 429


def flow(pk: int, **fields: Any) -> ProcessPressure:
    one = ConnectionPressure(connection_id=pk, **fields)
    return ProcessPressure(name="one 1", at=0, started_at=1_700_000_000, waiting=7, disk_share=0.5, connections=(one,))


def test_metrics_tell_what_connections_processes_and_jobs_do(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = factories.make_connection(name='Plant "1"\n', activity={"messages_total": 12, "undecoded_total": 3})
    factories.make_status_change(plant, "connected", object_id=plant.pk)
    PeriodicJob.objects.create(name="partitions", started_at=timezone.now(), finished_at=timezone.now())
    PeriodicJob.objects.create(name="disk", started_at=timezone.now(), error="broken")
    monkeypatch.setattr(metrics.pressure, "read_all", lambda: [flow(plant.pk, lag_seconds=0.25, redelivered=2)])
    client.get("/healthz")
    found = values(client.get("/metrics", HTTP_HOST="localhost").content.decode())
    which = ('connection=Plant "1"\n', f"connection_id={plant.pk}")
    assert found["vedetta_connection_messages_total", *which] == 12
    assert found["vedetta_connection_undecoded_total", *which] == 3
    assert found["vedetta_connection_connects_total", *which] == 1
    assert found["vedetta_connection_status", *which, "status=connected"] == 1
    assert found["vedetta_connection_status", *which, "status=error"] == 0
    assert found["vedetta_connection_lag_seconds", *which] == 0.25
    assert found["vedetta_connection_redelivered_total", *which] == 2
    assert found["vedetta_mqtt_process_waiting_messages", "process=one 1"] == 7
    assert found["vedetta_job_failed", "job=disk"] == 1
    assert ("vedetta_job_last_success_timestamp_seconds", "job=partitions") in found
    assert found["vedetta_health", "part=database"] == 0
    assert found["vedetta_http_request_seconds_count", "method=GET", "status=200", "view=healthz"] >= 1
    assert ("vedetta_websocket_clients",) in found
    assert ("vedetta_live_flush_rows_count",) in found
    assert any(key[0] == "vedetta_disk_free_bytes" for key in found)
    assert any(key[0] == "process_resident_memory_bytes" for key in found)


def test_paths_that_do_not_exist_make_no_new_series(client: Client) -> None:
    for number in range(3):
        client.get(f"/nothing/{number}")
        client.generic(f"FOO{number}", "/healthz")
    found = values(client.get("/metrics", HTTP_HOST="localhost").content.decode())
    views = {part for key in found if key[0] == "vedetta_http_request_seconds_count" for part in key[1:]}
    assert not any("nothing" in part or "FOO" in part for part in views)


def test_metrics_are_told_without_the_database_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    for model in (MqttConnection, ConnectionActivity):
        monkeypatch.setattr(model.objects, "filter", away)
    monkeypatch.setattr(MqttConnection.objects, "with_effective_status", away)
    monkeypatch.setattr(metrics.pressure, "read_all", lambda: [flow(1, lag_seconds=9)])
    found = values(client.get("/metrics", HTTP_HOST="localhost").content.decode())
    assert found["vedetta_health", "part=database"] == 2
    assert found["vedetta_mqtt_process_waiting_messages", "process=one 1"] == 7


def test_scraping_costs_the_same_for_one_and_for_three(client: Client, django_assert_max_num_queries: Any) -> None:
    factories.make_connection(activity={})
    with django_assert_max_num_queries(20) as first:
        client.get("/metrics", HTTP_HOST="localhost")
    factories.make_connection(activity={}), factories.make_connection(activity={})
    with django_assert_max_num_queries(len(first)):
        client.get("/metrics", HTTP_HOST="localhost")


def test_the_page_tells_people_the_same(
    client: Client, viewer: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = factories.make_connection(name="Plant")
    PeriodicJob.objects.create(name="disk", started_at=timezone.now() - timedelta(minutes=5), error="No space <left>")
    monkeypatch.setattr(pressure, "read_all", lambda: [flow(plant.pk, messages_per_second=41.7)])
    (tmp_path / "vedetta-20261125-030000.tar.gz").write_bytes(b"x" * 2_000_000)
    settings.BACKUP_FOLDER = tmp_path
    client.force_login(viewer)
    page = client.get("/health/").content.decode()
    for words in (
        "Plant",
        "42",
        "No space &lt;left&gt;",
        "Look at the disk",
        "2 MB",
        "The keys are not in it",
        "Django",
    ):
        assert words in page, words
    settings.BACKUP_FOLDER = None
    assert "none: set BACKUP_FOLDER" in client.get("/health/").content.decode()


def test_ready_means_database_and_mqtt_and_not_live_pages(client: Client, settings: Any) -> None:
    factories.make_connection()
    assert client.get("/readyz").status_code == 200
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    assert (client.get("/readyz").status_code, client.get("/readyz").content) == (200, b"degraded\n")
    factories.make_connection(leased=False, name="Free")
    MqttConnection.objects.exclude(name="Free").delete()
    assert client.get("/readyz").status_code == 503


def test_an_outage_that_a_load_balancer_asks_about_is_logged_once(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/readyz").status_code == 200
    caplog.clear()
    plant = factories.make_connection(leased=False)
    for address in ("/readyz", "/readyz", "/api/v1/mqtt/health/", "/readyz"):
        assert client.get(address).status_code == 503
    assert caplog.messages == ["Not ready, manage.py check_health says more: mqtt"]
    plant.delete()
    assert (client.get("/readyz").status_code, client.get("/api/v1/mqtt/health/").status_code) == (200, 200)
    assert caplog.messages[1:] == ["Ready again: mqtt"]
