"""How long a session waits before it tries its broker again, and what several short lives in a row mean."""

import random

from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.link_reasons import Reason

STABLE_AFTER = 10.0
"""Seconds a link must live before a failure counts as the first one again."""

SHORT_LIVES = 3
"""So many links in a row that ended at once are no accident."""

FIRST_WAIT = 0.25
"""Seconds before the first try: a broker that restarted without our session drops what comes until we are back. Twice
as many before each further one, until a link lived: two clients of one id do not chase each other for long."""

LONGEST_WAIT = 60.0
SHORTEST_ERROR = 1.0
"""Seconds at least after what somebody must mend."""


class Retries:
    """Counts failures since the last link that lived."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.failures = 0
        self._short_lives = 0
        self._settings = settings

    def after_life(self, reason: Reason, lived: float) -> Reason:
        """What the end of a link that was up for `lived` seconds means, in the light of those before."""
        if lived >= STABLE_AFTER:
            self.failures = self._short_lives = 0
        elif reason.code == "link_lost":
            self._short_lives += 1
            if self._short_lives >= SHORT_LIVES:
                return link_reasons.plain("closed_again", self._settings, is_error=True)
        return reason

    def next_delay(self, reason: Reason) -> float:
        """Count a failure; the seconds until the next try."""
        self.failures += 1
        usual = FIRST_WAIT * 2.0 ** min(self.failures - 1, 10)
        jittered = usual * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return reason.wait or min(LONGEST_WAIT, max(SHORTEST_ERROR if reason.is_error else 0.0, jittered))
