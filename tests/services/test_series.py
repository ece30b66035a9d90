import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mqtt.buckets import DAY, HOUR, Bucket, corrected, joined
from mqtt.corrections import Correction, Corrections
from mqtt.models import Reading, Rollup, SensorDevice, SensorRhythm
from mqtt.services.history import counters, series
from mqtt.services.history.curves import resolution
from mqtt.services.jobs import rollups
from tests.factories import make_sensor
from tests.services.test_rollups import NOW, store

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

START = int(datetime(2026, 9, 20, tzinfo=UTC).timestamp())
US = 1_000_000


@pytest.fixture(autouse=True)
def _nothing_stored() -> Iterator[None]:
    yield
    Reading.objects.all().delete()
    Rollup.objects.all().delete()


def of(sensor: SensorDevice, start: float, end: float, points: int = 1000, **more: Any) -> Any:
    return series([sensor.pk], round(start * US), round(end * US), points, **more)[sensor.pk]


@pytest.mark.parametrize(
    ("seconds", "points", "expected"),
    [
        (HOUR, 1000, (0, 0)),
        (3 * HOUR, 1000, (10, 10)),
        (DAY, 1000, (60, 60)),
        (7 * DAY, 1000, (300, 600)),
        (30 * DAY, 1000, (300, 2400)),
        (365 * DAY, 1000, (HOUR, 8 * HOUR)),
        (3650 * DAY, 1000, (DAY, 3 * DAY)),
        (0, 1000, (0, 0)),
        (DAY, 0, (DAY, DAY)),
    ],
)
def test_the_coarsest_level_with_a_point_a_pixel_is_taken(seconds: int, points: int, expected: tuple[int, int]) -> None:
    assert resolution(0, seconds * US, points) == expected


def test_zoomed_in_every_reading_stands_there_and_zoomed_out_a_band() -> None:
    sensor = make_sensor()
    store(sensor, [(START + at, math.sin(at / 700)) for at in range(6 * HOUR)])
    rollups.roll_up(NOW)
    near = of(sensor, START + 600, START + 1200)
    assert (near.step, len(near.times), near.times[0]) == (0, 600, START + 600)
    assert near.lows == near.values
    far = of(sensor, START, START + 6 * HOUR, 200)
    assert far.step == 60
    assert far.times[:2] == [START + 30, START + 90]
    assert far.lows[0] < far.values[0] < far.highs[0]
    assert sum(far.counts) == 6 * HOUR


def test_many_readings_are_drawn_from_ten_seconds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = make_sensor()
    store(sensor, [(START + at / 10, at % 7) for at in range(2000)])
    monkeypatch.setattr("mqtt.services.history.curves.MOST_READINGS", 100)
    assert of(sensor, START, START + 200).step == 10


def test_where_readings_are_gone_zooming_in_shows_rollups() -> None:
    sensor = make_sensor()
    store(sensor, [(START + at, at) for at in range(2 * HOUR)])
    rollups.roll_up(NOW)
    Reading.objects.all().delete()
    found = of(sensor, START, START + HOUR)
    assert (found.step, len(found.times)) == (10, 360)


def test_a_gap_is_a_gap_at_every_level_and_a_slow_sensor_has_none() -> None:
    fast, slow = make_sensor(), make_sensor()
    store(fast, [(START + at, 1.0) for at in range(6 * HOUR) if not 2 * HOUR <= at < 3 * HOUR])
    store(slow, [(START + at, 1.0) for at in range(0, 2 * DAY, 900)])
    for points in (10_000, 2160, 300, 72):
        assert of(fast, START, START + 6 * HOUR, points).values.count(None) == 1, points
        assert of(slow, START, START + 2 * DAY, points).values.count(None) == 0, points
    SensorRhythm.objects.create(sensor=fast, source="irregular")
    assert of(fast, START, START + 6 * HOUR, 300).values.count(None) == 0


