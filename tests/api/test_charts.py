"""History in spans, and what charts are drawn from."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from mqtt.charts.windows import machine
from mqtt.models import Rollup, SensorDevice, to_us
from mqtt.services.jobs import rollups
from tests import factories
from tests.services.test_rollups import NOW, store

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BASE = "/api/v1/mqtt/"
START = datetime(2026, 9, 20, tzinfo=UTC)


def filled(logger: Any = None, **fields: Any) -> SensorDevice:
    """A sensor with two hours of readings, one every ten seconds, the first hour rolled up."""
    sensor = factories.make_sensor(logger, **fields)
    begin = int(START.timestamp())
    store(sensor, [(begin + at * 10, math.sin(at / 40) + at) for at in range(720)])
    rollups.roll_up(NOW)
    return sensor


def test_history_comes_in_spans_newest_first_page_by_page(looking: APIClient) -> None:
    logger = factories.make_datalogger()
    one, two = filled(logger), filled(logger)
    factories.make_correction(two, valid_from=START - timedelta(days=1), offset=100.0)
    window = {"start": START.isoformat(), "end": (START + timedelta(hours=2)).isoformat()}
    (late, early) = looking.get(f"{BASE}sensors/{one.pk}/readings/", {**window, "bucket": "1h"}).json()["results"]
    assert (early["time"], early["count"], early["min"], early["first"]) == ("2026-09-20T00:00:00.000Z", 360, 0.0, 0.0)
    assert early["min"] < early["mean"] < early["max"] < late["max"]
    url, seen = f"{BASE}dataloggers/{logger.pk}/readings/?bucket=1m&page_size=7&start=2026-09-20T00:00:00Z", []
    url += "&end=2026-09-20T00:19:59Z"
    while url:
        answer = looking.get(url)
        assert answer.status_code == 200, answer.content
        seen += answer.json()["results"]
        url = answer.json()["next"]
    assert [(row["time"], row["sensor"]) for row in seen] == [
        (machine(START + timedelta(minutes=minute)), sensor.pk)
        for minute in reversed(range(20))
        for sensor in (two, one)
    ]
    assert seen[0]["min"] == pytest.approx(seen[1]["min"] + 100)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("bucket=10s&start=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z", "bucket=1m"),
        ("bucket=1d&start=0001-01-02T00:00:00Z&end=9999-01-01T00:00:00Z", "at most 50000 are given: ask for 50000 d"),
        ("bucket=1w", "10s, 1m, 5m, 1h, 1d"),
    ],
)
def test_a_question_for_too_much_says_what_would_work(looking: APIClient, query: str, words: str) -> None:
    answer = looking.get(f"{BASE}sensors/{factories.make_sensor().pk}/readings/?{query}")
    assert answer.status_code == 400
    assert words in answer.json()["bucket"][0]


def test_a_chart_has_a_point_a_pixel_with_its_band_and_what_happened(looking: APIClient) -> None:
    one, two = filled(), filled(kind="energy", unit="kWh")
    factories.make_status_change(
        one.connection, "offline", kind="datalogger", object_id=one.datalogger_id, label="box", at=START
    )
    factories.make_status_change(one.connection, "offline", kind="gateway", object_id=one.datalogger_id, at=START)
    query = {"sensors": f"{two.pk},{one.pk}", "from": "2026-09-20T00:00:00Z", "to": "2026-09-20T02:00:00Z"}
    said = looking.get(f"{BASE}charts/", {**query, "points": 120, "rate": "true"}).json()
    rate, plain = said["sensors"]
    assert (plain["id"], plain["step"], len(plain["times"]), plain["is_rate"]) == (one.pk, 60, 120, False)
    assert all(
        low <= value <= high for low, value, high in zip(plain["lows"], plain["values"], plain["highs"], strict=True)
    )
    assert (rate["unit"], rate["is_rate"], rate["lows"]) == ("kW", True, None)
    assert rate["values"][50] == pytest.approx(360, abs=10)
    (mark,) = said["marks"]
    assert (mark["title"], mark["status"]) == ("box: offline", "offline")
    near = {**query, "to": "2026-09-20T00:10:00Z", "points": 600}
    said = looking.get(f"{BASE}charts/", near).json()["sensors"][1]
    assert (said["step"], len(said["times"]), said["lows"]) == (0, 60, None)
    said = looking.get(f"{BASE}charts/", {"sensors": one.pk, "last": "30m"}).json()
    assert said["sensors"][0]["times"] == []
    assert to_us(datetime.fromisoformat(said["end"])) - to_us(datetime.fromisoformat(said["start"])) == 1_800_000_000


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "sensors"), ("sensors=x", "sensors"), ("sensors=999999", "sensors"), ("sensors=1,-1", "sensors"),
        (f"sensors={','.join(map(str, range(1, 20)))}", "sensors"), ("sensors={pk}&points=1000000", "points"),
        ("sensors={pk}&points=0", "points"), ("sensors={pk}&last=soon", "last"), ("sensors={pk}&last=0h", "last"),
        ("sensors={pk}&last=24h&from=x", "from"), ("sensors={pk}&rate=maybe", "rate"),
        ("sensors={pk}&last=24h&from=2026-01-01T00:00:00Z", "last"), ("sensors={pk}&width=3", "width"),
        ("sensors={pk}&from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "to"), ("sensors={pk}&to=%00", "to"),
        ("sensors={pk}&from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z", "from"),
        ("sensors={pk}&from=2026-05-01T00:00:00Z' OR 1=1 --", "from"),
    ],
)  # fmt: skip
def test_a_bad_question_for_a_chart_is_a_field_error(looking: APIClient, query: str, field: str) -> None:
    answer = looking.get(f"{BASE}charts/?{query.format(pk=factories.make_sensor().pk)}")
    assert answer.status_code == 400, answer.content
    assert list(answer.json()) == [field]


def test_a_chart_of_more_sensors_costs_no_more_queries(looking: APIClient, django_assert_max_num_queries: Any) -> None:
    sensors = [factories.make_sensor() for _ in range(3)]
    now = timezone.now()
    Rollup.objects.bulk_create(
        Rollup(sensor=one, level=3600, time=int(now.timestamp()) // 3600 * 3600 - 7200 * back, count=60, low=1, high=3,
               mean=2, first=1, last=3)
        for one in sensors for back in range(1, 5)
    )  # fmt: skip
    counts = []
    for chosen in (sensors[:1], sensors):
        with django_assert_max_num_queries(12) as asked:
            looking.get(f"{BASE}charts/", {"sensors": ",".join(str(one.pk) for one in chosen), "last": "7d"})
        counts.append(len(asked))
    assert counts[0] == counts[1]
