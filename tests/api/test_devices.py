from typing import Any

import pytest
from rest_framework.test import APIClient

from mqtt.models import AuditEntry, Datalogger, SensorDevice
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BASE = "/api/v1/mqtt/"


def test_what_people_write_of_a_device_is_written_audited_and_answered(api: APIClient) -> None:
    box, site = factories.make_datalogger(), factories.make_site()
    body = {"label": "Boiler room", "site": site.pk, "expected_interval_seconds": 300}
    answer = api.patch(f"{BASE}dataloggers/{box.pk}/", body, "json")
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["label"], said["site"], said["identifier"]) == ("Boiler room", site.pk, box.identifier)
    assert (said["expected_interval_seconds"], said["interval_source"]) == (300, "set")
    box.refresh_from_db()
    assert (box.label, box.site, box.expected_interval) == ("Boiler room", site, 300)
    entry = AuditEntry.objects.get()
    assert entry.via == "api"
    assert set(entry.details) == {"label", "site", "expected_interval"}
    answer = api.patch(f"{BASE}dataloggers/{box.pk}/", {"expected_interval_seconds": None}, "json")
    assert (answer.json()["interval_source"], answer.json()["label"]) == ("unknown", "Boiler room")
    assert Datalogger.objects.get().expected_interval is None


def test_values_are_corrected_and_raw_ones_stand_beside_them(api: APIClient) -> None:
    sensor = factories.make_sensor(value=20.0)
    factories.make_reading(sensor, 20.0)
    factories.make_correction(sensor, offset=1.5)
    word = factories.make_sensor(sensor.datalogger, text="open")
    said = api.get(f"{BASE}sensors/{sensor.pk}/").json()
    assert (said["last_value"], said["raw_value"]) == (21.5, 20.0)
    said = api.get(f"{BASE}sensors/{word.pk}/").json()
    assert (said["last_value"], said["raw_value"]) == ("open", None)
    for path in (f"sensors/{sensor.pk}", f"dataloggers/{sensor.datalogger_id}"):
        (reading,) = api.get(f"{BASE}{path}/readings/").json()["results"]
        assert (reading["value"], reading["raw_value"]) == (21.5, 20.0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expected_interval_seconds": 0}, "expected_interval_seconds"),
        ({"expected_interval_seconds": -60}, "expected_interval_seconds"),
        ({"expected_interval_seconds": 10**9}, "expected_interval_seconds"),
        ({"expected_interval_seconds": "60"}, "expected_interval_seconds"),
        ({"expected_interval_seconds": [60]}, "expected_interval_seconds"),
        ({"decimals": 10}, "decimals"),
        ({"decimals": "2"}, "decimals"),
        ({"unit": "x" * 41}, "unit"),
        ({"label": "x" * 121}, "label"),
        ({"label": None}, "label"),
        ({"label": 7}, "label"),
        ({"lable": "Boiler"}, "lable"),
        ({"site": 1}, "site"),
    ],
)
def test_bad_values_are_refused_with_their_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    sensor = factories.make_sensor()
    answer = api.patch(f"{BASE}sensors/{sensor.pk}/", body, "json")
    assert answer.status_code == 400
    assert set(answer.json()) == {field}
    assert SensorDevice.objects.get().label == ""
