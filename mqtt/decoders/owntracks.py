"""OwnTracks phones and trackers: `owntracks/<user>/<device>`; `_type` says what a message is.

Source: the OwnTracks booklet, JSON format. Where somebody is, is personal data: positions become readings only for a
subscription that names the decoder `owntracks+positions`. `-1` is unknown; a last will says offline.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(
    r"((?:.+/)?owntracks/([^/]+/[^/]+))(?:/(?:event|waypoints?|cmd|info|dump|status|steps?|beacon|msg))?", re.DOTALL
)
TYPES = frozenset(
    ("location", "transition", "waypoint", "waypoints", "lwt", "card", "cmd", "steps", "encrypted", "beacon",
     "configuration", "dump", "msg", "status", "request")
)  # fmt: skip
POSITIONS = {
    "lat": "°",
    "lon": "°",
    "alt": "m",
    "acc": "m",
    "vac": "m",
    "vel": "km/h",
    "cog": "°",
    "dist": "m",
    "trip": "m",
    "odometer": "km",
    "event": "",
    "inregions": "",
}
UNKNOWN = (-1, "-1")
OTHERS = {
    "batt": "%", "p": "kPa", "ubatt": "V", "uext": "V", "aiv": "V", "rpm": "rpm", "fcon": "L/100km", "flvl": "%",
    "hmc": "s", "ign": "", "din1": "", "din2": "", "dout1": "", "dout2": "",
}  # fmt: skip
"""Phones say the first two, vehicles' trackers the rest."""


class OwnTracksDecoder:
    """Phones and trackers, without where they are unless that is wanted."""

    def __init__(self, *, with_positions: bool) -> None:
        self.name = "owntracks+positions" if with_positions else "owntracks"
        self._with_positions = with_positions

    def knows_topic(self, topic: str) -> bool:
        """Below a level called owntracks."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Objects with a known `_type`."""
        found = content.object
        kind = found.get("_type") if found is not None else None
        return isinstance(kind, str) and kind in TYPES

    def decode(self, content: Content) -> Decoded:
        """Battery and presence; positions when wanted."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        found = content.object
        if match is None or found is None:
            return decoded
        device = DeviceRef(match.group(1), match.group(2))
        kind = found.get("_type")
        if kind == "lwt":
            decoded.availability.append(DecodedAvailability(device, Availability.OFFLINE))
        elif kind in {"location", "transition"}:
            self._read(content, device, found, decoded)
        elif kind == "card":
            decoded.facts.append(DecodedFacts(device, facts_from(found, {"name": "name"})))
        elif kind == "steps":
            add(decoded, device, "steps", found.get("steps"), time_us=content.time(found.get("tst")))
        return decoded

    def _read(self, content: Content, device: DeviceRef, found: dict[str, Any], decoded: Decoded) -> None:
        time_us = content.time(found.get("tst"))
        wanted = {**POSITIONS, **OTHERS} if self._with_positions else OTHERS
        unknown = {"alt"} if found.get("vac") in UNKNOWN else set()  # a height without an accuracy is none
        for key, unit in wanted.items():
            value = found.get(key)
            if key not in unknown and value not in (None, "", *UNKNOWN) and not isinstance(value, list | dict):
                add(decoded, device, key, value, unit=unit, time_us=time_us)
        facts = facts_from(found, {"tid": "id", "conn": "network", "SSID": "ssid"})
        decoded.facts.append(DecodedFacts(device, facts))


DECODER = OwnTracksDecoder(with_positions=False)
WITH_POSITIONS = OwnTracksDecoder(with_positions=True)
"""Only by choice: it claims nothing by itself, because the other stands before it."""
