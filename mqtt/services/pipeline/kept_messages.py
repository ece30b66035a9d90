"""Messages that are to be decoded again: put into the inbox beside those of brokers, and settled with the batch."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from mqtt.messages import InboundMessage
from mqtt.models import to_us
from mqtt.services import decode_again
from mqtt.services.pipeline.batch_store import BatchStore
from mqtt.services.pipeline.inbox import Inbox

AT_ONCE = 500
PATIENCE = 60.0
"""Seconds after which one that was put in and is still asked for is put in again: storing it twice changes nothing."""


class KeptMessages:
    """Used by the service's main thread."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._put_at: dict[int, float] = {}

    def put_waiting(self, connection_ids: Iterable[int]) -> int:
        """Put in what waits; returns how many. Raises what the database raises."""
        now = time.monotonic()
        self._put_at = {pk: at for pk, at in self._put_at.items() if now - at < PATIENCE}
        room = AT_ONCE - len(self._inbox)
        found = decode_again.waiting(connection_ids, self._put_at, room) if room > 0 else []
        count = 0
        for row in found:
            message = InboundMessage(
                row.connection_id,
                row.topic,
                bytes(row.payload),
                qos=0,
                retain=row.retained,
                received_us=to_us(row.received_at),
                cut=row.size - len(row.payload),
                kept_id=row.pk,
            )
            if not self._inbox.put(message):
                break
            self._put_at[row.pk] = now
            count += 1
        return count


def settle_kept(work: Sequence[Any], store: BatchStore) -> None:
    """What was decoded again and has become readings need not be kept any more; `work` as in message_processor."""
    again = [item for item in work if item.message.kept_id]
    if not again:
        return
    left_out = {message.kept_id: why for message, why in store.left_out()}
    understood, failed = [], []
    for item in again:
        message = item.message
        if item.is_kept:
            failed.append((message.kept_id, item.reason, item.context))
        elif message.kept_id in left_out:
            failed.append((message.kept_id, *left_out[message.kept_id]))
        else:
            understood.append((message.kept_id, message.connection_id, message.topic))
    decode_again.settle(understood, failed)
