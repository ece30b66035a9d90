"""Which decoder a person picked for a subscription."""

import time
from collections.abc import Set as AbstractSet

from mqtt.messages import InboundMessage
from mqtt.models import TopicSubscription
from mqtt.topics import matches

REFRESH_SECONDS = 5.0


class DecoderChoice:
    """The subscriptions that name a decoder, read again every few seconds."""

    def __init__(self) -> None:
        self._chosen: dict[int, list[tuple[str, str]]] = {}
        self._known: frozenset[int] = frozenset()
        self._read_at = float("-inf")

    def refresh(self, connection_ids: AbstractSet[int]) -> bool:
        """Read them when it is time, or when there are other connections; returns whether it was."""
        now = time.monotonic()
        if now - self._read_at < REFRESH_SECONDS and connection_ids <= self._known:
            return False
        chosen: dict[int, list[tuple[str, str]]] = {}
        rows = TopicSubscription.objects.filter(connection__in=connection_ids).exclude(decoder="")
        for connection_id, topic_filter, decoder in rows.values_list("connection_id", "topic_filter", "decoder"):
            chosen.setdefault(connection_id, []).append((topic_filter, decoder))
        self._chosen, self._known, self._read_at = chosen, frozenset(connection_ids), now
        return True

    def of(self, message: InboundMessage) -> str:
        """The name of the chosen decoder, or empty."""
        for topic_filter, decoder in self._chosen.get(message.connection_id, ()):
            if matches(topic_filter, message.topic):
                return decoder
        return ""
