"""Moments as devices write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders.times import EPOCH, MICROSECOND, in_zone, parse

FEB_28 = 1_772_320_200_000_000
"""2026-02-28T23:10:00Z"""


@pytest.mark.parametrize(
    "text",
    ["28/02/2026 23:10:00", "28.02.2026 23:10", "28-02-2026 23:10:00", "02/28/2026 23:10:00", "28.2.2026, 23:10:00",
     "28/02/2026T23:10:00.000"],
)  # fmt: skip
def test_a_day_beyond_twelve_or_a_dot_tells_the_order(text: str) -> None:
    assert parse(text, UTC) == FEB_28


@pytest.mark.parametrize("text", ["03/02/2026 10:00:00", "03-02-2026 10:00", "31/31/2026 10:00", "28/02/26 10:00"])
def test_a_date_that_may_be_two_is_no_moment(text: str) -> None:
    assert parse(text, UTC) is None


def test_with_dots_the_day_stands_first() -> None:
    assert parse("03.02.2026 00:00:00", UTC) == parse("2026-02-03T00:00:00Z")


def test_the_same_number_twice_is_both() -> None:
    assert parse("03/03/2026 00:00:00", UTC) == parse("2026-03-03T00:00:00Z")


ZONES = [UTC, timezone(timedelta(hours=-3, minutes=-30)), *map(ZoneInfo, ("Europe/Rome", "Australia/Lord_Howe", "UTC"))]


@given(st.datetimes(min_value=datetime(1900, 1, 1), allow_imaginary=True), st.sampled_from(ZONES), st.integers(0, 1))  # noqa: DTZ001 - local
def test_local_time_is_what_its_zone_makes_of_it(local: datetime, zone: timezone | ZoneInfo, fold: int) -> None:
    local = local.replace(fold=fold)  # an hour comes twice when summer ends, and is left out when it begins
    assert in_zone(local, zone) == (local.replace(tzinfo=zone) - EPOCH) // MICROSECOND
