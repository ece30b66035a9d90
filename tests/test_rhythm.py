from mqtt.enums import IntervalSource
from mqtt.rhythm import expect


def test_late_after_three_intervals_and_two_minutes_offline_after_ten_and_a_quarter_of_an_hour() -> None:
    assert expect(60, IntervalSource.SET)[2:] == (180, 900)
    assert expect(5, IntervalSource.SET)[2:] == (120, 900)
    assert expect(600, IntervalSource.SET)[2:] == (1800, 6000)