def test_a_gap_in_hours_is_judged_by_how_often_the_sensor_speaks() -> None:
    learned, by_hand = make_sensor(), make_sensor(expected_interval=5400)
    SensorRhythm.objects.create(sensor=learned, source="learned", interval=5400.0)
    for sensor in (learned, by_hand):
        store(sensor, [(START + at, 1.0) for at in range(0, 4 * DAY, 5400) if not DAY <= at < DAY + 6 * HOUR])
        assert of(sensor, START, START + 4 * DAY, 96).values.count(None) == 1


def test_what_speaks_every_fifteen_seconds_has_no_gap_in_buckets_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = make_sensor()
    store(sensor, [(START + at * 15, float(at)) for at in range(200)])
    monkeypatch.setattr("mqtt.services.history.curves.MOST_READINGS", 100)
    found = of(sensor, START, START + 3000)
    assert (found.step, found.values.count(None)) == (10, 0)


def test_a_sensor_without_history_is_an_empty_line() -> None:
    assert of(make_sensor(), START, START + DAY).times == []


def test_counters_show_what_they_counted_an_hour_across_restarts() -> None:
    sensor = make_sensor(kind="energy", unit="kWh")
    values = [at / 60 for at in range(120)] + [at / 60 for at in range(240)]
    store(sensor, [(START + at * 60, value) for at, value in enumerate(values)])
    rollups.roll_up(NOW)
    rate = of(sensor, START, START + 6 * HOUR, 1000, as_rate={sensor.pk})
    assert sorted(rate.values)[1:] == pytest.approx([1.0] * 358), "one minute saw the restart"
    hours = of(sensor, START, START + 6 * HOUR, 6, as_rate={sensor.pk})
    assert hours.step == HOUR
    assert hours.values == pytest.approx([1.0] * 5, abs=0.05)


def test_a_counter_read_inexactly_has_not_started_again() -> None:
    assert counters.increase(1000.0, 999.9) == 0
    assert counters.increase(1000.0, 3.0) == 3
    assert (counters.rate_unit("kWh"), counters.rate_unit("l")) == ("kW", "l/h")


def test_corrections_apply_when_history_is_read_and_part_a_bucket() -> None:
    sensor = make_sensor()
    store(sensor, [(START + at * 10, float(at)) for at in range(720)])
    rollups.roll_up(NOW)
    cut = START + HOUR + 1805
    given = {sensor.pk: Corrections([Correction(0, 2.0, 1.0), Correction(cut * US, -1.0, 0.0)])}
    hours = of(sensor, START, START + 2 * HOUR, 2, corrections=given)
    assert (hours.lows[0], hours.highs[0], hours.values[0]) == (1.0, 719.0, 360.0)
    before, after = [2.0 * at + 1 for at in range(360, 541)], [-1.0 * at for at in range(541, 720)]
    assert (hours.lows[1], hours.highs[1]) == (min(after), max(before))
    assert hours.values[1] == pytest.approx((sum(before) + sum(after)) / 360)
    raw = of(sensor, cut - 20, cut + 20, corrections=given)
    assert raw.values == [2.0 * 539 + 1, 2.0 * 540 + 1, -541.0, -542.0]
    Reading.objects.all().delete()
    hours = of(sensor, START, START + 2 * HOUR, 2, corrections=given)
    assert hours.highs[1] == 2.0 * 719 + 1, "without readings a bucket is corrected as a whole"


def test_a_negative_gain_swaps_the_lowest_and_the_highest() -> None:
    bucket = Bucket(0, 3, 1.0, 5.0, 2.0, 4.0, 1.0)
    assert corrected(bucket, Correction(0, -1.0, 0.0)) == Bucket(0, 3, -5.0, -1.0, -2.0, -4.0, -1.0)


def test_joined_buckets_weigh_their_means() -> None:
    one, two = Bucket(0, 1, 1.0, 1.0, 1.0, 1.0, 1.0), Bucket(10, 3, 5.0, 9.0, 7.0, 5.0, 9.0)
    assert joined([one, two], 0) == Bucket(0, 4, 1.0, 9.0, 5.5, 1.0, 9.0)
