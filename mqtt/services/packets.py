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
        self._rest = b""

    def cut(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """(whole packet, where its body begins) of each packet that is complete now. Raises MalformedPacketError."""
        data = self._rest + data if self._rest else data
        self._rest = b""
        position, end = 0, len(data)
        while position < end:
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
            if length > MAX_PACKET_BYTES:
                raise MalformedPacketError(f"a packet of {length} bytes")
            if until > end:
                break
            yield data[position:until], begin - position
            position = until
        self._rest = data[position:]


def read_publish(packet: bytes, body: int, is_v5: bool) -> Publish:
    """What a PUBLISH packet says; its properties (MQTT 5) are left out. Raises MalformedPacketError."""
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
    if not topic or qos == 3 or position > len(packet):
        raise MalformedPacketError("a PUBLISH without a topic, or that ends early")
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
