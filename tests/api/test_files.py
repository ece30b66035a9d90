"""The history as CSV and JSON lines, by `format` and by the header Accept."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from mqtt.models import SensorDevice
from mqtt.services.jobs import rollups
from tests import factories

pytestmark = [pytest.mark.django_db]

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def sensor() -> SensorDevice:
    sensor = factories.make_sensor(name="t")
    factories.make_correction(sensor, offset=1.0, valid_from=NOON)
    for at in range(3):
        factories.make_reading(sensor, time=NOON + timedelta(minutes=at), value=float(at))
    rollups.roll_up_again([sensor.pk])
    return sensor


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return b"".join(answer).decode()


@pytest.mark.database
def test_readings_come_as_one_csv_without_pages(api: APIClient, sensor: SensorDevice) -> None:
    url = f"/api/v1/mqtt/sensors/{sensor.pk}/readings/"
    asked = [
        api.get(url, {"format": "csv", "page_size": 1}),
        api.get(url, {"format": "csv"}, HTTP_ACCEPT="application/json"),
        api.get(url, HTTP_ACCEPT="text/csv"),
    ]
    for answer in asked:
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(text_of(answer))))
        assert [(row["value"], row["raw_value"]) for row in rows] == [("3.0", "2.0"), ("2.0", "1.0"), ("1.0", "0.0")]
        as_json = api.get(url).json()["results"]
        assert [datetime.fromisoformat(row["time"]) for row in rows] == [
            datetime.fromisoformat(row["time"]) for row in as_json
        ]


@pytest.mark.database
def test_spans_and_dataloggers_come_as_files_too(api: APIClient, sensor: SensorDevice) -> None:
    url = f"/api/v1/mqtt/dataloggers/{sensor.datalogger_id}/readings/"
    asked = {"format": "jsonl", "bucket": "1h", "start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    (row,) = [json.loads(line) for line in text_of(api.get(url, asked)).splitlines()]
    assert (row["sensor"], row["time"], row["min"], row["max"], row["count"]) == (
        sensor.pk, "2026-05-01T12:00:00Z", 1.0, 3.0, 3,
    )  # fmt: skip
    assert len(text_of(api.get(url, {"format": "csv", "start": "2026-05-01T12:01:00Z"})).splitlines()) == 3


def test_an_error_is_json_also_where_a_file_was_asked_for(api: APIClient, sensor: SensorDevice) -> None:
    answer = api.get(f"/api/v1/mqtt/sensors/{sensor.pk}/readings/?format=csv&start=yesterday")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert "start" in answer.json()
    unknown = api.get(f"/api/v1/mqtt/sensors/{sensor.pk}/readings/?format=xml")
    assert (unknown.status_code, unknown.json()) == (400, {"format": ["Ask for one of these: json, csv, jsonl."]})
    gone = api.get("/api/v1/mqtt/sensors/999999/readings/?format=csv")
    assert (gone.status_code, gone.json()) == (404, {"detail": "There is no such thing."})
