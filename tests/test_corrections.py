import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.corrections import NONE, Correction, Corrections

FINITE = st.floats(-1e9, 1e9)


def test_zero_is_taken_off_before_the_gain_and_the_offset_put_on_after_it() -> None:
    assert Correction(0, gain=2.0, offset=0.5, zero=10.0).apply(12.0) == 4.5


def test_each_correction_holds_from_its_own_time_until_the_next() -> None:
    both = Corrections([Correction(200, offset=2.0), Correction(100, offset=1.0), Correction(300)])
    assert [both.apply(time, 10.0) for time in (99, 100, 199, 200, 299, 300)] == [10, 11, 11, 12, 12, 10]
    assert both.at(99) is None
    assert both.at(300) is None, "one that changes nothing ends the one before it"


def test_a_sensor_without_corrections_stays_as_it_is() -> None:
    assert NONE.apply(5, 1.5) == 1.5
    assert not NONE


def test_a_negative_gain_exchanges_least_and_greatest() -> None:
    assert Correction(0, gain=-2.0).apply_range(1.0, 3.0) == (-6.0, -2.0)


def test_a_value_that_would_not_be_finite_stays_raw() -> None:
    assert Correction(0, gain=1e300).apply(1e300) == 1e300


def test_a_time_is_cut_where_corrections_begin() -> None:
    first, second = Correction(10, offset=1.0), Correction(20, gain=2.0)
    both = Corrections([first, second])
    assert list(both.spans(0, 30)) == [(0, 10, None), (10, 20, first), (20, 30, second)]
    assert list(both.spans(12, 15)) == [(12, 15, first)]
    assert list(both.spans(10, 20)) == [(10, 20, first)]
    assert list(both.spans(5, 5)) == []


@given(st.lists(st.tuples(st.integers(0, 1000), FINITE), unique_by=lambda pair: pair[0]), st.integers(0, 1000))
def test_spans_and_single_moments_agree(pairs: list[tuple[int, float]], moment: int) -> None:
    ones = Corrections([Correction(at, offset=offset) for at, offset in pairs])
    spans = list(ones.spans(0, 1001))
    assert [start for start, _, _ in spans[1:]] == [end for _, end, _ in spans[:-1]]
    (found,) = [one for start, end, one in spans if start <= moment < end]
    assert found == ones.at(moment)


@pytest.mark.parametrize("gain", [1.0, -0.5, 40.0])
@given(low=FINITE, high=FINITE)
def test_a_corrected_range_holds_every_corrected_value_in_it(gain: float, low: float, high: float) -> None:
    low, high = min(low, high), max(low, high)
    one = Correction(0, gain=gain, offset=3.0, zero=7.0)
    least, greatest = one.apply_range(low, high)
    assert least <= one.apply(low) <= greatest
    assert least <= one.apply(high) <= greatest
