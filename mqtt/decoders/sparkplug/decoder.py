"""Sparkplug B: `spBv1.0/<group>/<type>/<node>[/<device>]`.

The node is the gateway of its devices. Births say what there is; data may name a metric by its alias only, which
the birth of the same node or device resolves. Before any birth the metric is `alias:<n>` and a rebirth is asked for.
"""

import zlib
from typing import Any

from mqtt.decoders.base import MAX_PAYLOAD_BYTES, Content
from mqtt.decoders.sparkplug.reader import Reader
from mqtt.decoders.sparkplug.topics import COMMANDS, NAMESPACE, is_host_state, place_of
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded

COMPRESSED = b"SPBV1.0_COMPRESSED"


class SparkplugDecoder:
    """Payloads of Sparkplug B; the states of host applications are no devices."""

    name = "sparkplug"

    def knows_topic(self, topic: str) -> bool:
        """`spBv1.0/…` in the form of the specification, and `STATE/<host>`."""
        return place_of(topic) is not None or is_host_state(topic)

    def claims(self, content: Content) -> bool:
        """Everything but JSON; what a host says of itself only in its own words."""
        if place_of(content.topic) is None:
            return content.topic.startswith(NAMESPACE) or content.message.payload in (b"ONLINE", b"OFFLINE")
        return not content.is_structure

    def decode(self, content: Content) -> Decoded:
        """Readings, availability and facts; births announce names and units."""
        place = place_of(content.topic)
        if place is None or place.what in COMMANDS:
            return Decoded(self.name)
        return Reader(place, _parsed(content.message.payload), content, Decoded(self.name)).read()


def _parsed(data: bytes) -> Any:
    """The payload, unpacked where it is a compressed one. Raises UndecodableError."""
    from google.protobuf.message import DecodeError  # 3 MB that most consoles have no use for

    from mqtt.decoders.sparkplug.schema import Payload  # as above

    try:
        payload = Payload.FromString(data)
        if payload.uuid == COMPRESSED:
            unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(payload.body, MAX_PAYLOAD_BYTES)
            payload = Payload.FromString(unpacked)
    except (DecodeError, zlib.error):
        raise UndecodableError("not_sparkplug") from None
    return payload


DECODER = SparkplugDecoder()
