"""The rows of topics: what is counted between two writings, how it is written, and for how many there is room."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mqtt.messages import InboundMessage
from mqtt.models import MAX_KEY_BYTES, MOST_OF_CONNECTION, DiscoveredTopic
from mqtt.services.pipeline.bulk_rows import write_rows

KEPT_PAYLOAD = 4096
CHUNK = 400

Key = tuple[int, str]
"""Connection and topic."""


@dataclass(slots=True)
class Count:
    """What was heard on a topic since its row was written."""

    first_us: int
    last: InboundMessage
    messages: int = 0
    undecoded: int = 0
    decoder: str = ""

    def add(self, later: "Count") -> None:
        """Join what came afterwards."""
        self.last = later.last
        self.messages += later.messages
        self.undecoded += later.undecoded
        self.decoder = later.decoder or self.decoder

    def cut(self) -> None:
        """Let go of what is not kept of a long payload."""
        last = self.last
        self.last = replace(last, payload=last.payload[:KEPT_PAYLOAD], cut=last.size - KEPT_PAYLOAD)


_UPSERT = """
INSERT INTO mqtt_discoveredtopic
    (connection_id, topic, first_seen_at, last_seen_at, message_count, undecoded_count,
     last_payload, last_size, last_qos, last_retained, decoder, previous_payload)
{rows}
ON CONFLICT (connection_id, topic) DO UPDATE SET
    last_seen_at = excluded.last_seen_at,
    message_count = mqtt_discoveredtopic.message_count + excluded.message_count,
    undecoded_count = mqtt_discoveredtopic.undecoded_count + excluded.undecoded_count,
    previous_payload = CASE WHEN excluded.last_payload = mqtt_discoveredtopic.last_payload
        THEN mqtt_discoveredtopic.previous_payload ELSE mqtt_discoveredtopic.last_payload END,
    last_payload = excluded.last_payload, last_size = excluded.last_size, last_qos = excluded.last_qos,
    last_retained = excluded.last_retained,
    decoder = CASE WHEN excluded.decoder = '' THEN mqtt_discoveredtopic.decoder ELSE excluded.decoder END
"""
_TYPES = (
    "bigint", "text", "time", "time", "bigint", "bigint", "bytea", "integer", "smallint", "boolean", "text", "bytea",
)  # fmt: skip


def is_storable(key: Key) -> bool:
    """Whether the topic is short enough for a row."""
    return len(key[1]) <= MAX_KEY_BYTES // 4 or len(key[1].encode()) <= MAX_KEY_BYTES


def write(counts: Mapping[Key, Count]) -> None:
    """Add counts to their rows, or make these, in the caller's transaction."""
    write_rows(_UPSERT, _TYPES, [_row(key, count, count.last) for key, count in counts.items()])


def _row(key: Key, count: Count, last: InboundMessage) -> tuple[Any, ...]:
    return (
        *key, count.first_us, last.received_us, count.messages, count.undecoded,
        last.payload[:KEPT_PAYLOAD], last.size, last.qos, last.retain, count.decoder, b"",
    )  # fmt: skip


def find(keys: Iterable[Key]) -> dict[Key, int]:
    """The primary keys of those that have a row."""
    found: dict[Key, int] = {}
    for connection_id, topics in _by_connection(keys).items():
        for start in range(0, len(topics), CHUNK):
            rows = DiscoveredTopic.objects.filter(connection=connection_id, topic__in=topics[start : start + CHUNK])
            found |= {(connection_id, topic): pk for topic, pk in rows.values_list("topic", "pk")}
    return found


def within_room(new: Iterable[Key]) -> tuple[dict[int, int], set[Key]]:
    """How many new topics each connection may list, and which are left out: it lists as many as are kept."""
    created: dict[int, int] = {}
    beyond: set[Key] = set()
    for connection_id, topics in _by_connection(new).items():
        room = max(0, MOST_OF_CONNECTION - DiscoveredTopic.objects.filter(connection=connection_id).count())
        if room:
            created[connection_id] = min(room, len(topics))
        beyond |= {(connection_id, topic) for topic in topics[room:]}
    return created, beyond


def _by_connection(keys: Iterable[Key]) -> dict[int, list[str]]:
    topics: dict[int, list[str]] = {}
    for connection_id, topic in keys:
        topics.setdefault(connection_id, []).append(topic)
    return topics
