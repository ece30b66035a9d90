import json
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from mqtt.models import ConnectionLease, MqttConnection
from mqtt.services import health
from mqtt.services.health import HealthState, check_health
from mqtt.services.pressure import ProcessPressure

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def connection(name: str, held_for: int | None) -> None:
    one = MqttConnection(name=name, host="h")
    one.save(force_insert=True)
    if held_for is not None:
        ConnectionLease.objects.create(
            connection=one, holder="m", token=uuid.uuid4(), expires_at=timezone.now() + timedelta(seconds=held_for)
        )


def test_a_console_with_everything_running_is_up(valkey: Any) -> None:
    assert check_health().state == HealthState.UP
    connection("a", held_for=9)
    assert check_health().state == HealthState.UP


def test_without_a_live_lease_nothing_is_received(valkey: Any) -> None:
    connection("a", held_for=None)
    connection("b", held_for=-5)
    result = check_health()
    assert result.state == HealthState.DOWN
    assert "No mqtt process runs" in str(result)


def test_a_process_whose_database_is_stuck_is_not_called_dead(valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connection("a", held_for=-5)
    stuck = ProcessPressure(name="one", at=0.0, database_away_seconds=30.0)
    monkeypatch.setattr(health.pressure, "read_all", lambda: [stuck])
    result = check_health()
    assert result.state == HealthState.DOWN
    assert "The mqtt process runs, but the database takes nothing from it" in str(result)


def test_a_connection_that_nobody_holds_is_told(valkey: Any) -> None:
    connection("a", held_for=9)
    connection("b", held_for=-5)
    assert check_health().state == HealthState.DEGRADED


def test_a_lost_channel_layer_is_a_loss_of_live_pages_only(settings: Any) -> None:
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    result = check_health()
    assert result.state == HealthState.DEGRADED
    assert "pages are not live" in str(result)


def test_a_lost_database_is_down(valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("no route to host")

    monkeypatch.setattr(health.MqttConnection.objects, "filter", away)
    result = check_health()
    assert result.state == HealthState.DOWN
    assert "no route to host" in str(result)


@pytest.mark.parametrize(("held_for", "code"), [(9, 0), (-9, 2)])
def test_the_command_says_it_with_its_exit_code(valkey: Any, held_for: int, code: int) -> None:
    connection("a", held_for=held_for)
    output = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_health", "--json", stdout=output)
    assert end.value.code == code
    answer = json.loads(output.getvalue())
    assert answer["state"] == ("down" if code else "up")
    assert {one["name"] for one in answer["checks"]} >= {"database", "mqtt", "channel layer"}
