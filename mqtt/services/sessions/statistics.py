"""The part of a session that reads what the broker says of itself.

It is asked when all else is settled, at QoS 0, so that a broker that refuses costs nothing. Some, such as rumqttd,
end the link instead of refusing: they are asked once, and again only when a person changes or renews the filters.
What is not acknowledged when the link ends comes again, under other packet ids there, and what carries no time would be
stored twice: so the question waits for a lull in which nothing is owed.
"""

import time
from collections import deque

from mqtt.messages import InboundMessage
from mqtt.services import broker_facts
from mqtt.services.broker_facts import FILTERS, BrokerFacts, Key
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.connection_settings import Filter

ASK_AFTER = 1.0
"""Seconds after which a link that came up is asked."""
ASK_AT_LAST = 10.0
"""Seconds after which it is asked although there was no lull: under load its figures matter most."""
LULL = 0.2
"""Seconds without a message that is to be acknowledged: what the broker had on its way has come."""
ANSWER_WITHIN = 5.0
"""A link that ends so soon after the question, without an answer, ended because of it."""
LATELY = 600.0
MOST_VALUES = 200
"""Fields of all nodes of a cluster."""


class SessionStatistics:
    """It outlives the sessions of a connection. Their threads change it; the heartbeat reads."""

    def __init__(self, *, is_refused: bool = False) -> None:
        self.is_refused = is_refused
        """The broker ended the link when it was asked."""
        self._is_wanted = False
        self._ask_at = 0.0
        self._asked_at = 0.0
        self._received = 0
        self._received_at = 0.0
        self._open: set[str] = set()
        self._granted: set[str] = set()
        self._values: dict[Key, int | str] = {}
        self._drops: deque[tuple[float, int]] = deque(maxlen=1000)

    @property
    def state(self) -> str:
        """off, refused, asked (it says nothing so far), or heard."""
        if not self._is_wanted:
            return "off"
        if self._values:
            return "heard"
        return "refused" if self.is_refused or (self._asked_at and not self._open and not self._granted) else "asked"

    def facts(self) -> BrokerFacts | None:
        """What is known of the broker."""
        return broker_facts.put_together(dict(self._values), self._dropped_lately()) if self._is_wanted else None

    def ask_again(self) -> None:
        """A person renews the filters: perhaps the broker lets us now."""
        self.is_refused, self._asked_at = False, 0.0

    def begin(self, *, is_wanted: bool) -> None:
        """A link is up."""
        self._is_wanted = is_wanted
        self._ask_at, self._asked_at = time.monotonic() + ASK_AFTER, 0.0
        self._received, self._received_at = 0, 0.0
        self._open, self._granted = set(), set()

    def tend(self, link: Link) -> None:
        """Ask when it is time."""
        if not self._is_wanted or self._asked_at or self.is_refused or (now := time.monotonic()) < self._ask_at:
            return
        if link.received != self._received:
            self._received, self._received_at = link.received, now
        is_lull = link.received == link.acknowledged and now - self._received_at >= LULL
        if not is_lull and now < self._ask_at + ASK_AT_LAST - ASK_AFTER:
            return
        self._asked_at, self._open = now, set(FILTERS)
        link.subscribe([Filter(one, 0) for one in FILTERS])

    def answered(self, topic_filter: str, granted_qos: int | None) -> set[str]:
        """The broker answered to a filter; with the last answer, the filters that it granted."""
        if topic_filter not in self._open:
            return set()
        self._open.discard(topic_filter)
        if granted_qos is not None:
            self._granted.add(topic_filter)
        return set() if self._open else self._granted

    def link_ended(self) -> None:
        """Nothing is known any more; and if it ended for the question, that is not repeated."""
        if self._open and time.monotonic() - self._asked_at < ANSWER_WITHIN:
            self.is_refused = True
        self._open, self._granted, self._asked_at = set(), set(), 0.0
        self._values.clear()
        self._drops.clear()

    def take(self, message: InboundMessage) -> None:
        """One message under `$SYS`."""
        found = broker_facts.read(message.topic, message.payload)
        if found is None or (len(self._values) >= MOST_VALUES and found[0] not in self._values):
            return
        key, value = found
        self._values[key] = value
        if key[1] == "dropped":
            total = sum(
                value for (_, name), value in self._values.items() if name == "dropped" and isinstance(value, int)
            )
            if self._drops and total < self._drops[-1][1]:
                self._drops.clear()  # the broker began anew
            self._drops.append((time.monotonic(), total))

    def _dropped_lately(self) -> int:
        drops, since = list(self._drops), time.monotonic() - LATELY  # a copy: the session's thread goes on writing
        if not drops:
            return 0
        first = next((place for place, (at, _) in enumerate(drops) if at >= since), len(drops))
        return drops[-1][1] - drops[max(0, first - 1)][1]
