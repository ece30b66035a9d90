"""Which packets of a broker's session are stored already: a redelivery after a crash doubles nothing.

Killed between commit and acknowledgement, we leave the broker with messages that it must send again: with
the same packet ids and DUP set. The log holds the last ids of each session with a digest of topic and
payload, written in the transaction that stores the messages. It is a row for every few hundred packets, so
that a batch writes what it adds and little more.

Ids count up and come round after 65,535, so an id stands for one message as long as the log is much shorter.
A broker that gives an id out again sooner shows itself by an id that is in the log twice; nothing is
recognised then, because a message doubled is better than one lost.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from mqtt.messages import InboundMessage
from mqtt.models import CommittedPackets
from mqtt.services.pipeline.bulk_rows import Writes

KEPT = 6_000
"""Packets of a session: more than a broker may send before the first is acknowledged (5,000 in MQTT 5)."""

ENTRY = 10
"""Bytes: 2 of packet id, 8 of digest."""

PIECE = 200 * ENTRY
"""Bytes after which the next row is begun: what a small batch writes again, at most."""

SLOTS = KEPT * ENTRY // PIECE + 1

_WRITE = """
INSERT INTO mqtt_committedpackets (connection_id, slot, number, entries) VALUES (%s, %s, %s, %s)
ON CONFLICT (connection_id, slot) DO UPDATE SET number = excluded.number, entries = excluded.entries
"""


def digest_of(message: InboundMessage) -> bytes:
    """8 bytes that tell messages apart; together with the packet id."""
    return blake2b(b"%b\0%b" % (message.topic.encode(), message.payload), digest_size=8).digest()


class SessionLog:
    """The log of one session, and what the batch in hand adds to it."""

    __slots__ = ("_added", "_known", "_new", "_number", "_piece", "_reused_at", "_starts_anew", "_written")

    def __init__(self, pieces: Iterable[tuple[int, bytes]]) -> None:
        """`pieces` are the stored rows in order: their number and entries."""
        self._known: OrderedDict[int, bytes] = OrderedDict()  # a dict is slow to give its oldest back
        self._added = 0
        self._reused_at = -KEPT
        self._number = 0
        self._piece = b""
        self._written = (0, b"")
        self._new: dict[int, bytes] = {}
        self._starts_anew = False
        for number, entries in pieces:
            self._number, self._piece = number, entries
            for at in range(0, len(entries), ENTRY):
                self._add(int.from_bytes(entries[at : at + 2], "big"), entries[at + 2 : at + ENTRY])

    def knows(self, mid: int, digest: bytes) -> bool:
        """Whether this packet is stored, or will be with this batch."""
        if self._new.get(mid) == digest:
            return True
        is_sure = self._added - self._reused_at >= KEPT and not self._starts_anew
        return is_sure and self._known.get(mid) == digest

    def note(self, mid: int, digest: bytes) -> None:
        """The batch in hand stores this packet."""
        self._new[mid] = digest

    def start_anew(self) -> None:
        """A new session: ids mean other messages from here on."""
        self._new.clear()
        self._starts_anew = True

    def write(self, connection_id: int, writes: Writes) -> None:
        """Store what the batch adds, in its transaction."""
        if self._starts_anew:
            writes.add("DELETE FROM mqtt_committedpackets WHERE connection_id = %s", [connection_id])
        number, piece = self._number, self._piece
        if self._starts_anew or len(piece) >= PIECE:
            number, piece = number + 1, b""
        piece += b"".join([mid.to_bytes(2, "big") + digest for mid, digest in self._new.items()])
        self._written = (number, piece)
        if self._new:
            writes.add(_WRITE, [connection_id, number % SLOTS, number, piece])

    def commit(self) -> None:
        """What was written holds."""
        self._number, self._piece = self._written
        if self._starts_anew:
            self._known.clear()
            self._reused_at = self._added - KEPT
        for mid, digest in self._new.items():
            self._add(mid, digest)
        self.rollback()

    def rollback(self) -> None:
        """Forget the batch in hand."""
        self._new.clear()
        self._starts_anew = False

    def _add(self, mid: int, digest: bytes) -> None:
        known = self._known
        if known.pop(mid, None) is not None:
            self._reused_at = self._added
        self._added += 1
        known[mid] = digest
        if len(known) > KEPT:
            known.popitem(last=False)


class PacketLog:
    """The logs of all connections of this process; used by one thread, inside its transactions."""

    def __init__(self) -> None:
        self._logs: dict[int, SessionLog] = {}
        self._touched: dict[int, SessionLog] = {}
        self._noted: list[InboundMessage] = []

    def forget(self, connection_ids: Iterable[int]) -> None:
        """Read these anew when they are needed: somebody else may have held them."""
        for pk in connection_ids:
            self._logs.pop(pk, None)

    def take(self, messages: Sequence[InboundMessage]) -> set[int]:
        """Note a batch, in order of arrival; returns the places of what must not be stored (again)."""
        repeated = set()
        for place, message in enumerate(messages):
            if message.begins_session:
                repeated.add(place)
                if not message.is_noted:
                    self._touch(message.connection_id).start_anew()
                    self._noted.append(message)
            elif message.mid and not message.is_noted:  # noted: an earlier try got as far as this
                digest = digest_of(message)
                log = self._touched.get(message.connection_id) or self._touch(message.connection_id)
                if message.redelivered and log.knows(message.mid, digest):
                    repeated.add(place)
                else:
                    log.note(message.mid, digest)
                    self._noted.append(message)
        return repeated

    def write(self, writes: Writes) -> None:
        """Store what `take` noted; in the same transaction."""
        for pk, log in self._touched.items():
            log.write(pk, writes)

    def commit(self) -> None:
        """The transaction is through."""
        for log in self._touched.values():
            log.commit()
        for message in self._noted:
            message.is_noted = True
        self._touched.clear()
        self._noted.clear()

    def rollback(self) -> None:
        """The transaction came to nothing."""
        for log in self._touched.values():
            log.rollback()
        self._touched.clear()
        self._noted.clear()

    def _touch(self, connection_id: int) -> SessionLog:
        log = self._logs.get(connection_id)
        if log is None:
            rows = CommittedPackets.objects.filter(connection=connection_id).order_by("number")
            pieces = [(number, bytes(entries)) for number, entries in rows.values_list("number", "entries")]
            log = self._logs[connection_id] = SessionLog(pieces)
        self._touched[connection_id] = log
        return log
