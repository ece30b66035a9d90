"""How long history is kept is written on forms and by programs alike, and travels with the configuration."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from mqtt.models import MqttConnection, SensorDevice
from mqtt.services.audit import Actor
from mqtt.services.configuration.transfer import export_text, import_text
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_retention_is_written_by_programs_and_travels_with_the_configuration(api: APIClient) -> None:
    sensor = factories.make_sensor()
    broker = f"/api/v1/mqtt/connections/{sensor.connection_id}/"
    assert (
        api.patch(broker, {"raw_retention_days": 30, "rollup_retention_days": 400}).json()["raw_retention_days"] == 30
    )
    own = api.patch(f"/api/v1/mqtt/sensors/{sensor.pk}/", {"raw_retention_days": 7})
    assert (own.json()["raw_retention_days"], own.json()["rollup_retention_days"]) == (7, None)
    for bad in (0, -1, 36_526, "7", True):
        answer = api.patch(broker, {"raw_retention_days": bad})
        assert (answer.status_code, list(answer.json())) == (400, ["raw_retention_days"])
    text = export_text()
    MqttConnection.objects.filter(pk=sensor.connection_id).update(raw_retention_days=None, rollup_retention_days=1)
    SensorDevice.objects.filter(pk=sensor.pk).update(raw_retention_days=None)
    outcome = import_text(Actor.command("import_config"), text, dry_run=False, tell=lambda *_: None)
    assert outcome.counts["changed"] == 2, outcome
    assert MqttConnection.objects.values_list("raw_retention_days", "rollup_retention_days").get() == (30, 400)
    assert SensorDevice.objects.values_list("raw_retention_days", flat=True).get() == 7


def test_retention_is_written_on_the_page_of_a_sensor(client: Client, administrator: Any) -> None:
    sensor = factories.make_sensor()
    client.force_login(administrator)
    url = f"/sensors/{sensor.pk}/edit/"
    assert "Days to keep readings" in client.get(url).content.decode()
    assert client.post(url, {"raw_retention_days": "30", "rollup_retention_days": ""}).status_code == 302
    sensor.refresh_from_db()
    assert (sensor.raw_retention_days, sensor.rollup_retention_days) == (30, None)
    assert client.post(url, {"raw_retention_days": "0"}).status_code == 200
