"""What nothing understood: kept with its reason, bounded for each topic and connection."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from mqtt.messages import InboundMessage
from mqtt.models import UndecodedMessage, from_us

KEPT_PAYLOAD = 64 * 1024
KEPT_OF_TOPIC = 100
KEPT_OF_CONNECTION = 2000
"""With 64 KiB each at most 128 MB, in practice far less."""
WINDOW_US = 60_000_000
MAX_TOPICS = 10_000
MAX_TOPIC = 2000


class UndecodedKeeper:
    """Decides which undecoded messages are stored: half of what is kept in each minute, the rest is only counted.

    The trimming (`trim`) leaves the newer half, so that at no time more than the whole is there.
    """

    def __init__(self) -> None:
        self._window_us = 0
        self._topics: dict[tuple[int, str], int] = {}
        self._connections: dict[int, int] = {}

    def choose(self, found: Sequence[tuple[InboundMessage, str, dict[str, Any]]]) -> list[UndecodedMessage]:
        """The rows to store of (message, reason, context)."""
        rows = []
        for message, reason, context in found:
            if not 0 <= message.received_us - self._window_us < WINDOW_US or len(self._topics) > MAX_TOPICS:
                self._window_us, self._topics, self._connections = message.received_us, {}, {}
            key = (message.connection_id, message.topic)
            of_topic, of_connection = self._topics.get(key, 0), self._connections.get(key[0], 0)
            if of_topic < KEPT_OF_TOPIC // 2 and of_connection < KEPT_OF_CONNECTION // 2:
                self._topics[key] = of_topic + 1
                self._connections[key[0]] = of_connection + 1
                rows.append(_row(message, reason, context))
        return rows


def _row(message: InboundMessage, reason: str, context: dict[str, Any]) -> UndecodedMessage:
    return UndecodedMessage(
        connection_id=message.connection_id,
        topic=message.topic[:MAX_TOPIC].replace("\0", ""),
        payload=message.payload[:KEPT_PAYLOAD],
        size=message.size,
        qos=message.qos,
        retained=message.retain,
        received_at=from_us(message.received_us),
        reason=reason,
        context=context,
    )


def store(rows: Sequence[UndecodedMessage]) -> None:
    """Write the chosen rows in the caller's transaction."""
    if rows:
        UndecodedMessage.objects.bulk_create(rows)


def store_facts(message: InboundMessage) -> None:
    """Keep of a message what any database takes: a topic of ASCII and the size, without the payload."""
    if message.kept_id:
        UndecodedMessage.objects.filter(pk=message.kept_id).update(read_again=False, reason="unstorable", context={})
        return
    topic = message.topic.encode("ascii", "backslashreplace").decode().replace("\0", "")
    UndecodedMessage.objects.create(
        connection_id=message.connection_id,
        topic=topic[:MAX_TOPIC],
        payload=b"",
        size=message.size,
        qos=message.qos,
        retained=message.retain,
        received_at=timezone.now(),
        reason="unstorable",
    )


_TRIM = """
DELETE FROM mqtt_undecodedmessage WHERE id IN (
    SELECT id FROM (
        SELECT id,
            row_number() OVER (PARTITION BY connection_id, topic ORDER BY id DESC) AS of_topic,
            row_number() OVER (PARTITION BY connection_id ORDER BY id DESC) AS of_connection
        FROM mqtt_undecodedmessage
    ) ranked WHERE of_topic > %s OR of_connection > %s
)
"""


def trim() -> int:
    """Delete all but the newer half of what is kept of each topic and connection; returns how many went."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIM, [KEPT_OF_TOPIC // 2, KEPT_OF_CONNECTION // 2])
        return int(cursor.rowcount)
