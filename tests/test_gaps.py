import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt.enums import IntervalSource
from mqtt.gaps import LEARNED_FROM, Gaps
from mqtt.rhythm import NO_RHYTHM, UNKNOWN, Expectation, expect, expect_unknown

SECOND = 1_000_000
DAY = 86400.0
START = 1_780_000_000.0
"""Some evening; times of these tests are seconds since 1970."""


class Simulation:
    """A device that is silent for these gaps, and what is concluded of each before it ends."""

    def __init__(self, gaps: Iterator[float], days: float, learner: Gaps | None = None) -> None:
        self.gaps = learner or Gaps()
        self.late: list[float] = []
        """The days, from the start, on which it was called late."""
        self.offline: list[float] = []
        now = START
        for gap in gaps:
            if now - START > days * DAY:
                break
            expected = self.gaps.expectation()
            if expected.late_after is not None and gap > expected.late_after:
                self.late.append((now - START) / DAY)
            if expected.offline_after is not None and gap > expected.offline_after:
                self.offline.append((now - START) / DAY)
            now += gap
            if not self.gaps.rests(int(gap * SECOND), int(now * SECOND)):
                self.gaps.add(int(gap * SECOND), int(now * SECOND))

    @property
    def expected(self) -> Expectation:
        return self.gaps.expectation()


def steady(interval: float, jitter: float = 0.02, lost: float = 0.0) -> Iterator[float]:
    chance = random.Random(7)
    while True:
        cycles = 1
        while chance.random() < lost:
            cycles += 1
        yield cycles * interval * chance.uniform(1 - jitter, 1 + jitter)


def bursts(size: int, spacing: float, period: float) -> Iterator[float]:
    while True:
        yield from [spacing] * (size - 1)
        yield period - spacing * (size - 1)


def inverter(interval: float, night: float) -> Iterator[float]:
    """Speaks by day; each night is three minutes longer than the one before."""
    while True:
        yield from [interval] * int((DAY - night) / interval)
        night += 180
        yield night


