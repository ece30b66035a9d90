"""What one open page of a live tail waits for: the newest messages, bounded, and what to say about the rest."""

from collections import deque
from typing import Any

from mqtt import groups, reasons
from mqtt.events import TailHeard
from mqtt.fragments import render_part
from mqtt.topics import filter_error

MOST_WAITING = 40
"""Messages that wait for a slow browser; older ones give way and are counted."""
LONGEST_FILTER = 1000


class Watching:
    """One filter that a browser watches."""

    def __init__(self, connection_id: int, topic_filter: str) -> None:
        """Raises ValueError for a filter that is against the rules."""
        if len(topic_filter) > LONGEST_FILTER or filter_error(topic_filter):
            raise ValueError("no topic filter")
        self.connection_id = connection_id
        self.topic_filter = topic_filter
        self.group = groups.tail(connection_id, topic_filter)
        self._heard: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._skipped = 0
        self._why = ""
        self._is_stale = False

    def take(self, event: TailHeard) -> None:
        """Messages of our tail; those of others are left alone."""
        if event.tail != self.group:
            return
        self._skipped += event.skipped + max(0, len(self._heard) + len(event.messages) - MOST_WAITING)
        self._heard.extend(event.messages)
        self._why = event.reason and reasons.explain(event.reason, event.context)
        self._is_stale = True

    def frames(self, language: str) -> list[str]:
        """The rows to put on top, newest first, and the line below the heading; nothing when nothing came."""
        if not self._is_stale:
            return []
        self._is_stale = False
        heard = list(self._heard)[::-1]
        self._heard.clear()
        state = {"skipped": self._skipped, "why": self._why, "is_pushed": True}
        frames = [render_part("mqtt/parts/_tail_state.html", state, language)]
        if heard:
            frames.insert(0, render_part("mqtt/parts/_tail_rows.html", {"messages": heard}, language))
        return frames
