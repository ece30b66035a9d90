"""Zigbee2MQTT: `<base>/<friendly name>` with flat JSON; the bridge announces devices, units and its coordinator.

Source: the project's guide, usage/mqtt_topics_and_messages. A friendly name may hold slashes. Units and types stand
only in `<base>/bridge/devices`, so they are announced; a renamed device keeps the key under which it was met first.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.decoders.presence import WORDS
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Announcement, Decoded, DecodedAvailability, DecodedFacts, DeviceRef

FAMILY = "zigbee2mqtt"
BASES = "bases"
"""Announced: {base topic: the coordinator's address or empty}."""
NO_READINGS = frozenset(("linkquality", "last_seen", "update", "update_available", "device", "elapsed"))
SWITCH = re.compile(r"state(?:_\w+)?")
DEVICE_FACTS = {"manufacturer": "manufacturer", "software_build_id": "firmware", "model_id": "model"}
DEFINITION_FACTS = {"vendor": "manufacturer", "model": "model"}
MOST_DEVICES = 1000
UNITS = {
    "temperature": "°C", "humidity": "%", "pressure": "hPa", "co2": "ppm", "battery": "%", "illuminance": "lx",
    "power": "W", "energy": "kWh", "current": "A", "moisture": "%", "pm": "µg/m³",
}  # fmt: skip
"""By kind, where nothing was announced: what the converters usually give."""
NAMED_UNITS = {
    "color_temp": "mired", "position": "%", "formaldehyd": "mg/m³", "formaldehyde": "mg/m³", "angle_x": "°",
    "angle_y": "°",
    "angle_z": "°", "detection_interval": "s", "fading_time": "s", "noise": "dB", "illuminance_lux": "lx",
}  # fmt: skip


class Zigbee2MqttDecoder:
    """Devices behind a Zigbee2MQTT bridge, and the bridge itself."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """Any with two levels; the base is configurable."""
        return "/" in topic

    def claims(self, content: Content) -> bool:
        """What lies below a known base, and the announcements of a bridge that is not known yet."""
        return bool(_base_of(content))

    def decode(self, content: Content) -> Decoded:
        """Readings, availability, and what the bridge announces."""
        base = _base_of(content)
        rest = content.topic[len(base) + 1 :]
        decoded = Decoded(self.name)
        if rest.startswith("bridge/"):
            _Bridge(content, base, decoded).read(rest.removeprefix("bridge/"))
        elif rest.endswith("/availability"):
            _availability(content, _device(content, base, rest.removesuffix("/availability")), decoded)
        elif not rest.endswith(("/set", "/get")) and "/set/" not in rest and not content.is_empty:
            _state(content, base, rest, decoded)
        return decoded


def _base_of(content: Content) -> str:
    """The base topic below which a message lies, or empty."""
    topic = content.topic
    if topic.startswith("zigbee2mqtt/"):
        return "zigbee2mqtt"
    known: dict[str, str] | None = content.memory.get(FAMILY, BASES)
    for base in known or ():
        if topic.startswith(f"{base}/"):
            return base
    if "/zigbee2mqtt/" in topic:
        return topic[: topic.index("/zigbee2mqtt/")] + "/zigbee2mqtt"
    head, _bridge, what = topic.rpartition("/bridge/")
    return head if head and what in {"devices", "info"} and _is_bridge(content, what) else ""


def _is_bridge(content: Content, what: str) -> bool:
    if what == "info":
        return bool((found := content.object) and "coordinator" in found and "version" in found)
    try:
        document = content.document if content.is_structure else None
    except UndecodableError:
        return False
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and "ieee_address" in one for one in document[:5])
    )


def _gateway(content: Content, base: str) -> tuple[str, str]:
    """Key and identifier (the coordinator's address) of the bridge; empty before it has announced itself."""
    known = content.memory.get(FAMILY, BASES) or {}
    return (base, known[base] or f"{base}/bridge") if base in known else ("", "")


def _device(content: Content, base: str, name: str) -> DeviceRef:
    known = content.memory.get(FAMILY, f"{base}/{name}")
    return DeviceRef((known or {}).get("key") or f"{base}/{name}", name, *_gateway(content, base))


def _availability(content: Content, device: DeviceRef, decoded: Decoded, *, is_gateway: bool = False) -> None:
    found = content.object
    word = said(found, "state") if found else content.text
    availability = WORDS.get(word.lower())
    if availability is not None:
        decoded.availability.append(DecodedAvailability(device, availability, is_gateway=is_gateway))


def _state(content: Content, base: str, name: str, decoded: Decoded) -> None:
    found = content.object
    if found is None:
        _attribute(content, base, name, decoded)
        return
    device = _device(content, base, name)
    known = content.memory.get(FAMILY, f"{base}/{name}") or {}
    units: dict[str, str] = known.get("units") or {}
    time_us = content.time(found.get("last_seen"))
    for key, value in found.items():
        if key in NO_READINGS or key.startswith("update_"):
            continue
        for path, leaf in each(value, key):
            unit = units[key] if key in units else "" if units else _usual_unit(key, found)
            add(
                decoded, device, path, leaf,
                unit=unit, time_us=time_us, is_switch=SWITCH.fullmatch(key) is not None, numbers=False,
            )  # fmt: skip
    facts = facts_from(found, {"linkquality": "linkquality"})
    inner = found.get("device")
    if isinstance(inner, dict):
        facts |= facts_from(inner, {"ieeeAddr": "id", "model": "model", "manufacturerName": "manufacturer"})
    if known.get("ieee"):
        facts["id"] = known["ieee"]
    if facts:
        decoded.facts.append(DecodedFacts(device, facts))


def _attribute(content: Content, base: str, name: str, decoded: Decoded) -> None:
    """`<base>/<friendly name>/<attribute>` with a bare value, when the bridge is set to that."""
    owner, _slash, attribute = name.rpartition("/")
    if not owner or content.is_structure:
        raise UndecodableError("no_values")
    if attribute in NO_READINGS:
        return
    known = content.memory.get(FAMILY, f"{base}/{owner}") or {}
    unit = (known.get("units") or {}).get(attribute) or _usual_unit(attribute, {})
    is_switch = SWITCH.fullmatch(attribute) is not None
    add(decoded, _device(content, base, owner), attribute, content.text, unit=unit, is_switch=is_switch)


def _usual_unit(key: str, found: dict[str, Any]) -> str:
    """The unit of a value whose device was never announced."""
    if key in NAMED_UNITS:
        return NAMED_UNITS[key]
    if key == "voltage":
        return "mV" if "battery" in found else "V"  # devices on batteries say millivolts
    if key.endswith(("_setpoint", "temperature_limit")):
        return "°C"
    if key.endswith("_distance"):
        return "m"
    means = meaning(key)
    return means.unit or UNITS.get(means.kind, "")


class _Bridge:
    """Messages of the bridge itself."""

    def __init__(self, content: Content, base: str, decoded: Decoded) -> None:
        self._content, self._base, self._decoded = content, base, decoded
        self._gateway = DeviceRef(base, _gateway(content, base)[1] or f"{base}/bridge")

    def read(self, what: str) -> None:
        """Its state and announcements; requests, answers and logs are left aside."""
        content = self._content
        if what == "state":
            bridge = self._gateway._replace(identifier=f"{self._base}/bridge")
            _availability(content, bridge, self._decoded, is_gateway=True)
            if any(one.availability is Availability.OFFLINE for one in self._decoded.availability):
                # It speaks for all below its topic, also for those that were met before it had announced itself.
                self._decoded.availability.append(DecodedAvailability(bridge, Availability.OFFLINE))
        elif what == "info":
            self._info(content.object or {})
        elif what == "devices":
            self._devices(content.document if content.is_structure else None)
        elif what == "event":
            self._event(content.object or {})
        elif what == "log":
            self._legacy(content.object or {})
        if not (self._decoded.availability or any(one.is_gateway for one in self._decoded.facts)):
            self._decoded.facts.append(DecodedFacts(self._gateway, {}, is_gateway=True))

    def _info(self, found: dict[str, Any]) -> None:
        coordinator = found.get("coordinator")
        address = said(coordinator, "ieee_address")
        bases = {**(self._content.memory.get(FAMILY, BASES) or {}), self._base: address}
        self._decoded.announcements.append(Announcement(FAMILY, BASES, bases))
        facts = facts_from(found, {"version": "firmware"})
        if model := said(coordinator, "type"):
            facts["model"] = model
        gateway = DeviceRef(self._base, address or f"{self._base}/bridge")
        self._decoded.facts.append(DecodedFacts(gateway, facts, is_gateway=True))

    def _devices(self, found: Any) -> None:
        bases = self._content.memory.get(FAMILY, BASES) or {}
        if self._base not in bases:
            self._decoded.announcements.append(Announcement(FAMILY, BASES, {**bases, self._base: ""}))
        for device in found[:MOST_DEVICES] if isinstance(found, list) else ():
            name, address = said(device, "friendly_name"), said(device, "ieee_address")
            if name and address and device.get("type") != "Coordinator":
                self._announce(device, name, address)

    def _announce(self, device: dict[str, Any], name: str, address: str) -> None:
        memory = self._content.memory
        place = f"{self._base}#{address}"
        key = (memory.get(FAMILY, place) or {}).get("key") or f"{self._base}/{name}"
        definition = device.get("definition")
        units: dict[str, str] = {}
        _collect_units(definition.get("exposes") if isinstance(definition, dict) else None, units, 0)
        self._decoded.announcements += [
            Announcement(FAMILY, place, {"key": key}),
            Announcement(FAMILY, f"{self._base}/{name}", {"key": key, "ieee": address, "units": units}),
        ]
        facts = facts_from(device, DEVICE_FACTS) | {"id": address, "name": name}
        if isinstance(definition, dict):
            facts |= facts_from(definition, DEFINITION_FACTS)
        ref = DeviceRef(key, name, *self._gateway[:2])
        self._decoded.facts.append(DecodedFacts(ref, facts, announces=True))

    def _event(self, found: dict[str, Any]) -> None:
        data = found.get("data")
        name = said(data, "friendly_name")
        if not isinstance(data, dict) or not name:
            return
        facts = facts_from(data, {"ieee_address": "id"})
        if isinstance(data.get("definition"), dict):
            facts |= facts_from(data["definition"], DEFINITION_FACTS)
        device = _device(self._content, self._base, name)
        behind = device._replace(gateway_key=self._base, gateway_identifier=self._gateway.identifier)
        self._decoded.facts.append(DecodedFacts(behind, facts))

    def _legacy(self, found: dict[str, Any]) -> None:
        """Before version 1.17 the list of devices came as a log entry."""
        listed = found.get("message") if found.get("type") == "devices" else None
        for device in listed[:MOST_DEVICES] if isinstance(listed, list) else ():
            address = said(device, "ieeeAddr")
            name = said(device, "friendly_name") or address
            if address:
                facts = facts_from(
                    device, {"ieeeAddr": "id", "model": "model", "type": "type", "vendor": "manufacturer"}
                )
                self._decoded.facts.append(DecodedFacts(DeviceRef(f"{self._base}/{name}", name), facts))


def _collect_units(exposes: Any, units: dict[str, str], depth: int) -> None:
    """{property: unit or empty} of all values that a definition lists; features nest."""
    for one in exposes if isinstance(exposes, list) and depth < 8 else ():
        if not isinstance(one, dict) or len(units) > 300:
            continue
        name = said(one, "property", "name")
        if name:
            units.setdefault(name, said(one, "unit")[:40])
        _collect_units(one.get("features"), units, depth + 1)


DECODER = Zigbee2MqttDecoder()
