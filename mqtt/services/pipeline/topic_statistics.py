"""Every topic that was heard: counted in memory, written at most once a second inside a batch's transaction.

Many topics are written in rounds, some with one batch and some with a later one: a row for each message would cost
half as much as all else of it, and a second's topics in one transaction would hold up the readings behind it. What is
heard again before its turn is written once.
"""

import time
from dataclasses import replace
from typing import NamedTuple

from mqtt.messages import InboundMessage
from mqtt.models import MOST_OF_CONNECTION
from mqtt.services.pipeline import topic_rows
from mqtt.services.pipeline.topic_rows import KEPT_PAYLOAD, Count, Key

FLUSH_EVERY_US = 1_000_000
MOST_WRITTEN = 250
"""Topics in one transaction: on PostgreSQL a thousand take 15 ms, for which readings waited once a second."""
REST = 20
"""So many times as long as writing some took the others wait, a second at most: it takes a twentieth of the time."""
MAX_KNOWN = MOST_WAITING = MOST_OF_CONNECTION
MOST_BYTES = 16 * 1024 * 1024
"""Beyond so many topics, or bytes of their payloads, more is written with each batch than it can bring."""


class Flushed(NamedTuple):
    """Which topics were written, by connection."""

    topics: dict[int, list[int]]
    created: dict[int, int]


class TopicStatistics:
    """Counts of the open batch, of the committed ones since they were last written, and the ids of known topics."""

    def __init__(self) -> None:
        self._batch: dict[Key, Count] = {}
        self._pending: dict[Key, Count] = {}
        self._bytes = 0
        self._ids: dict[Key, int] = {}
        self._found: dict[Key, int] = {}
        self._round: list[Key] = []
        """Whose turn comes in this round, the next ones at the end."""
        self._turn: list[Key] = []
        """Whom the open transaction writes."""
        self._flushed_us = 0
        self._rest_us = FLUSH_EVERY_US

    def add(self, message: InboundMessage, decoder: str) -> None:
        """Count one message; an empty `decoder` says that nothing understood it."""
        key = (message.connection_id, message.topic)
        count = self._batch.get(key)
        if count is None:
            count = self._batch[key] = Count(message.received_us, message)
        count.messages += 1
        count.last = message
        if decoder:
            count.decoder = decoder
        else:
            count.undecoded += 1

    def is_due(self, now_us: int) -> bool:
        """Whether something is to be written now (also when the clock was set back)."""
        return not 0 <= now_us - self._flushed_us < self._rest_us or self._is_too_much

    @property
    def has_pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._pending)

    @property
    def _is_too_much(self) -> bool:
        return len(self._pending) > MOST_WAITING or self._bytes > MOST_BYTES

    def flush(self, now_us: int) -> Flushed:
        """Write the counts of those whose turn it is, of all where there are few, in the caller's transaction."""
        begun = time.perf_counter()
        if not self._round:
            self._begin_round()
        self._turn = self._round[-MOST_WRITTEN * (2 if self._is_too_much else 1) :]
        sums = [(key, self._sum(key)) for key in reversed(self._turn) if topic_rows.is_storable(key)]
        counts = {key: count for key, count in sums if count}
        unknown = [key for key in counts if key not in self._ids]
        self._found |= topic_rows.find(unknown)
        created, beyond = topic_rows.within_room([key for key in unknown if key not in self._found])
        for key in beyond:
            del counts[key]
        topic_rows.write(counts)
        self._found |= topic_rows.find([key for key in unknown if key not in self._found and key not in beyond])
        topics: dict[int, list[int]] = {}
        for key in counts:
            pk = self._ids.get(key) or self._found.get(key)
            if pk:
                topics.setdefault(key[0], []).append(pk)
        took_us = int((time.perf_counter() - begun) * 1_000_000)
        is_last = len(self._turn) == len(self._round)
        self._rest_us = FLUSH_EVERY_US if is_last else min(FLUSH_EVERY_US, REST * took_us)
        self._flushed_us = now_us
        return Flushed(topics, created)

    def commit(self) -> None:
        """The transaction is in: keep its counts until they are written, and drop what was."""
        if self._turn:
            del self._round[-len(self._turn) :]
            for key in self._turn:
                self._batch.pop(key, None)
                written = self._pending.pop(key, None)
                if written is not None:
                    self._bytes -= len(written.last.payload)
            self._turn = []
        for key, count in self._batch.items():
            if len(count.last.payload) > KEPT_PAYLOAD:
                count.cut()
            self._bytes += len(count.last.payload)
            waits = self._pending.setdefault(key, count)
            if waits is not count:
                self._bytes -= len(waits.last.payload)
                waits.add(count)
        self._batch = {}
        if len(self._ids) + len(self._found) > MAX_KNOWN:
            self._ids = {}
        self._ids.update(self._found)
        self._found = {}

    def rollback(self) -> None:
        """The transaction failed: its messages will come again."""
        self._batch = {}
        self._found = {}
        if self._turn:
            self._flushed_us = 0
        self._turn = []

    def forget(self, connection_ids: set[int]) -> None:
        """Drop what waits for connections that this process no longer holds, and look their topics up again."""
        self._pending = {key: count for key, count in self._pending.items() if key[0] not in connection_ids}
        self._bytes = sum(len(count.last.payload) for count in self._pending.values())
        self._ids = {key: pk for key, pk in self._ids.items() if key[0] not in connection_ids}

    def _begin_round(self) -> None:
        """New topics first, the known ones in the order of their rows: neighbours share pages."""
        ids = self._ids
        waiting = self._pending.keys() | self._batch.keys()
        known = [key for key in waiting if key in ids]
        self._round = sorted(known, key=ids.__getitem__, reverse=True)
        self._round += sorted(waiting.difference(known), reverse=True)

    def _sum(self, key: Key) -> Count | None:
        """What is to be written of a topic; nothing when it was forgotten, or came with a batch that failed."""
        before, now = self._pending.get(key), self._batch.get(key)
        if before is None or now is None:
            return before or now
        both = replace(before)  # what waits stays as it is until the commit
        both.add(now)
        return both
