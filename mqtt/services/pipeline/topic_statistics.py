"""Every topic that was heard: counted in memory, written at most once a second inside a batch's transaction."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from mqtt.messages import InboundMessage
from mqtt.models import MAX_KEY_BYTES, MOST_OF_CONNECTION, DiscoveredTopic
from mqtt.services.pipeline.bulk_rows import write_rows

FLUSH_EVERY_US = 1_000_000
KEPT_PAYLOAD = 4096
MAX_KNOWN = MOST_OF_CONNECTION
CHUNK = 400

Key = tuple[int, str]


@dataclass(slots=True)
class _Count:
    first_us: int
    last: InboundMessage
    messages: int = 0
    undecoded: int = 0
    decoder: str = ""

    def add(self, later: "_Count") -> None:
        """Join what came afterwards."""
        self.last = later.last
        self.messages += later.messages
        self.undecoded += later.undecoded
        self.decoder = later.decoder or self.decoder


class Flushed(NamedTuple):
    """Which topics were written, by connection."""

    topics: dict[int, list[int]]
    created: dict[int, int]


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


class TopicStatistics:
    """Counts of the open batch, of the committed ones since the last flush, and the ids of known topics."""

    def __init__(self) -> None:
        self._batch: dict[Key, _Count] = {}
        self._pending: dict[Key, _Count] = {}
        self._ids: dict[Key, int] = {}
        self._found: dict[Key, int] = {}
        self._flushed = False
        self._flushed_us = 0

    def add(self, message: InboundMessage, decoder: str) -> None:
        """Count one message; an empty `decoder` says that nothing understood it."""
        key = (message.connection_id, message.topic)
        count = self._batch.get(key)
        if count is None:
            count = self._batch[key] = _Count(message.received_us, message)
        count.messages += 1
        count.last = message
        if decoder:
            count.decoder = decoder
        else:
            count.undecoded += 1

    def is_due(self, now_us: int) -> bool:
        """Whether a second has passed since the last flush (or the clock was set back)."""
        return not 0 <= now_us - self._flushed_us < FLUSH_EVERY_US

    @property
    def has_pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._pending)

    def flush(self, now_us: int) -> Flushed:
        """Write all counts in the caller's transaction."""
        counts = self._merged()
        rows = [
            (
                *key,
                count.first_us,
                count.last.received_us,
                count.messages,
                count.undecoded,
                count.last.payload[:KEPT_PAYLOAD],
                count.last.size,
                count.last.qos,
                count.last.retain,
                count.decoder,
                b"",
            )
            for key, count in sorted(counts.items(), key=lambda item: item[0])
            if len(key[1].encode()) <= MAX_KEY_BYTES
        ]
        new = self._new([(row[0], row[1]) for row in rows if (row[0], row[1]) not in self._ids])
        created, beyond = _within_room(new)
        rows = [row for row in rows if (row[0], row[1]) not in beyond]
        write_rows(_UPSERT, _TYPES, rows)
        self._find([(row[0], row[1]) for row in rows])
        topics: dict[int, list[int]] = {}
        for row in rows:
            pk = self._ids.get((row[0], row[1])) or self._found.get((row[0], row[1]))
            if pk:
                topics.setdefault(row[0], []).append(pk)
        self._flushed = True
        self._flushed_us = now_us
        return Flushed(topics, created)

    def commit(self) -> None:
        """The transaction is in: keep its counts for the next flush, or drop what was flushed."""
        if self._flushed:
            self._pending = {}
        else:
            for key, count in self._batch.items():
                before = self._pending.setdefault(key, count)
                if before is not count:
                    before.add(count)
        self._batch = {}
        if len(self._ids) + len(self._found) > MAX_KNOWN:
            self._ids = {}
        self._ids.update(self._found)
        self._found = {}
        self._flushed = False

    def rollback(self) -> None:
        """The transaction failed: its messages will come again."""
        self._batch = {}
        self._found = {}
        if self._flushed:
            self._flushed_us = 0
        self._flushed = False

    def forget(self, connection_ids: set[int]) -> None:
        """Drop what waits for connections that this process no longer holds, and look their topics up again."""
        self._pending = {key: count for key, count in self._pending.items() if key[0] not in connection_ids}
        self._ids = {key: pk for key, pk in self._ids.items() if key[0] not in connection_ids}

    def _merged(self) -> dict[Key, _Count]:
        if not self._pending:
            return self._batch
        merged = dict(self._pending)
        for key, count in self._batch.items():
            before = merged.get(key)
            if before is None:
                merged[key] = count
            else:
                merged[key] = both = replace(before)  # what is pending stays as it is until the commit
                both.add(count)
        return merged

    def _new(self, unknown: list[Key]) -> dict[int, list[str]]:
        """Topics that have no row yet, by connection; remembers the ids of those that have."""
        self._find(unknown)
        new: dict[int, list[str]] = {}
        for key in unknown:
            if key not in self._found:
                new.setdefault(key[0], []).append(key[1])
        return new

    def _find(self, keys: list[Key]) -> None:
        by_connection: dict[int, list[str]] = {}
        for connection_id, topic in keys:
            if (connection_id, topic) not in self._ids and (connection_id, topic) not in self._found:
                by_connection.setdefault(connection_id, []).append(topic)
        for connection_id, topics in by_connection.items():
            for start in range(0, len(topics), CHUNK):
                chunk = topics[start : start + CHUNK]
                found = DiscoveredTopic.objects.filter(connection=connection_id, topic__in=chunk)
                self._found |= {(connection_id, topic): pk for topic, pk in found.values_list("topic", "pk")}


def _within_room(new: dict[int, list[str]]) -> tuple[dict[int, int], set[Key]]:
    """How many new topics each connection may list, and which are left out: it lists as many as are kept."""
    created: dict[int, int] = {}
    beyond: set[Key] = set()
    for connection_id, topics in new.items():
        room = max(0, MOST_OF_CONNECTION - DiscoveredTopic.objects.filter(connection=connection_id).count())
        if room:
            created[connection_id] = min(room, len(topics))
        beyond |= {(connection_id, topic) for topic in topics[room:]}
    return created, beyond
