"""The last 24 hours in the rows of sensors."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from mqtt.buckets import HOUR, Bucket
from mqtt.charts import sparklines
from mqtt.fragments import Variant, render_row
from mqtt.lists import queries
from mqtt.models import Reading, Rollup, SensorDevice, SensorState, to_us
from tests import factories

END = 500_000 * HOUR
START = END - 24 * HOUR
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def _nothing_stored() -> Iterator[None]:
    yield
    Reading.objects.all().delete()
    Rollup.objects.all().delete()


def ageless(html: str) -> str:
    """Without the seconds that pass between two renderings."""
    return re.sub(r"(?<=data-age>)[^<]*", "", html)


def hour(ago: int, low: float, mean: float, high: float) -> Bucket:
    return Bucket(END - ago * HOUR, 60, low, high, mean, low, high)


def test_a_gap_parts_the_line_and_a_lonely_hour_is_a_dot() -> None:
    hours = [hour(ago, 1.0, 2.0, 3.0) for ago in (20, 19, 18, 10, 3, 2, 1)]
    spark = sparklines.draw(hours, START, END)
    assert spark is not None
    assert (spark.line.count("M"), spark.line.count("h2"), spark.band.count("Z")) == (3, 1, 2)
    assert (spark.low, spark.high) == (1.0, 3.0)
    slow = sparklines.draw([hour(ago, 1.0, 1.0, 1.0) for ago in (20, 14, 8, 2)], START, END)
    assert slow is not None
    assert slow.line.count("M") == 1, "six hours are its rhythm"
    assert sparklines.draw([], START, END) is None


def test_what_speaks_every_fifteen_seconds_has_no_gap_in_spans_of_ten() -> None:
    spans = [Bucket(START + time, 1, 1.0, 1.0, 1.0, 1.0, 1.0) for time in (0, 10, 30, 40, 60, 70, 200, 210)]
    spark = sparklines.draw(spans, START, START + 240, 10)
    assert spark is not None
    assert spark.line.count("M") == 2, "two minutes of silence are one"


def test_what_is_known_to_speak_every_ninety_minutes_has_a_gap_only_where_it_was_silent() -> None:
    ninety = [hour(ago, 1.0, 1.0, 1.0) for ago in (24, 23, 21, 20, 18, 17, 15, 14)]
    silent = [*ninety, *(hour(ago, 1.0, 1.0, 1.0) for ago in (8, 6, 5, 3, 2))]

    def pieces(hours: list[Bucket], every: float) -> int:
        spark = sparklines.draw(hours, START, END, HOUR, every)
        assert spark is not None
        return spark.line.count("M")

    assert pieces(ninety, 5400.0) == 1
    assert pieces(silent, 5400.0) == 2, "six hours are four of its intervals"
    assert pieces(ninety, 60.0) == 4, "a sensor of every minute was silent in each of these hours"
    assert pieces(ninety, 0.0) == 1, "nothing is known yet: one empty hour says nothing"
    assert pieces(silent, float("inf")) == 1, "it speaks when it likes"


@given(st.lists(st.tuples(st.integers(0, 30), FINITE, FINITE, FINITE), min_size=1, max_size=24))
def test_any_values_stay_within_their_field(given: list[tuple[int, float, float, float]]) -> None:
    by_ago = {ago: hour(ago, *sorted(values)) for ago, *values in given}
    spark = sparklines.draw([by_ago[ago] for ago in sorted(by_ago, reverse=True)], START, END)
    assert spark is not None
    for number in (
        (spark.line + spark.band).replace("h2", "").replace("Z", "").replace("M", " ").replace("L", " ").split()
    ):
        assert -1 <= float(number) <= sparklines.WIDTH


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.usefixtures("valkey")
def test_page_and_push_show_the_same_drawing_without_asking_again(
    client: Client, viewer: User, django_assert_num_queries: Any
) -> None:
    sensors = [factories.make_sensor() for _ in range(3)]
    factories.make_correction(sensors[0], offset=100.0)
    now = int(time.time()) // HOUR * HOUR
    Rollup.objects.bulk_create(
        Rollup(sensor=one, level=HOUR, time=now - ago * HOUR, count=6, low=1, high=3, mean=2, first=1, last=3)
        for one in sensors[:2]
        for ago in range(1, 20)
    )
    client.force_login(viewer)
    page = client.get("/sensors/").content.decode()
    assert page.count('class="spark"') == 2
    assert "The last 24 hours: from 101 to 103" in page
    found = queries.prepare("sensor", queries.rows("sensor", viewer).filter(pk__in=[one.pk for one in sensors]))
    for record in found:
        assert ageless(render_row("sensor", record, Variant("en")).strip()) in ageless(page)
    with django_assert_num_queries(0):
        sparklines.add_sparks(found)
    Rollup.objects.filter(sensor_id=sensors[1].pk).update(high=3.5)
    sparklines.forget_everything()
    fresh = list(SensorDevice.objects.prefetch_related("corrections"))
    with django_assert_num_queries(3):
        sparklines.add_sparks(fresh)
    page = client.get("/sensors/", headers={"accept-language": "it"}).content.decode()
    assert "da 1 a 3,5" in page, "what is kept is kept for readers of every language"


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
@pytest.mark.usefixtures("valkey", "_nothing_stored")
def test_a_new_sensor_is_drawn_since_it_is_known(
    client: Client, viewer: User, django_assert_max_num_queries: Any
) -> None:
    known = timezone.now() - timedelta(minutes=2)
    sensors = [factories.make_sensor() for _ in range(3)]
    SensorDevice.objects.update(created_at=known)
    for sensor in sensors:
        for second in range(0, 100, 5):
            factories.make_reading(sensor, value=second, time=known + timedelta(seconds=second), digest=second)
    SensorState.objects.update(unrolled_us=to_us(known))
    fresh = list(SensorDevice.objects.prefetch_related("corrections"))
    with django_assert_max_num_queries(8):
        sparklines.add_sparks(fresh)
    for one in fresh:
        assert one.spark.line.count("L") >= 8, one.spark
        assert (one.spark.low, one.spark.high) == (0.0, 95.0)
        assert 100 <= one.spark.seconds <= 140
    client.force_login(viewer)
    assert "Known for 2 min: from 0 to 95" in client.get("/sensors/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
@pytest.mark.usefixtures("_nothing_stored")
def test_what_an_import_brought_from_before_is_drawn_by_hours() -> None:
    sensor = factories.make_sensor()
    for ago in (300, 200, 1):
        factories.make_reading(sensor, value=ago, time=timezone.now() - timedelta(minutes=ago))
    SensorState.objects.update(unrolled_us=0)
    (fresh,) = SensorDevice.objects.prefetch_related("corrections")
    sparklines.add_sparks([fresh])
    assert fresh.spark.seconds == 24 * HOUR
    assert (fresh.spark.low, fresh.spark.high) == (1.0, 300.0)


@pytest.mark.django_db
@pytest.mark.database
def test_drawings_that_are_forgotten_to_make_room_stay_on_the_page_that_is_being_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = factories.make_sensor(), factories.make_sensor()
    hour = int(time.time()) // HOUR * HOUR - HOUR
    for one in (first, second):
        Rollup.objects.create(sensor_id=one.pk, level=HOUR, time=hour, count=6, low=1, high=3, mean=2, first=1, last=3)
    monkeypatch.setattr(sparklines, "MOST_KEPT", 1)
    rows = list(SensorDevice.objects.prefetch_related("corrections").order_by("pk"))
    sparklines.add_sparks(rows[:1])
    sparklines.add_sparks(rows)
    assert all(one.spark for one in rows)
