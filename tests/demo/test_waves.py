from hypothesis import given
from hypothesis import strategies as st

from mqtt.demo.waves import METERS_FROM, Meter, Switch, Wave

TIMES = st.floats(METERS_FROM, METERS_FROM + 10 * 365 * 86_400)


@given(TIMES)
def test_a_wave_keeps_within_its_bounds(now: float) -> None:
    wave = Wave(50, swing=80, wander=30, noise=20, lowest=0, highest=100)
    assert all(0 <= wave.at(now + step) <= 100 for step in range(50))


@given(TIMES, st.floats(1, 86_400))
def test_a_meter_never_falls(now: float, later: float) -> None:
    meter = Meter(per_hour=4.2)
    assert meter.at(now + later) >= meter.at(now)


def test_a_switch_is_on_for_its_part_of_the_period() -> None:
    switch = Switch(period=100, part_on=0.25)
    assert [switch.at(second) for second in (0, 24, 26, 99)] == [True, True, False, False]