def office() -> Iterator[float]:
    """A minute apart on workdays from 8 to 18."""
    now = 8 * 3600.0
    while True:
        day, hour = int(now // DAY) % 7, now % DAY / 3600
        ahead = 1 if day < 4 or hour < 8 else 7 - day
        gap = 60.0 if day < 5 and 8 <= hour < 18 else ahead * DAY - now % DAY + 8 * 3600
        now += gap
        yield gap


def by_chance(mean: float) -> Iterator[float]:
    chance = random.Random(3)
    while True:
        yield chance.expovariate(1 / mean)


def a_door() -> Iterator[float]:
    """Opened and shut within seconds, often by day, hardly by night."""
    chance, now = random.Random(5), 0.0
    while True:
        mean = 1200 if 8 < now % DAY / 3600 < 18 else 20000
        for gap in (chance.uniform(2, 30), chance.expovariate(1 / mean)):
            now += gap
            yield gap


@pytest.mark.parametrize("interval", [1.0, 5, 10, 60, 300, 900, 3600, 6 * 3600])
def test_a_steady_device_is_learned_from_twenty_gaps(interval: float) -> None:
    gaps = Gaps()
    for number in range(1, LEARNED_FROM + 1):
        assert gaps.expectation() == UNKNOWN
        gaps.add(int(interval * SECOND), int((START + number * interval) * SECOND))
    expected = gaps.expectation()
    assert (expected.source, expected.interval) == (IntervalSource.LEARNED, pytest.approx(interval, abs=0.02))


def test_a_stranger_that_speaks_once_a_day_is_not_called_late() -> None:
    assert UNKNOWN.late_after
    assert UNKNOWN.late_after > DAY
    assert Simulation(steady(DAY, 0.01), 15).late == []


@pytest.mark.parametrize("lost", [0.0, 0.1, 0.2])
def test_lost_messages_do_not_become_the_rhythm_and_alarm_nobody_for_long(lost: float) -> None:
    device = Simulation(steady(60, 0.05, lost), 14)
    assert device.expected.interval == pytest.approx(60, rel=0.1)
    assert device.offline == []
    assert all(day < 3 for day in device.late)


@pytest.mark.parametrize(
    ("size", "spacing", "period"), [(5, 1.2, 60), (3, 2, 600), (15, 1.2, 3600), (60, 1.2, 3600), (144, 1.2, DAY)]
)
def test_what_comes_in_bursts_is_expected_once_a_burst(size: int, spacing: float, period: float) -> None:
    device = Simulation(bursts(size, spacing, period), 20)
    assert device.expected.interval == pytest.approx(period, rel=0.1)
    assert all(day < 1 for day in device.late)


@pytest.mark.parametrize(("interval", "night"), [(60, 9 * 3600), (900, 10 * 3600), (1800, 13 * 3600), (60, 16 * 3600)])
def test_a_device_that_sleeps_at_night_is_called_late_in_its_first_night_at_most(interval: float, night: float) -> None:
    device = Simulation(inverter(interval, night), 30)
    assert device.expected.interval == pytest.approx(interval, rel=0.05)
    assert len(device.late) <= 1
    assert all(day < 1 for day in device.late)
    assert device.expected.usual_silence == pytest.approx(night + 30 * 180, rel=0.12)
    assert device.expected.offline_after
    assert device.expected.offline_after < 48 * 3600, "dead is noticed all the same"


def test_weekends_are_known_after_three_of_them() -> None:
    device = Simulation(office(), 40)
    assert all(day < 21 for day in device.late)


def test_a_silence_seen_on_one_day_of_many_stays_a_silence() -> None:
    def with_outages() -> Iterator[float]:
        for _ in range(2):
            yield from [60.0] * 1440 * 5
            yield 4 * 3600.0
        yield from [60.0] * 1440 * 5

    device = Simulation(with_outages(), 30)
    assert (len(device.late), len(device.offline)) == (2, 2)
    assert device.expected == expect(60, IntervalSource.LEARNED)


def test_what_happens_when_it_happens_gets_no_deadline() -> None:
    device = Simulation(a_door(), 20)
    assert device.expected == NO_RHYTHM
    assert all(day < 3 for day in device.late)


@pytest.mark.parametrize("mean", [5, 60, 3600, 4 * 3600])
def test_what_comes_by_chance_is_hardly_ever_called_late(mean: float) -> None:
    device = Simulation(by_chance(mean), 40)
    assert device.offline == []
    assert len(device.late) <= 40 * 0.15


def test_a_device_that_speaks_less_often_from_now_on_is_believed_soon() -> None:
    def slower() -> Iterator[float]:
        yield from [10.0] * 3000
        yield from [600.0] * 500

    device = Simulation(slower(), 3)
    assert device.expected == expect(600, IntervalSource.LEARNED)
    assert len(device.late) < 10


def test_a_device_that_speaks_more_often_from_now_on_is_watched_more_closely_within_a_day() -> None:
    def faster() -> Iterator[float]:
        yield from [600.0] * 1000
        while True:
            yield 10.0

    assert Simulation(faster(), 7.9).expected == expect(10, IntervalSource.LEARNED)


def test_nights_that_are_four_weeks_old_are_forgotten() -> None:
    device = Simulation(inverter(60, 10 * 3600), 5)
    assert device.expected.usual_silence
    Simulation(steady(60), 60, device.gaps)
    assert device.expected.usual_silence is None


def test_messages_that_were_kept_are_told_from_a_clock_that_is_wrong() -> None:
    gaps, hour = Gaps(), 3600 * SECOND
    gaps.lag_us = 0
    assert gaps.is_backlog(5 * hour)
    wrong = Gaps()
    assert not any(wrong.is_backlog(hour + number * SECOND) for number in range(5)), "an hour behind, always"
    assert wrong.is_backlog(4 * hour)
    late = [gaps.is_backlog(hour) for _ in range(400)]
    assert late[0]
    assert not late[-1], "a clock that was set back becomes usual"


@pytest.mark.parametrize(
    "device", [lambda: steady(60), a_door, lambda: inverter(300, 36000), lambda: by_chance(900), lambda: iter([5.0])]
)
def test_what_was_learned_survives_a_restart(device: Callable[[], Iterator[float]]) -> None:
    first = Simulation(device(), 6).gaps
    second = Gaps()
    second.unpack(first.pack())
    assert second.expectation() == first.expectation()
    assert second.pack() == first.pack()
    assert len(first.pack()) < 250


@given(st.binary(max_size=300))
def test_a_memory_that_is_broken_is_no_error(data: bytes) -> None:
    gaps = Gaps()
    gaps.unpack(data)
    gaps.unpack(b"\x01" + data)


@settings(max_examples=200)
@given(
    st.lists(st.floats(0.001, 100 * DAY), min_size=1, max_size=150),
    st.sampled_from([1.0, 3600.0]),
)
def test_whatever_the_gaps_the_rule_holds(lengths: list[float], unit: float) -> None:
    gaps, now = Gaps(), START
    for length in lengths:
        now += length
        gaps.add(int(length * SECOND), int(now * SECOND))
        expected = gaps.expectation()
        if expected.source == IntervalSource.LEARNED:
            assert expected.interval
            assert 0.001 <= expected.interval <= 60 * DAY
            assert expected.late_after
            assert expected.offline_after
            assert expected.late_after >= max(3 * expected.interval, 120)
            assert expected.offline_after >= max(10 * expected.interval, 900)
        elif expected.source == IntervalSource.IRREGULAR:
            assert expected == NO_RHYTHM
        else:
            assert expected == expect_unknown(gaps.silence)
    assert gaps.count <= len(lengths)
    assert math.isfinite(gaps.silence)


@given(st.floats(2, DAY), st.lists(st.floats(0.97, 1.03), min_size=60, max_size=60))
def test_a_single_outage_changes_nothing_of_a_learned_interval(interval: float, jitter: list[float]) -> None:
    gaps, now = Gaps(), START
    for place, factor in enumerate(jitter):
        length = interval * (50 if place == 40 else factor)
        now += length
        gaps.add(int(length * SECOND), int(now * SECOND))
    assert gaps.expectation().interval == pytest.approx(interval, rel=0.15)
