"""Messages of Tasmota nodes: telemetry, states, answers to STATUS, what they are, and whether they are there."""

import re
from typing import Any

from mqtt.decoders.base import MAX_DEPTH, MAX_VALUES, Content
from mqtt.decoders.gather import reading
from mqtt.decoders.places import clean
from mqtt.decoders.tasmota.bridged import ZIGBEE, Bridged, bluetooth, zigbee
from mqtt.decoders.tasmota.discovery import PREFIX, discovery
from mqtt.decoders.tasmota.quantities import UNIT_KEYS, quantity
from mqtt.decoders.tasmota.spots import COMMON, FAMILY, TELE, Spot, announced_spot, bare_spot, spot
from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import words
from mqtt.decoders.walk import MAX_ARRAY, MAX_TEXT, NUMBER
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Announcement, Decoded, DecodedAvailability, DecodedFacts, DecodedReading

_SPOKEN = re.compile(r"(?:POWER|SWITCH|BUTTON|SHUTTER)\d*")
"""Topics with a bare word."""
_STATES = re.compile(
    r"(?:POWER|Dimmer|Color|HSBColor|White|CT|Channel|FanSpeed|Shutter|Switch|Button)\d*"
    r"|(?!Tuya)\w+Received|ZbInfo|DeepSleep"
)
"""What an answer tells of the state; everything else that is answered is a setting."""
_PRESSED = re.compile(r"(?:BUTTON|SWITCH)\d*")
"""Topics that say what was done with a button, under the key ACTION."""
_SETTINGS = words(
    """Uptime Heap SleepMode Sleep LoadAvg MqttCount Berry Scheme Fade Speed LedTable Width PSRAM Hostname IPAddress
    DeepSleep Time Epoch"""
)
_NOT_SENSED = frozenset(("Time", "Epoch", "Uptime", *UNIT_KEYS))
_NOT_STATES = _SETTINGS | {"Wifi"}
_ON_OFF = ("ON", "OFF")
_WIFI = frozenset(("RSSI", "Signal"))
_MOMENTS = frozenset(("Time", "TotalStartTime"))
"""Texts below a sensor that say when something began or will be."""
_FACTS = {
    "Version": "firmware",
    "Hardware": "hardware",
    "Module": "model",
    "Hostname": "hostname",
    "IPAddress": "ip",
    "Mac": "mac",
    "RestartReason": "reset_reason",
    "DeviceName": "name",
    "UptimeSec": "uptime",
    "Heap": "free_memory",
    "SSId": "ssid",
    "BSSId": "bssid",
    "Signal": "rssi",
}
_ABOUT = frozenset(("Status", "StatusPRM", "StatusFWR", "StatusNET", "Info1", "Info2", "Info3"))
LONGEST_SLEEP = 7 * 86_400


def _is_said(name: str, text: str) -> bool:
    """Whether a rule of the user's publishes a state under a name of its own: `stat/leak/LEAK`."""
    return name not in COMMON and (text.upper() in _ON_OFF or NUMBER.fullmatch(text) is not None)


