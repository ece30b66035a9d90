"""Shelly of the first generation: `shellies/<id>/…`, one scalar a topic; an id chosen by hand may hold slashes.

Source: the vendor's Gen1 API reference. `info` mirrors the HTTP status; 999 and `is_valid: false` mark a sensor that
fails.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

NUMBERED = (
    "relay|input|input_event|longpush|emeter|light|white|color|roller|adc|meter|ext_temperature|ext_humidity|ext_switch"
)
ALONE = (
    "temperature|temperature_f|temperature_status|overtemperature|voltage|ext_temperatures|ext_humidities|"
    "online|announce|info|command|status"
)
TOPIC = re.compile(rf"shellies/(.+?)/((?:{NUMBERED})(?=/\d)|sensor(?=/)|(?:{ALONE})\Z)(?:/(.*))?", re.DOTALL)
"""An id may end in a level that is a component elsewhere: `shellies/living/light/relay/0`."""
UNITS = {
    "power": "W", "reactive_power": "var", "energy": "W·min", "returned_energy": "W·min", "total": "Wh",
    "total_returned": "Wh", "voltage": "V", "current": "A", "temperature": "°C", "temperature_f": "°F",
    "humidity": "%",
    "battery": "%", "lux": "lx", "tilt": "°", "brightness": "%", "gain": "%", "uptime": "s", "pos": "%", "adc": "V",
    "ext_temperature": "°C", "ext_temperatures": "°C", "ext_humidity": "%", "ext_humidities": "%",
    "tmp.value": "°C", "target_t.value": "°C", "temperature_offset": "°C",
    "bat": "%", "bat.value": "%", "bat.voltage": "V", "hum.value": "%", "lux.value": "lx",
    "concentration": "ppm",
}  # fmt: skip
INFO_LEFT_OUT = frozenset(
    ("wifi_sta", "cloud", "mqtt", "time", "unixtime", "serial", "has_update", "mac", "cfg_changed_cnt",
     "actions_stats",
     "update", "ram_total", "ram_free", "fs_size", "fs_free", "is_valid", "fs_mounted", "hwinfo", "calibrated",
     "act_reasons", "connect_retries", "v_data")
)  # fmt: skip
LEAVES_LEFT_OUT = frozenset(
    ("is_valid", "has_timer", "timer_started", "timer_duration", "timer_remaining", "source", "units", "tC",
     "tF", "event",
     "event_cnt", "hwID", "timestamp", "counters")
)  # fmt: skip
INFO_FACTS = {
    "wifi_sta": {"rssi": "rssi", "ip": "ip", "ssid": "ssid"},
    "update": {"old_version": "firmware"},
}
SENSOR_ERROR = 999
SWITCHES = frozenset(("relay", "light", "white", "color", "input"))


class Shelly1Decoder:
    """Shelly devices of the first generation."""

    name = "shelly-gen1"

    def knows_topic(self, topic: str) -> bool:
        """`shellies/announce`, `shellies/command`, and known components below an id."""
        return topic in {"shellies/announce", "shellies/command"} or TOPIC.fullmatch(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there; the second generation was asked before."""
        return True

    def decode(self, content: Content) -> Decoded:
        """A value, the whole status, presence, or who it is."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        if match is None:
            if content.topic == "shellies/announce":
                _announce(content, decoded)
            return decoded
        number, component, rest = match.group(1), match.group(2), match.group(3) or ""
        device = DeviceRef(f"shellies/{number}", number)
        if component == "announce":
            _announce(content, decoded)
        elif component == "online":
            word = content.text.lower()
            if word in {"true", "false"}:
                availability = Availability.ONLINE if word == "true" else Availability.OFFLINE
                decoded.availability.append(DecodedAvailability(device, availability, announces=True))
        elif component in {"info", "status"} and not rest:
            _info(content, device, decoded)
        elif component != "command" and not {"command", "set"} & set(rest.split("/")) and not content.is_empty:
            _value(content, device, component, rest, decoded)
        return decoded


def _announce(content: Content, decoded: Decoded) -> None:
    found = content.object or {}
    number = said(found, "id")
    if number:
        names = {"model": "model", "mac": "mac", "ip": "ip", "fw_ver": "firmware"}
        facts = facts_from(found, names)
        if isinstance(found.get("new_fw"), bool):
            facts["update_available"] = found["new_fw"]
        decoded.facts.append(DecodedFacts(DeviceRef(f"shellies/{number}", number), facts, announces=True))


def _value(content: Content, device: DeviceRef, component: str, rest: str, decoded: Decoded) -> None:
    path = rest.replace("/", ".")
    name = path if component == "sensor" and path else f"{component}.{path}" if path else component
    if content.is_structure:
        for inner, leaf in each(content.document, name):
            last = inner.rpartition(".")[2]
            if last not in LEAVES_LEFT_OUT or component == "input_event":
                add(decoded, device, inner, leaf, unit=UNITS.get(last, ""), is_switch=last == "ison")
        return
    if content.text in {"999", "-999"}:
        return
    last = name.rpartition(".")[2]
    unit = UNITS.get(component if last.isdecimal() else last, "")
    add(decoded, device, name, content.text, unit=unit, is_switch=component in SWITCHES or component == "sensor")


def _info(content: Content, device: DeviceRef, decoded: Decoded) -> None:
    found = content.object
    if found is None:
        return
    time_us = content.time(found.get("unixtime")) if found.get("unixtime") else None
    for key, value in found.items():
        if key in INFO_LEFT_OUT or (key == "uptime" and "act_reasons" in found):
            continue  # of what sleeps, the uptime is that of one waking
        for path, leaf in _valid_leaves(value, key):
            names = path.split(".")
            if names[-1] in LEAVES_LEFT_OUT:
                continue
            unit = UNITS.get(f"{names[-2]}.{names[-1]}" if len(names) > 1 else "") or UNITS.get(names[-1], "")
            add(decoded, device, path, leaf, unit=unit, time_us=time_us)
    facts = facts_from(found, {"mac": "mac"})
    for part, known in INFO_FACTS.items():
        inner = found.get(part)
        if isinstance(inner, dict):
            facts |= facts_from(inner, known)
    decoded.facts.append(DecodedFacts(device, facts))


def _valid_leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    """The each of a part, without parts that say that they are not valid."""
    if isinstance(value, dict) and value.get("is_valid") is False:
        return []
    if isinstance(value, list):
        return [leaf for index, one in enumerate(value[:64]) for leaf in _valid_leaves(one, f"{path}.{index}")]
    return [(name, leaf) for name, leaf in each(value, path) if leaf != SENSOR_ERROR]


DECODER = Shelly1Decoder()
