"""Plausible values: daily curves, slow wandering, drift, noise, and meters that only rise.

`now` is always seconds since 1970 UTC.
"""

import math
import random
from dataclasses import dataclass, field

DAY = 86_400
WARMEST = 13 * 3600
"""Seconds after midnight UTC at which daily curves have their crest."""
METERS_FROM = 1_735_689_600
"""Meters count from the beginning of 2025, so that a restart of the demo does not set them back."""

_dice = random.Random()  # noqa: S311 - simulated measurements, nothing secret


@dataclass
class Wave:
    """A measured quantity around `mean`."""

    mean: float
    swing: float = 0.0
    """Half the difference between the day's highest and lowest."""
    wander: float = 0.0
    """How far the random walk strays, roughly."""
    noise: float = 0.0
    drift: float = 0.0
    """Change a day since the start of the year, as a settling structure shows it."""
    digits: int = 2
    lowest: float = -math.inf
    highest: float = math.inf
    _strayed: float = field(default=0.0, init=False)

    def at(self, now: float) -> float:
        """The value at `now`; each call takes one step of the random walk."""
        self._strayed += _dice.gauss(0, self.wander / 8) - self._strayed / 64
        daily = self.swing * math.cos((now % DAY - WARMEST) / DAY * math.tau)
        drifted = self.drift * (now % (365 * DAY)) / DAY
        value = self.mean + daily + drifted + self._strayed + _dice.gauss(0, self.noise)
        return round(min(max(value, self.lowest), self.highest), self.digits)


@dataclass
class Meter:
    """A counter that rises by about `per_hour`, faster by day than by night."""

    per_hour: float
    digits: int = 3

    def at(self, now: float) -> float:
        """The total at `now`."""
        hours = (now - METERS_FROM) / 3600
        by_day = math.sin((now % DAY - WARMEST) / DAY * math.tau) * 24 / math.tau * 0.6
        return round(self.per_hour * (hours + by_day), self.digits)


@dataclass
class Switch:
    """Something that is on for a part of each period."""

    period: float
    part_on: float = 0.5
    offset: float = 0.0

    def at(self, now: float) -> bool:
        """Whether it is on at `now`."""
        return (now + self.offset) % self.period < self.period * self.part_on
