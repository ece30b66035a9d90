"""Wiren Board and its convention: `/devices/<device>/controls/<control>`, what it is under `…/meta`.

Source: wirenboard/conventions. Newer firmware says all of a control in one JSON `meta`, older each word in a topic
below it; both are retained and may come before or after the value.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, text
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import words
from mqtt.messages import Announcement, Decoded, DecodedFacts, DeviceRef, Moved

FAMILY = "wirenboard"
_TOPIC = re.compile(r"(/?devices/([^/]+))/(?:controls/([^/]+)|(?=meta))(?:/?(meta)(?:/([a-z_]+))?|/(on))?", re.DOTALL)
UNITS = {
    "temperature": "°C", "rel_humidity": "%", "atmospheric_pressure": "mbar", "rainfall": "mm/h", "wind_speed": "m/s",
    "power": "W", "power_consumption": "kWh", "voltage": "V", "water_flow": "m³/h", "water_consumption": "m³",
    "resistance": "Ω", "concentration": "ppm", "heat_power": "Gcal/h", "heat_energy": "Gcal", "current": "A",
    "lux": "lx", "sound_level": "dB", "range": "",
}  # fmt: skip
"""By the type of a control, unless it names a unit."""
SWITCHED = words("switch alarm")
SILENT = words("pushbutton")
TOLD = words("type units")


class WirenBoardDecoder:
    """Values of controls, and what is said of them and of their devices."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """By the levels `devices` and `controls`, or `meta` of a device."""
        return _TOPIC.fullmatch(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """A value, an announcement, a fact, or nothing: `on` is what somebody wants."""
        decoded = Decoded(FAMILY)
        match = _TOPIC.fullmatch(content.topic)
        if match is None or content.is_empty or match[6]:
            return decoded
        device = DeviceRef(match[1], clean(match[2])[:NAME_LENGTH])
        control, is_meta, word = match[3], match[4], match[5]
        if not control:
            _facts(content, device, word, decoded)
        elif is_meta:
            _announce(content, f"{match[1]}/{control}", word, decoded)
        else:
            _value(content, device, control, decoded)
        return decoded


def _value(content: Content, device: DeviceRef, control: str, decoded: Decoded) -> None:
    known = content.memory.get(FAMILY, f"{device.key}/{control}") or {}
    kind = known.get("type", "")
    if kind in SILENT:
        return
    unit = known.get("unit") or UNITS.get(kind, "")
    value: Any = content.text
    if kind in SWITCHED and value in {"0", "1"}:
        value = value == "1"
    add(decoded, device, clean(control)[:NAME_LENGTH], value, unit=unit, is_switch=True, numbers=kind != "text")
    if decoded.readings:
        decoded.moved.append(Moved(f"{device.key}/controls", "", device, "", rekeys=True))


def _announce(content: Content, key: str, word: str | None, decoded: Decoded) -> None:
    """What a control is, said in one go or word by word."""
    found: Any = {word: content.text} if word in TOLD else None if word else content.object
    if not isinstance(found, dict):
        return
    known = dict(content.memory.get(FAMILY, key) or {})
    for name, to in (("type", "type"), ("units", "unit")):
        if said := text(found, name)[:40]:
            known[to] = spelled(said) if to == "unit" else said
    decoded.announcements.append(Announcement(FAMILY, key, known))


def _facts(content: Content, device: DeviceRef, word: str | None, decoded: Decoded) -> None:
    found = content.object
    if content.is_structure == (word == "name"):
        return
    name = content.text if word else text(found, "title", "en") or text(found, "title")
    if name:
        decoded.facts.append(DecodedFacts(device, {"name": clean(name)[:NAME_LENGTH]}))


DECODER = WirenBoardDecoder()
