"""Teltonika trackers: `<imei>/data` with `{"state": {"reported": {"<io id>": value, "latlng": …, "ts": …}}}`.

Source: the vendor's wiki, FMB AVL ids and the JSON protocol. Where a vehicle is may be where a person is: position,
speed and direction are left out.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from, member
from mqtt.decoders.places import place
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

IMEI = re.compile(r"((?:[^/]+/)*?(\d{15}))(?:/.*)?", re.DOTALL)
UNITS = {
    "9": "mV", "6": "mV", "16": "m", "199": "m", "66": "mV", "67": "mV", "68": "mA", "113": "%", "89": "%", "48": "%",
    "36": "rpm", "32": "°C",
}  # fmt: skip
"""Of the ids that all models share. Temperatures come in tenths or hundredths of a degree: no unit says that."""


class TeltonikaDecoder:
    """What a tracker's inputs and buses say."""

    name = "teltonika"
    marks = frozenset(("state",))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the content tells."""
        return True

    def claims(self, content: Content) -> bool:
        """Reported states with the tracker's own words."""
        reported = member(content.object, "state", "reported")
        return isinstance(reported, dict) and "ts" in reported and ("latlng" in reported or "evt" in reported)

    def decode(self, content: Content) -> Decoded:
        """All values of one moment, by the numbers of their ids."""
        decoded = Decoded(self.name)
        reported = member(content.object, "state", "reported")
        match = IMEI.fullmatch(content.topic)
        device = DeviceRef(match[1], match[2]) if match else place(content.topic).device
        if not isinstance(reported, dict):
            return decoded
        time_us = content.time(reported.get("ts"))
        for key, value in reported.items():
            if key.isdecimal() and key != "11" and not isinstance(value, dict | list):
                add(decoded, device, key, value, unit=UNITS.get(key, ""), time_us=time_us)
        decoded.facts.append(DecodedFacts(device, facts_from(reported, {"11": "iccid"})))
        return decoded


DECODER = TeltonikaDecoder()
