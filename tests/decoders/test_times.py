"""Moments as devices write them."""

from datetime import UTC

import pytest

from mqtt.decoders.times import parse

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
