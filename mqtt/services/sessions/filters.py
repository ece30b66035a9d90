"""The filters of one session: which we want, which the broker keeps, what it answered to each."""

import time
from collections.abc import Iterable

from mqtt import topics
from mqtt.enums import ConnectionStatus
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.connection_settings import Filter
from mqtt.services.sessions.link_reasons import Reason
from mqtt.services.sessions.reports import FilterAnswer, Report

UNSUBACK_PATIENCE = 2.0
"""Seconds after which a removed filter is subscribed once more and taken back again: rumqttd forgets, with a
kept session, that the filter is subscribed, ignores the UNSUBSCRIBE and goes on delivering."""

TAKE_BACK_EVERY = 60.0


class SessionFilters:
    """Only the session's own thread changes it."""

    def __init__(self, wanted: tuple[Filter, ...], kept: Iterable[str], besides: Iterable[str] = ()) -> None:
        """`besides`: what may stay in the broker's session, although no message of it is ours."""
        self.kept = set(kept)
        """What the broker's session holds, as far as we know."""
        self.removed: set[str] = set()
        """What it still holds although we do not want it."""
        self._asked = wanted
        self._besides = frozenset(besides)
        self._wanted = frozenset(one.topic_filter for one in wanted)
        self._answers: dict[str, FilterAnswer] = {}
        self._take_back_at = 0.0

    def begin(self, *, session_present: bool) -> None:
        """A link is up."""
        held = self.kept if session_present else set()
        self.removed = held - self._wanted - self._besides
        self.kept = set(self._wanted) | held
        self._take_back_at = time.monotonic() + UNSUBACK_PATIENCE
        self._answers.clear()

    def subscribe(self, link: Link) -> None:
        """Ask for all that is wanted."""
        self._answers.clear()
        link.subscribe(self._asked)

    def insist(self, link: Link) -> None:
        """Take back again what was not taken back in time."""
        now = time.monotonic()
        if self.removed and now > self._take_back_at:
            self._take_back_at = now + TAKE_BACK_EVERY
            link.subscribe([Filter(one, 0) for one in sorted(self.removed)])
            link.unsubscribe(sorted(self.removed))

    def is_unwanted(self, topic: str) -> bool:
        """Whether only a removed filter can have brought a message."""
        return bool(self.removed) and not any(topics.matches(one, topic) for one in self._wanted)

    def answered(self, topic_filter: str, granted_qos: int | None, reason: Reason | None) -> Report | None:
        """Collect an answer; the last one makes the report of them all."""
        if topic_filter not in self._wanted:
            return None
        self._answers[topic_filter] = FilterAnswer(topic_filter, granted_qos, reason)
        if len(self._answers) < len(self._asked):
            return None
        answers = tuple(self._answers.values())
        refused = sum(one.granted_qos is None for one in answers)
        status, why = ConnectionStatus.CONNECTED, None
        if refused == len(answers):
            status, why = ConnectionStatus.ERROR, Reason("filters_refused", is_error=True)
        elif refused:
            why = Reason("some_filters_refused", {"count": refused, "total": len(answers)})
        return Report(status=status, reason=why, answers=answers)

    def forgotten(self, topic_filter: str) -> None:
        """The broker took a filter back."""
        self.kept -= {topic_filter}
        self.removed -= {topic_filter}
