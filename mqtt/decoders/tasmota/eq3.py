"""Radiator valves (eQ-3) that Tasmota's Bluetooth driver speaks to: `stat/<topic>/EQ3/<address>/<command>`.

Source: the Tasmota documentation, EQ3-TRV. Every answer says the whole state of the valve, whatever was asked.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from, said
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.tasmota.spots import TELE
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

TOPIC = re.compile(r"(?:tele|stat)/(.+)/EQ3/([^/]+)(?:/\w+)?", re.DOTALL)
UNITS = {
    "temp": "°C", "posn": "%", "mode": "", "hassmode": "", "boost": "", "dst": "", "window": "", "state": "",
    "battery": "", "windowtemp": "°C", "windowdur": "min", "day": "°C", "night": "°C", "offset": "°C",
}  # fmt: skip
"""What is a reading; the rest repeats the command, and plans."""


class ValveDecoder:
    """A valve behind a node."""

    name = "tasmota-eq3"

    def knows_topic(self, topic: str) -> bool:
        """A level EQ3 between the node's and the valve's."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """The state of the valve; words like `queued` say nothing."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        found = content.object
        if match is None or found is None:
            return decoded
        node = DeviceRef(f"{TELE}/{match[1]}", clean(match[1])[:NAME_LENGTH])
        who = said(found, "MAC") or clean(match[2])[:NAME_LENGTH]
        device = DeviceRef(f"{node.key}#{who}", who, node.key, node.identifier)
        time_us = content.time(found.get("stattime"))
        for key, unit in UNITS.items():
            if isinstance(found.get(key), str | int | float):
                add(decoded, device, key, found[key], unit=unit, time_us=time_us)
        decoded.facts.append(DecodedFacts(device, facts_from(found, {"RSSI": "rssi", "MAC": "mac"})))
        return decoded


VALVE_DECODER = ValveDecoder()
