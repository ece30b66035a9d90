"""When silence means something: the one rule for everything that speaks, from how often it is expected to."""

from typing import NamedTuple

from mqtt.enums import IntervalSource

LATE_INTERVALS, LATE_LEAST = 3, 120.0
OFFLINE_INTERVALS, OFFLINE_LEAST = 10, 900.0
"""Late after three expected intervals and at least so many seconds; offline after ten."""
UNKNOWN_LATE, UNKNOWN_OFFLINE = 25 * 3600.0, 75 * 3600.0
"""Before anything is known. Devices that wake once a day are common and those that speak less often are rare: so no
silence below a day (and an hour for a clock that drifts) is held against a stranger."""
SILENCE_LATE, SILENCE_OFFLINE = 1.25, 2.5
"""How much longer than a usual silence one may last: nights grow."""


class Expectation(NamedTuple):
    """What is expected of a device: seconds between its messages, how that is known, and when it is late and offline.

    Without deadlines (null) nothing is concluded from its silence.
    """

    interval: float | None
    source: IntervalSource
    late_after: float | None
    offline_after: float | None

    @property
    def usual_silence(self) -> float | None:
        """Seconds for which it is silent now and then, when that is what its deadline rests on."""
        if self.late_after is None:
            return None
        plain = UNKNOWN_LATE if self.interval is None else max(LATE_INTERVALS * self.interval, LATE_LEAST)
        return self.late_after / SILENCE_LATE if self.late_after > plain * 1.001 else None


def expect(interval: float, source: IntervalSource, silence: float = 0.0) -> Expectation:
    """The one rule: late and offline after so many intervals, or after more than a usual silence."""
    late = max(LATE_INTERVALS * interval, LATE_LEAST, SILENCE_LATE * silence)
    offline = max(OFFLINE_INTERVALS * interval, OFFLINE_LEAST, SILENCE_OFFLINE * silence)
    return Expectation(interval, source, late, offline)


def expect_unknown(silence: float = 0.0) -> Expectation:
    """What is expected of a device that nothing is known of yet."""
    late, offline = max(UNKNOWN_LATE, SILENCE_LATE * silence), max(UNKNOWN_OFFLINE, SILENCE_OFFLINE * silence)
    return Expectation(None, IntervalSource.UNKNOWN, late, offline)


UNKNOWN = expect_unknown()
NO_RHYTHM = Expectation(None, IntervalSource.IRREGULAR, None, None)