class TasmotaDecoder:
    """What Tasmota sends, with the levels of its topics in whatever order."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """`tele` or `stat` among the levels and a name in capitals at the end, or one of the usual names alone."""
        return topic.startswith(PREFIX) or spot(topic) is not None or topic[topic.rfind("/") + 1 :] in COMMON

    def claims(self, content: Content) -> bool:
        """Everything on its topics; with other prefixes only what was announced."""
        topic = content.topic
        return spot(topic) is not None or topic.startswith(PREFIX) or announced_spot(content) is not None

    def decode(self, content: Content) -> Decoded:
        """Readings, facts and availability of the node and of what is behind it."""
        if content.topic.startswith(PREFIX):
            return discovery(content)
        where = announced_spot(content) or spot(content.topic) or bare_spot(content.topic)
        message = _Message(content, where)
        message.read()
        return message.decoded


class _Message:
    def __init__(self, content: Content, where: Spot) -> None:
        self.decoded = Decoded(FAMILY)
        self._content = content
        self._node = where.node
        self._where = where
        self._left = 3 * MAX_VALUES
        """Members that are still looked at, values or not."""

    def read(self) -> None:
        """All that the message says. Raises UndecodableError when it is broken."""
        content, name = self._content, self._where.name
        if name == "LWT":
            self._will()
        elif content.is_structure:
            document = content.document
            if isinstance(document, dict):
                self._document(document, name)
        elif not content.is_empty and (_SPOKEN.fullmatch(name) or _is_said(name, content.text)):
            self._word(name, content.text)

    def _document(self, document: dict[str, Any], name: str) -> None:
        if name.startswith("STATUS"):
            for key, part in document.items():
                if isinstance(part, dict):
                    self._part(key, part)
        elif name == "STATE":
            self._state(document)
        elif name.startswith("INFO") or name == "HASS_STATE":
            inner = next((document[key] for key in document if key in _ABOUT), document)
            self._about(inner if isinstance(inner, dict) else {})
        elif isinstance(document.get("Device"), str):
            self._bridged(zigbee(self._node, document))
        elif name in {"SENSOR", "ENERGY"} or "Time" in document:
            self._sensors(document, is_energy=name == "ENERGY")
        else:
            self._answer(document)

    def _part(self, key: str, part: dict[str, Any]) -> None:
        """One part of an answer to STATUS."""
        if key == "StatusSNS":
            self._sensors(part)
        elif key == "StatusSTS":
            self._state(part)
        elif key in _ABOUT:
            self._about(part)

    def _will(self) -> None:
        config = self._announced("online")
        word = self._content.text.lower() if self._where.prefix == TELE and not self._content.is_empty else ""
        if word == config.get("online", "Online").lower():
            said = Availability.ONLINE
        elif word == config.get("offline", "Offline").lower():
            said = Availability.OFFLINE
            if config.get("sleeps") or self._remembers("sleeps"):
                return  # it says good night in this way
        else:
            return
        self.decoded.availability.append(DecodedAvailability(self._node, said, announces=True))
        if self._remembers("bridge"):
            self.decoded.availability.append(DecodedAvailability(self._node, said, is_gateway=True))

    def _word(self, name: str, text: str) -> None:
        states = self._announced("states").get("states", [])
        if text in states:
            text = ("off", "on")[states.index(text)]
        one = reading(self._node, name, text, is_switch=True)
        self.decoded.readings += [one] if one else []

    def _state(self, document: dict[str, Any]) -> None:
        first = len(self.decoded.readings)
        wifi = document.get("Wifi")
        wifi = wifi if isinstance(wifi, dict) else {}
        self._walk([pair for pair in document.items() if pair[0] not in _NOT_STATES], "", "", {})
        self._walk([(key, wifi[key]) for key in _WIFI if key in wifi], "Wifi.", "", {})
        self._at(document, first)
        self._about(wifi | document)
        seconds = document.get("DeepSleep", wifi.get("DeepSleep"))
        if isinstance(seconds, int | float) and 0 < seconds <= LONGEST_SLEEP:
            self._sleeps(seconds)
        elif self._remembers("sleeps"):
            self.decoded.announcements.append(Announcement(FAMILY, f"sleeps {self._node.key}", None))
            self.decoded.facts.append(DecodedFacts(self._node, {"interval": None}))

    def _sensors(self, document: dict[str, Any], *, is_energy: bool = False) -> None:
        units = self._units(document)
        first = len(self.decoded.readings)
        for key, value in document.items():
            if key in _NOT_SENSED or (key[:2] == "Zb" and key not in ZIGBEE):
                continue  # a time or a unit; an answer of the coordinator
            if isinstance(value, dict):
                if key in ZIGBEE:
                    self._bridged(zigbee(self._node, value))
                    continue
                behind = bluetooth(self._node, key, value)
                if behind is not None:
                    behind.take(value, units)
                    self._bridged([behind])
                    continue
                self._walk(value.items(), f"{key}.", key, units, 2, is_energy=is_energy)
            else:
                self._walk(((key, value),), "", "", units, is_energy=is_energy)
        self._at(document, first)

    def _walk(
        self, items: Any, prefix: str, above: str, units: dict[str, str], depth: int = 1, *, is_energy: bool = False
    ) -> None:
        """All plain values below; `above` is the nearest key of those in an array."""
        self._left -= len(items)
        if self._left < 0 or len(self.decoded.readings) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        if depth > MAX_DEPTH:
            raise UndecodableError("too_deep", limit=MAX_DEPTH)
        readings, node = self.decoded.readings, self._node
        for key, value in items:
            inner = key if type(key) is str else above
            name = f"{prefix}{key}"
            kind = type(value)
            if kind is float or kind is int:  # most by far
                means = quantity(name, is_energy)
                if means.is_named:
                    unit = units.get(means.unit, "") if means.is_told else means.unit
                    readings.append(DecodedReading(node, name, float(value), None, unit, means.kind))
            elif kind is dict:
                self._walk(value.items(), f"{name}.", inner, units, depth + 1, is_energy=is_energy)
            elif kind is list:
                if len(value) <= MAX_ARRAY:
                    pairs = list(enumerate(value))
                    self._walk(pairs, f"{name}.", inner, units, depth + 1, is_energy=is_energy)
            elif value is not None and not (kind is str and inner in _MOMENTS):
                self._take(name, inner, value, units, is_energy=is_energy)

    def _answer(self, document: dict[str, Any]) -> None:
        if self._where.name == ZIGBEE[0]:
            document = {ZIGBEE[0]: document}
        elif isinstance(document.get("ACTION"), str) and _PRESSED.fullmatch(self._where.name):
            self._take(f"{self._where.name}.ACTION", "ACTION", document["ACTION"], {})
        self._sensors({key: value for key, value in document.items() if _STATES.fullmatch(key)})
        sleep = document.get("DeepSleep")
        if isinstance(sleep, dict) and isinstance(sleep.get("Epoch"), int):
            self._sleeps(sleep["Epoch"] - self._content.message.received_us // 1_000_000)

    def _take(self, name: str, key: str, value: Any, units: dict[str, str], *, is_energy: bool = False) -> None:
        means = quantity(name, is_energy)
        unit = units.get(means.unit, "") if means.is_told else means.unit
        is_switch = means.is_switch or (name == key and value in _ON_OFF)
        is_text = key.startswith("Color")  # `112233` is no number
        one = reading(self._node, name, value, unit, means.kind, is_switch=is_switch, is_text=is_text)
        if one is not None:
            self.decoded.readings.append(one)

    def _at(self, document: dict[str, Any], first: int) -> None:
        """The time of a message is that of its readings; the one with its zone goes before."""
        content = self._content
        time_us = content.time(document["Epoch"]) if "Epoch" in document else None
        time_us = time_us or content.time(document.get("Time"))
        if time_us is not None:
            for one in self.decoded.readings[first:]:
                one.time_us = time_us

    def _units(self, document: dict[str, Any]) -> dict[str, str]:
        """The units that the message or else the announcement says."""
        units = self._announced(None) if self._content.memory.speaks_of(self._content.topic) else {}
        for key in UNIT_KEYS:
            if key in document and isinstance(document[key], str):
                units[key] = document[key]
        return {key: spelled(unit) for key, unit in units.items()} if units else units

    def _about(self, found: dict[str, Any]) -> None:
        facts: dict[str, Any] = {}
        for key, fact in _FACTS.items():
            if key not in found:
                continue
            value = found[key]
            if isinstance(value, str) and value:
                facts[fact] = clean(value)[:MAX_TEXT]
            elif isinstance(value, int | float) and key != "Module":
                facts[fact] = value
        if facts:
            self.decoded.facts.append(DecodedFacts(self._node, facts))

    def _sleeps(self, seconds: float) -> None:
        """Quiet for so long on purpose."""
        if 0 < seconds <= LONGEST_SLEEP:
            self.decoded.facts.append(DecodedFacts(self._node, {"interval": int(seconds)}))
        if not self._remembers("sleeps"):
            self.decoded.announcements.append(Announcement(FAMILY, f"sleeps {self._node.key}", {}))

    def _bridged(self, found: list[Bridged]) -> None:
        for one in found:
            self.decoded.readings += one.readings
            if len(self.decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
            self.decoded.facts += one.said()
            bridge = Announcement(FAMILY, f"bridge {one.ref.gateway_key}", {"bridge": one.ref.gateway_identifier})
            if bridge not in self.decoded.announcements:
                self.decoded.announcements.append(bridge)

    def _remembers(self, what: str) -> bool:
        return self._content.memory.get(FAMILY, f"{what} {self._node.key}") is not None

    def _announced(self, key: str | None) -> dict[str, Any]:
        """What was announced about this topic: with this key, or the units."""
        found: dict[str, Any] = {}
        for said in self._content.memory.told(self._content.topic, FAMILY):
            if key in said if key else "node" not in said:
                found |= said
        return found


DECODER = TasmotaDecoder()
