"""Events of deCONZ (Phoscon, ConBee), as bridges pass them on: `{"t": "event", "e": …, "r": …, "state": {…}}`.

Source: the REST plugin's documentation of its WebSocket and of the sensors' states. Temperatures and humidities are
hundredths, times are UTC without saying so, and `uniqueid` is the radio's address and the part of the device.
"""

import re
from datetime import UTC
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import Part, facts_from, member, text
from mqtt.decoders.places import NAME_LENGTH, place
from mqtt.decoders.times import parse
from mqtt.decoders.vocabulary import words
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

HUNDREDTHS = {"temperature": "°C", "humidity": "%"}
UNITS = {"pressure": "hPa", "power": "W", "voltage": "V", "current": "mA", "consumption": "Wh", "lux": "lx",
         "battery": "%", "moisture": "%", "airqualityppb": "ppb"}  # fmt: skip
TOLD_IN_CONFIG = ("battery", "temperature")
"""The rest of `config` is how it is set up, and no measurement."""
FACTS = {"name": "name", "modelid": "model", "manufacturername": "manufacturer", "swversion": "firmware"}
RESOURCES = words("sensors lights groups")
_ADDRESS = re.compile(r"((?:[0-9a-f]{2}:){7}[0-9a-f]{2})(?:-[0-9a-f]{2}){1,2}(?:-[0-9a-f]{4})?", re.IGNORECASE)


class DeconzDecoder:
    """What changed of one sensor, light or group."""

    name = "deconz"
    marks = frozenset(("r",))

    def knows_topic(self, _topic: str) -> bool:
        """Any: bridges choose it."""
        return True

    def claims(self, content: Content) -> bool:
        """An event about a resource that has an id."""
        found = content.object
        if found is None or found.get("t") != "event" or "id" not in found:
            return False
        resource = found.get("r")
        return isinstance(resource, str) and resource in RESOURCES

    def decode(self, content: Content) -> Decoded:
        """Its state, and what of its configuration is measured."""
        found = content.object or {}
        device = _device(content.topic, found)
        decoded = Decoded(self.name)
        state, config = member(found, "state"), member(found, "config")
        if isinstance(state, dict):
            _take(state, "state.", device, content, decoded)
        if isinstance(config, dict):
            _take({key: config[key] for key in TOLD_IN_CONFIG if key in config}, "config.", device, content, decoded)
        reachable = [part["reachable"] for part in (state, config) if isinstance(part, dict) and "reachable" in part]
        if reachable and isinstance(reachable[0], bool):
            there = Availability.ONLINE if reachable[0] else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(device, there, alone=True))
        attributes = member(found, "attr")
        facts = facts_from(attributes if isinstance(attributes, dict) else found, FACTS)
        if facts:
            decoded.facts.append(DecodedFacts(device, facts))
        return decoded


def _device(topic: str, found: dict[str, Any]) -> DeviceRef:
    """The radio that an event is of; several parts of it are one device."""
    number, unique = text(found, "id"), text(found, "uniqueid")
    address = _ADDRESS.fullmatch(unique)
    who = (address[1] if address else unique or f"{text(found, 'r')}/{number}")[:NAME_LENGTH]
    if topic.rpartition("/")[2] == number:
        return place(topic).device._replace(identifier=who)
    return DeviceRef(f"{topic}#{who}", who)


def _take(found: dict[str, Any], prefix: str, device: DeviceRef, content: Content, decoded: Decoded) -> None:
    moment = parse(found.get("lastupdated"), UTC)
    plain = {key: value for key, value in found.items() if key not in {"lastupdated", "reachable"}}
    part = Part(device, content)
    part.object(plain, prefix, 1)
    for one in part.into(decoded, content.checked(moment)):
        key = one.name.removeprefix(prefix)
        if one.value is not None and key in HUNDREDTHS:
            one.value, one.unit = one.value / 100, HUNDREDTHS[key]
        elif one.value is not None:
            one.unit = UNITS.get(key, one.unit)


DECODER = DeconzDecoder()
