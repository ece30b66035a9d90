"""The thread between inbox and database: one batch after the other, acknowledged only when it is committed."""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from mqtt.messages import InboundMessage
from mqtt.services.database_outage import drop_connection, what_ails
from mqtt.services.pipeline.batch_outcome import ProcessedBatch
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.pipeline.message_processor import MessageProcessor

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between tries while the database is away."""

IDLE_SECONDS, BUSY_SECONDS = 1.0, 0.1
"""After so long without a message the processor writes what it held back for a next batch, or more of it."""

T = TypeVar("T")


class ProcessorThread:
    """Keeps a batch until it is stored: while the database is away the broker waits, and so do we."""

    def __init__(
        self,
        inbox: Inbox,
        processor: MessageProcessor,
        tokens: Callable[[], dict[int, UUID]],
        committed: Callable[[int, list[InboundMessage], ProcessedBatch], None],
    ) -> None:
        """`committed` is called on this thread with each accepted connection's messages, in arrival order."""
        self._inbox = inbox
        self._processor = processor
        self._tokens = tokens
        self._committed = committed
        self._stopping = threading.Event()
        self._waiting_since = 0.0
        self._batch: list[InboundMessage] = []
        self._batch_since = 0.0
        self._took = 0.0
        """Seconds that storing the last batch took."""
        self._thread = threading.Thread(target=self._run, name="processor", daemon=True)

    @property
    def behind_seconds(self) -> float:
        """How long the oldest message that is not stored has waited; 0: none waits."""
        since = self._batch_since
        return time.monotonic() - since if since else 0.0

    def in_hand(self) -> Counter[int]:
        """How many messages of each connection are being stored."""
        return Counter(message.connection_id for message in self._batch)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Finish the batch in hand, waiting up to so long for it."""
        self._stopping.set()
        self._inbox.stop()
        self._thread.join(seconds)

    def _run(self) -> None:
        has_more: bool | None = False
        try:
            while not self._stopping.is_set():
                batch = self._inbox.collect(BUSY_SECONDS if has_more else IDLE_SECONDS, growing=self._took)
                if batch:
                    begun = time.monotonic()
                    self._take(batch)
                    processed = self._until_stored(partial(self._process, batch))
                    if processed is not None:
                        self._hand_back(batch, processed)
                    self._took = time.monotonic() - begun
                    self._batch, self._batch_since = [], 0.0
                elif not self._stopping.is_set():
                    has_more = self._until_stored(lambda: self._processor.flush(self._tokens()))
            if not self._waiting_since:
                with suppress(OperationalError, InterfaceError):  # only counts are lost, and the next batch says why
                    self._processor.flush(self._tokens(), at_once=True)
        finally:
            connection.close()

    def _take(self, batch: list[InboundMessage]) -> None:
        """Note since when it waits: monotonic from here on, as this computer's clock may jump."""
        waited = max(0.0, time.time() - batch[0].received_us / 1e6) if not batch[0].kept_id else 0.0
        self._batch, self._batch_since = batch, time.monotonic() - waited

    def _process(self, batch: list[InboundMessage]) -> ProcessedBatch:
        wanted = [message for message in batch if not message.unwanted]
        return self._processor.process(wanted, self._tokens())

    def _until_stored(self, store: Callable[[], T]) -> T | None:
        """Try until it works; None: we are to stop, and the broker will send the batch again."""
        pause = FIRST_PAUSE
        while True:
            try:
                if self._waiting_since:
                    # What waited for room on the disk is history, and not only a latest value, once there is room.
                    self._processor.guard.look(at_once=True)
                result = store()
            except (OperationalError, InterfaceError) as error:
                self._note_trouble(f"{what_ails(error)}, messages wait: %s", error)
            except Exception as error:
                # What was never stored is never acknowledged, whatever went wrong.
                logger.exception("A batch could not be processed")
                self._note_trouble("Messages wait: %s", error)
            else:
                if self._waiting_since:
                    logger.warning("Messages are stored again, after %.1f s.", time.monotonic() - self._waiting_since)
                    self._waiting_since = 0.0
                return result
            if self._stopping.wait(pause):
                return None
            pause = min(LONGEST_PAUSE, pause * 2)

    def _note_trouble(self, sentence: str, error: Exception) -> None:
        if not self._waiting_since:
            self._waiting_since = time.monotonic()
            logger.warning(sentence, str(error).strip())
        drop_connection()

    def _hand_back(self, batch: list[InboundMessage], processed: ProcessedBatch) -> None:
        parts: defaultdict[int, list[InboundMessage]] = defaultdict(list)
        for message in batch:
            parts[message.connection_id].append(message)
        for connection_id, messages in parts.items():
            if connection_id not in processed.accepted and not all(message.unwanted for message in messages):
                continue  # the lease is another process's: the broker will send them to that one
            try:
                self._committed(connection_id, messages, processed)
            except Exception:
                logger.exception("Messages of connection %s could not be acknowledged", connection_id)
