"""MQTT packets cut out of received bytes, and what a PUBLISH carries.

paho asks the system three times for every packet and walks its filters for every message; reading many
packets at once and looking at PUBLISH ourselves costs a tenth of that. All other packets stay paho's.
"""

from collections.abc import Iterator
from typing import NamedTuple

PUBLISH = 3
"""The packet type, in the upper four bits of a packet's first byte."""


MAX_PACKET_BYTES = 4 * 1024 * 1024
"""Far above any device's message; MQTT itself allows 256 MiB, which a hostile broker could make us hold."""
MAX_OTHER_BYTES = 64 * 1024
"""The same for all packets but PUBLISH: paho reads their MQTT 5 properties in a time that grows with the square."""
KEPT_OF_LONG = 512 * 1024
"""What is held of a longer PUBLISH, more than is decoded: its rest is read and thrown away, so that one device's
message, which a broker would send again and again, does not end the link of all."""


class MalformedPacketError(ValueError):
    """The bytes are no MQTT, or a packet larger than anything a device sends."""


class Publish(NamedTuple):
    """One PUBLISH packet."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


class PacketCutter:
    """Keeps what is not yet a whole packet."""

    def __init__(self) -> None:
        self.lost = 0
        """Bytes at the end of the packet in hand that were thrown away."""
        self._rest = b""
        self._long: tuple[bytes, int] = (b"", 0)
        self._skip = self._skipped = 0

    def cut(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """(whole packet, where its body begins) of each packet that is complete now. Raises MalformedPacketError."""
        data = self._rest + data if self._rest else data
        self._rest = b""
        position, end = 0, len(data)
        while position < end:
            if self._skip:
                position = self._skip_to(position, end)
                if not self._skip:
                    self.lost = self._skipped
                    yield self._long
                    self.lost = 0
                continue
            begin = position + 1
            length = shift = 0
            while begin < end:
                digit = data[begin]
                begin += 1
                length |= (digit & 127) << shift
                if digit < 128:
                    break
                shift += 7
                if shift > 21:
                    raise MalformedPacketError("a length of more than four bytes")
            else:
                break
            until = begin + length
            if length > MAX_OTHER_BYTES and _is_long(data[position], length):
                kept = self._begin_long(data, position, begin, length)
                if not kept:
                    break
                position = kept
                continue
            if until > end:
                break
            yield data[position:until], begin - position
            position = until
        self._rest = data[position:]

    def _begin_long(self, data: bytes, position: int, begin: int, length: int) -> int:
        """Where the part ends that is kept of a long PUBLISH; 0: it is not here yet."""
        until = begin + KEPT_OF_LONG
        if until > len(data):
            return 0
        self._long = data[position:until], begin - position
        self._skip = self._skipped = length - KEPT_OF_LONG
        return until

    def _skip_to(self, position: int, end: int) -> int:
        """Where the rest of a long packet ends, or the data."""
        step = min(self._skip, end - position)
        self._skip -= step
        return position + step


def _is_long(head: int, length: int) -> bool:
    """Whether a packet is one whose rest is thrown away. Raises MalformedPacketError."""
    if head >> 4 != PUBLISH:
        raise MalformedPacketError(f"a packet of {length} bytes")
    return length > MAX_PACKET_BYTES


def read_publish(packet: bytes, body: int, is_v5: bool, *, is_cut: bool = False) -> Publish:
    """What a PUBLISH packet says; its properties (MQTT 5) are left out. Raises MalformedPacketError.

    One that `is_cut` may end within its properties, which a device can make as long as it likes.
    """
    try:
        first = packet[0]
        position = body + 2 + (packet[body] << 8 | packet[body + 1])
        topic = packet[body + 2 : position]
        qos = first >> 1 & 3
        mid = 0
        if qos:
            mid = packet[position] << 8 | packet[position + 1]
            position += 2
        if is_v5:
            position = _after_properties(packet, position)
    except IndexError:
        raise MalformedPacketError("a PUBLISH that ends early") from None
    if qos == 3 or (qos and not mid) or (position > len(packet) and not is_cut):
        raise MalformedPacketError("a PUBLISH that ends early, or that cannot be acknowledged")
    return Publish(topic, packet[position:], qos, bool(first & 1), bool(first & 8), mid)


def _after_properties(packet: bytes, position: int) -> int:
    length = shift = 0
    while True:
        digit = packet[position]
        position += 1
        length |= (digit & 127) << shift
        if digit < 128:
            return position + length
        shift += 7
        if shift > 21:
            raise MalformedPacketError("properties with a length of more than four bytes")
