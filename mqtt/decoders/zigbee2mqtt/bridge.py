"""What the bridge itself publishes below `<base>/bridge/`."""

from typing import Any

from mqtt.decoders import presence
from mqtt.decoders.base import Content
from mqtt.decoders.gather import facts_from, objects, said
from mqtt.decoders.units import spelled
from mqtt.decoders.zigbee2mqtt.network import FAMILY, Entries, Network
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts

DEVICE_FACTS = {
    "ieee_address": "id",
    "ieeeAddr": "id",
    "model": "model",
    "vendor": "manufacturer",
    "software_build_id": "firmware",
    "softwareBuildID": "firmware",
    "type": "type",
    "power_source": "power_source",
    "powerSource": "power_source",
    "description": "description",
}
"""Of now, and of the old interface."""
DEFINITION_FACTS = {"model": "model", "vendor": "manufacturer"}
MOST_FEATURES = 150


def decode_bridge(network: Network, what: str, content: Content) -> Decoded:
    """A message on `<base>/bridge/<what>`; requests, responses, logs and maps say nothing."""
    decoded = Decoded(FAMILY)
    if not what.startswith("request"):
        decoded.facts.append(DecodedFacts(network.bridge(), {}, is_gateway=True))  # it is there, whatever it says
    if what == "state":
        _state(network, content, decoded)
    elif what in READERS and content.is_structure:
        READERS[what](network, content.document, decoded)
    return decoded


def _state(network: Network, content: Content, decoded: Decoded) -> None:
    availability = None if content.is_empty else presence.said(content)
    if availability is None:
        return
    decoded.availability.append(DecodedAvailability(network.bridge(), availability, is_gateway=True))
    decoded.announcements += network.learned()
    if availability is Availability.OFFLINE:
        # It speaks for all below its topic, also for those that were met before it had announced itself.
        decoded.availability.append(DecodedAvailability(network.bridge(), availability))


def _info(network: Network, document: Any, decoded: Decoded) -> None:
    coordinator = document.get("coordinator") if isinstance(document, dict) else None
    if not isinstance(coordinator, dict):
        return
    address = said(coordinator, "ieee_address")
    facts = facts_from(document, {"version": "firmware"})
    facts |= facts_from(coordinator, {"type": "model", "ieee_address": "id"})
    if isinstance(meta := coordinator.get("meta"), dict):
        facts |= facts_from(meta, {"revision": "hardware"})
    decoded.facts.append(DecodedFacts(network.bridge(address), facts, is_gateway=True, announces=bool(address)))
    decoded.announcements += network.learned(address)


def _health(network: Network, document: Any, decoded: Decoded) -> None:
    process = document.get("process") if isinstance(document, dict) else None
    if isinstance(process, dict):
        facts = facts_from(process, {"uptime_sec": "uptime"})
        decoded.facts.append(DecodedFacts(network.bridge(), facts, is_gateway=True))


def _devices(network: Network, document: Any, decoded: Decoded) -> None:
    """The whole list of devices, as of now or of the old interface."""
    entries: Entries = {}
    coordinator = ""
    found = {}
    for device in objects(document):
        address = said(device, "ieee_address", "ieeeAddr")
        if address and device.get("type") == "Coordinator":
            coordinator = address
        elif address:
            entries[address] = said(device, "friendly_name") or address, units_of(device)
            found[address] = _facts(device)
    if coordinator:
        facts = {"id": coordinator}
        decoded.facts.append(DecodedFacts(network.bridge(coordinator), facts, is_gateway=True, announces=True))
    if coordinator or entries:
        decoded.announcements += network.learned(coordinator)
        network.coordinator = coordinator or network.coordinator or ""
    news = network.listed(entries, "devices")
    decoded.announcements += news
    for (address, (name, _)), announced in zip(entries.items(), news, strict=False):
        if announced.data:
            ref = network.ref(announced.data["key"], name)
            decoded.facts.append(DecodedFacts(ref, found[address], announces=True))


def _facts(device: dict[str, Any]) -> dict[str, Any]:
    facts = facts_from(device, DEVICE_FACTS)
    definition = device.get("definition")
    return facts | facts_from(definition, DEFINITION_FACTS) if isinstance(definition, dict) else facts


def _groups(network: Network, document: Any, decoded: Decoded) -> None:
    """The groups: they publish like devices, but are none before they do."""
    entries: Entries = {}
    for group in objects(document):
        number, name = said(group, "id"), said(group, "friendly_name")
        if number and name:
            entries[number] = name, {}
    if entries:
        decoded.announcements += network.learned()
    news = network.listed(entries, "groups")
    decoded.announcements += news
    for (name, _), announced in zip(entries.values(), news, strict=False):
        if announced.data:
            decoded.facts.append(DecodedFacts(network.ref(announced.data["key"], name), {"type": "Group"}))


def _event(network: Network, document: Any, decoded: Decoded) -> None:
    """A device joined, was interviewed, or left."""
    data = document.get("data") if isinstance(document, dict) else None
    address = said(data, "ieee_address")
    if not isinstance(data, dict) or not address:
        return
    name = said(data, "friendly_name") or address
    ref = network.ref(network.key_of(address) or network.entity(name).ref.key, name, always_behind=True)
    facts = _facts(data)
    decoded.facts.append(DecodedFacts(ref, facts, announces="model" in facts))
    if document.get("type") == "device_leave":
        decoded.availability.append(DecodedAvailability(ref, Availability.OFFLINE, alone=True))


def _log(network: Network, document: Any, decoded: Decoded) -> None:
    """The old interface answers here; everything else is log."""
    if isinstance(document, dict) and document.get("type") == "devices":
        _devices(network, document.get("message"), decoded)


READERS = {
    "info": _info,
    "config": _info,
    "health": _health,
    "devices": _devices,
    "config/devices": _devices,
    "groups": _groups,
    "event": _event,
    "log": _log,
}


def units_of(device: dict[str, Any]) -> dict[str, str] | None:
    """The units of a device's values by their paths; None when its definition says nothing about them."""
    definition = device.get("definition")
    exposes = definition.get("exposes") if isinstance(definition, dict) else None
    if not isinstance(exposes, list):
        return None
    units: dict[str, str] = {}
    _collect(exposes, "", units, 1)
    return units


def _collect(features: Any, prefix: str, units: dict[str, str], depth: int) -> None:
    for feature in objects(features):
        own = said(feature, "property")
        if own and len(units) < MOST_FEATURES:
            units[prefix + own] = spelled(said(feature, "unit"))
        if depth < 4 and "features" in feature:
            # Only a composite is an object in the state; light, switch and the like merely group.
            _collect(feature["features"], f"{prefix}{own}." if own else prefix, units, depth + 1)
