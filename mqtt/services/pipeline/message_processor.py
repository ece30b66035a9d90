"""From a batch of messages to stored readings: decode, resolve, one transaction, then announce.

No threads and no MQTT here. The caller acknowledges what is accepted, and repeats the whole batch when the
database is away (OperationalError, InterfaceError). What a decoder or the database refuses is set aside
with its reason, and the rest of the batch is stored.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from mqtt.decoders.registry import decode
from mqtt.events import ReadingsStored
from mqtt.exceptions import UndecodableError
from mqtt.messages import InboundMessage
from mqtt.models import MAX_KEY_BYTES
from mqtt.services.announcements import Memories
from mqtt.services.broadcast import broadcast_event
from mqtt.services.disk import DiskGuard
from mqtt.services.holding.leases import locked_leases
from mqtt.services.pipeline import undecoded
from mqtt.services.pipeline.batch_needs import BatchNeeds
from mqtt.services.pipeline.batch_outcome import ConnectionCounts, ProcessedBatch, Work, counted
from mqtt.services.pipeline.batch_store import BatchStore
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.clock_watch import ClockWatch
from mqtt.services.pipeline.decoder_choice import DecoderChoice
from mqtt.services.pipeline.device_directory import DeviceDirectory
from mqtt.services.pipeline.kept_messages import settle_kept
from mqtt.services.pipeline.packet_log import PacketLog
from mqtt.services.pipeline.rhythms import RhythmKeeper
from mqtt.services.pipeline.topic_statistics import Flushed, TopicStatistics
from mqtt.topics import is_own_status

logger = logging.getLogger(__name__)

MAX_READINGS = 8000
MAX_NEW = 500
"""Readings, and readings of new devices, in one transaction: SQLite has one writer, who may take 200 ms at most."""


class MessageProcessor:
    """Stores batches, one after another; use it from one thread."""

    def __init__(self, guard: DiskGuard | None = None) -> None:
        """`guard` says whether the disk still has room for history; None: it has."""
        self.guard = guard or DiskGuard()
        self.clock = ClockWatch()
        self._directory = DeviceDirectory()
        self._topics = TopicStatistics()
        self._undecoded = undecoded.UndecodedKeeper()
        self._choice = DecoderChoice()
        self._memories = Memories()
        self._packets = PacketLog()
        self._rhythms = RhythmKeeper()
        self._tokens: dict[int, UUID] = {}
        self._versions: dict[int, int] = {}
        """Of the devices of each connection, as this process remembers them."""

    def process(self, batch: Sequence[InboundMessage], tokens: dict[int, UUID]) -> ProcessedBatch:
        """Store a batch. `tokens` are the leases that this process holds: {connection: token}.

        Raises OperationalError or InterfaceError when the database is away; nothing is stored then.
        """
        self._follow(tokens)
        if self._choice.refresh(set(tokens)):
            self._memories.refresh()
        self._memories.allow_ahead(self.clock.lead_us)
        result = ProcessedBatch()
        try:
            for work in self._slices(batch):
                self._store(work, result)
        except BaseException:
            self._memories.rollback()
            raise
        self._rhythms.visit()
        return result

    def flush(self, tokens: dict[int, UUID], *, at_once: bool = False) -> bool:
        """Write topic counts that wait for a next batch; call when idle. Whether more wait. Raises like `process`.

        `at_once`: all of them, because there is no next batch.
        """
        self._follow(tokens)
        self._rhythms.visit()
        while self._topics.has_pending and (at_once or self._topics.is_due(_now_us())):
            self._flush_topics()
        return self._topics.has_pending

    def _flush_topics(self) -> None:
        try:
            with transaction.atomic():
                held = self._held(set(self._tokens))
                self._topics.forget(set(self._tokens) - held)
                flushed = self._topics.flush(_now_us())
        except BaseException:
            self._topics.rollback()
            raise
        self._topics.commit()
        for connection_id, topics in flushed.topics.items():
            created = {"topics": flushed.created[connection_id]} if connection_id in flushed.created else {}
            event = ReadingsStored(connection_id=connection_id, created=created)
            event.add("topic", topics)
            broadcast_event(event)

    def _follow(self, tokens: dict[int, UUID]) -> None:
        """What was known of a connection under another lease may have changed since."""
        changed = {pk for pk, token in self._tokens.items() if tokens.get(pk) != token}
        changed |= {pk for pk in tokens if pk not in self._tokens}
        if changed:
            self._directory.forget(changed)
            self._topics.forget(changed)
            self._packets.forget(changed)
            self._rhythms.forget(changed)
            self._memories.forget(changed)
        self._tokens = dict(tokens)

    def _decode(self, message: InboundMessage) -> Work:
        if len(message.topic) > MAX_KEY_BYTES // 4 and (size := len(message.topic.encode())) > MAX_KEY_BYTES:
            return Work(message, None, "topic_too_long", {"size": size, "limit": MAX_KEY_BYTES})
        try:
            decoded = decode(message, self._memories.of(message.connection_id), self._choice.of(message))
        except UndecodableError as error:
            return Work(message, None, error.code, error.context)
        if decoded.announcements:
            self._memories.take(message.connection_id, decoded.announcements)
        return Work(message, decoded, decoded.aside)

    def _slices(self, batch: Sequence[InboundMessage]) -> Iterator[list[Work]]:
        """The batch decoded, whole or in parts where one transaction would take too long."""
        work: list[Work] = []
        readings = new = 0
        for message in batch:
            item = self._decode(message)
            work.append(item)
            found = item.decoded.readings if item.decoded else ()
            readings += len(found)
            if found and (message.connection_id, found[0].device.key) not in self._directory.dataloggers:
                new += len(found)
            if new >= MAX_NEW or readings >= MAX_READINGS:
                yield work
                work, readings, new = [], 0, 0
        if work:
            yield work

    def _store(self, work: list[Work], result: ProcessedBatch) -> None:
        """Commit; when the data is refused, find the bad messages, set them aside, and store the rest."""
        try:
            self._commit(work, result)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - found one by one, logged with its traceback in _set_aside
            # A device deleted meanwhile, what the database does not take, or a mistake of ours.
            self._directory.forget({item.message.connection_id for item in work})
            self._store_again([item.message for item in work], result)

    def _store_again(self, messages: list[InboundMessage], result: ProcessedBatch) -> None:
        """Look everything up and decode afresh; when it is refused again, halve until the bad message stands alone."""
        self._memories.rollback()  # what the others announce must not be stored with these
        work = [self._decode(message) for message in messages]
        try:
            self._commit(work, result)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._directory.forget({message.connection_id for message in messages})
            if len(work) > 1:
                middle = len(work) // 2
                self._store_again(messages[:middle], result)
                self._store_again(messages[middle:], result)
            else:
                self._set_aside(work[0], error, result)

    def _set_aside(self, item: Work, error: Exception, result: ProcessedBatch) -> None:
        """Keep a refused message with the reason; when that is refused too, keep its facts."""
        self._memories.rollback()
        message = item.message
        logger.error("The database refused a message on topic %r.", message.topic[:200], exc_info=error)
        if item.decoded is not None:
            detail = str(error).replace("\0", "").partition("\n")[0][:250]
            try:
                self._commit([Work(message, None, "refused_by_database", {"detail": detail})], result)
            except (OperationalError, InterfaceError):
                raise
            except Exception as second:  # noqa: BLE001 - logged in _keep_facts
                error = second
            else:
                return
        self._keep_facts(message, error, result)

    def _keep_facts(self, message: InboundMessage, error: Exception, result: ProcessedBatch) -> None:
        """The last resort. Raises when not even this can be stored: then the database is broken, not the message."""
        with transaction.atomic():
            if not self._held({message.connection_id}):
                return
            undecoded.store_facts(message)
        logger.error(
            "A message on topic %r (%s bytes, beginning with %r) cannot be kept; only its facts are.",
            message.topic[:200], message.size, message.payload[:200], exc_info=error,
        )  # fmt: skip
        result.accepted.add(message.connection_id)
        count = ConnectionCounts(messages=1, undecoded=1, unkept=1, oldest_received_us=message.received_us)
        result.counts.setdefault(message.connection_id, ConnectionCounts()).add(count)

    def _commit(self, work: list[Work], result: ProcessedBatch) -> None:
        now_us = _now_us()
        store, writes = BatchStore(self._directory, self._rhythms), Writes()
        flushed: Flushed | None = None
        again: list[InboundMessage] = []
        try:
            with transaction.atomic():
                accepted = self._held({item.message.connection_id for item in work})
                work = [item for item in work if item.message.connection_id in accepted]
                repeated = self._packets.take([item.message for item in work])
                if repeated:
                    again = [item.message for place, item in enumerate(work) if place in repeated]
                    work = [item for place, item in enumerate(work) if place not in repeated]
                self._packets.write(writes)
                if work:
                    self._resolve(store, work, now_us)
                    store.write(writes, keeps_history=self.guard.keeps_history)
                    self._keep_undecoded(work)
                    settle_kept(work, store)
                    flushed = self._count_topics(work, now_us)
                self._memories.write(accepted)
                writes.run()
        except BaseException:
            self._directory.rollback()
            self._topics.rollback()
            self._packets.rollback()
            raise
        self._topics.commit()
        self._packets.commit()
        self._memories.commit()
        result.accepted |= accepted
        for message in again:
            if not message.begins_session:
                result.counts.setdefault(message.connection_id, ConnectionCounts()).repeated += 1
        if work:
            result.stored += writes.counted
            store.apply()
            self.clock.take(work[-1].message.received_us, store.clock_offsets)
            for item in work:
                if item.decoded and item.decoded.requests:
                    result.requests.setdefault(item.message.connection_id, []).extend(item.decoded.requests)
            self._announce(work, store, flushed, result)

    def _held(self, connection_ids: set[int]) -> set[int]:
        """The connections whose lease is ours; their rows stay locked until the end of the transaction.

        Who replaces, merges or deletes devices changes the lease's version under the same lock.
        """
        found = locked_leases(connection_ids)
        changed = {pk for pk, (_, version) in found.items() if self._versions.get(pk, version) != version}
        if changed:
            self._directory.forget(changed)
            self._rhythms.forget(changed)
        self._versions.update((pk, version) for pk, (_, version) in found.items())
        return {pk for pk, (token, _) in found.items() if token == self._tokens.get(pk)}

    def _resolve(self, store: BatchStore, work: list[Work], now_us: int) -> None:
        needs = BatchNeeds(self._directory)
        for item in work:
            if item.decoded is not None:
                needs.want(item.message, item.decoded)
        needs.resolve(now_us)
        for item in work:
            if item.decoded is not None:
                store.take(item.message, item.decoded)
        self._keep_undecoded([Work(message, None, *why) for message, why in store.left_out()])

    def _keep_undecoded(self, work: list[Work]) -> None:
        found = [
            (item.message, item.reason, item.context) for item in work if item.is_kept and not item.message.kept_id
        ]
        if found:
            undecoded.store(self._undecoded.choose(found))

    def _count_topics(self, work: list[Work], now_us: int) -> Flushed | None:
        for item in work:
            # Our own birth and will are no discovery, and what is read again was counted when it came.
            if not is_own_status(item.message.topic) and not item.message.kept_id:
                self._topics.add(item.message, item.decoded.decoder if item.decoded and not item.is_kept else "")
        return self._topics.flush(now_us) if self._topics.is_due(now_us) else None

    def _announce(self, work: list[Work], store: BatchStore, flushed: Flushed | None, result: ProcessedBatch) -> None:
        counts = counted(work)
        for message in store.beyond:
            counts[message.connection_id].refused += 1
        created = self._directory.commit()
        for connection_id, count in counts.items():
            result.counts.setdefault(connection_id, ConnectionCounts()).add(count)
            event = ReadingsStored(
                connection_id=connection_id, undecoded=count.undecoded, received_us=count.oldest_received_us
            )
            store.describe(event)
            event.created = created.get(connection_id, {})
            if flushed:
                event.add("topic", flushed.topics.get(connection_id, []))
                if connection_id in flushed.created:
                    event.created["topics"] = flushed.created[connection_id]
            broadcast_event(event)
        store.changes.announce()


def _now_us() -> int:
    return time.time_ns() // 1000
