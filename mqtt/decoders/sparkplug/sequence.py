"""What may be lost between messages: a node's last sequence number, and when it was last asked for a rebirth."""

from typing import NamedTuple

from mqtt.decoders.base import Content
from mqtt.decoders.sparkplug.births import FAMILY
from mqtt.messages import InboundMessage, Request

ASK_EVERY_US = 300 * 1_000_000
BOOLEAN = 11
REBIRTH = b"Node Control/Rebirth"


class _Last(NamedTuple):
    seq: int
    gaps: int
    received_us: int
    is_gap: bool


def gaps(content: Content, node: str, seq: int, *, restarts: bool) -> int:
    """How many gaps there were, when this message is behind a new one; 0: nothing is missing.

    A birth of the node begins anew. What came before, once more or late is no gap.
    """
    message = content.message
    last: _Last | None = content.memory.notes.get((FAMILY, "seq", node))
    if last is not None and last[:3:2] == (seq, message.received_us):
        return last.gaps if last.is_gap else 0  # the same message again
    ahead = 0 if last is None or restarts else (seq - last.seq) % 256
    if ahead > 128 or not _is_new(message):
        return 0
    is_gap = ahead > 1
    count = (last.gaps if last else 0) + is_gap
    content.memory.note((FAMILY, "seq", node), _Last(seq, count, message.received_us, is_gap))
    return count if is_gap else 0


def rebirth(content: Content, prefix: str, node: str) -> list[Request]:
    """Ask a node to say again what it has, at most once in five minutes; `prefix` ends before the message type."""
    from mqtt.decoders.sparkplug.schema import Payload  # loaded once a payload is read

    message = content.message
    key = (FAMILY, "asked", node)
    asked = content.memory.notes.get(key)
    if not _is_new(message) or (asked is not None and 0 < message.received_us - asked < ASK_EVERY_US):
        return []
    content.memory.note(key, message.received_us)
    payload = Payload(timestamp=message.received_us // 1000)
    payload.metrics.add(name=REBIRTH, timestamp=payload.timestamp, datatype=BOOLEAN, boolean_value=True)
    return [Request(f"{prefix}/NCMD/{node.partition('/')[2]}", payload.SerializeToString())]


def _is_new(message: InboundMessage) -> bool:
    return not (message.retain or message.redelivered or message.dup or message.kept_id)
