"""How long a session waits before it tries its broker again, and what several short lives in a row mean."""

import random

from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.link_reasons import Reason

STABLE_AFTER = 10.0
"""Seconds a link must live before a failure counts as the first one again."""

SHORT_LIVES = 3
"""So many links in a row that ended at once are no accident."""

LONGEST_WAIT = 60.0


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
                # Two clients of one id chase each other, unless one waits; in MQTT 5 the broker says so itself.
                wait = 0.0 if self._settings.is_v5 else link_reasons.TAKEN_OVER_WAIT
                return link_reasons.plain("closed_again", self._settings, is_error=True, wait=wait)
        return reason

    def next_delay(self, reason: Reason) -> float:
        """Count a failure; the seconds until the next try."""
        self.failures += 1
        usual = min(LONGEST_WAIT, 2.0 ** min(self.failures - 1, 10))
        jittered = usual * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return reason.wait or min(LONGEST_WAIT, max(1.0, jittered))
