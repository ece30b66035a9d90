"""Before a new session of a broker brings its first message, the packet ids noted of the old one are forgotten.

Otherwise an id that is used again would make a new reading look like one that is stored already.
"""

import time
from collections.abc import Sequence

from mqtt.messages import InboundMessage
from mqtt.services.mqtt_connection import Link

LONGEST = 2.0
"""Seconds to wait with SUBSCRIBE until they are; with the database away it goes on, as what is published meanwhile
would be lost."""


class Clearing:
    """`begin` and `is_over` belong to the session's own thread, `stored` to the one that stores."""

    def __init__(self, *, is_noted: bool) -> None:
        """`is_noted`: there are packet ids to be forgotten."""
        self._is_noted = is_noted
        self._until = 0.0
        self._cleared = 0

    @property
    def is_on(self) -> bool:
        """Whether SUBSCRIBE waits."""
        return bool(self._until)

    def is_needed(self, *, is_ours: bool) -> bool:
        """Whether a link has to wait that is up now; `is_ours`: with the very session whose ids are noted."""
        was_noted, self._is_noted = self._is_noted, True
        return was_noted and not is_ours

    def begin(self) -> None:
        """Wait from now on."""
        self._until = time.monotonic() + LONGEST

    def is_over(self, link: Link) -> bool:
        """Whether the wait has come to its end; it is, once this was True."""
        if self._cleared != link.number and time.monotonic() < self._until:
            return False
        self._until = 0.0
        return True

    def stored(self, link: Link, messages: Sequence[InboundMessage]) -> None:
        """These messages of a link are stored; one of them may be the mark where its session begins."""
        if self._until and any(one.begins_session for one in messages):
            self._cleared = link.number
            link.wake()
