"""Devices behind a Tasmota node: Bluetooth sensors and beacons, and what its Zigbee coordinator hears."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mqtt.decoders.base import MAX_VALUES
from mqtt.decoders.gather import leaves, reading
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.tasmota.quantities import quantity, zigbee_quantity
from mqtt.exceptions import UndecodableError
from mqtt.messages import DecodedFacts, DecodedReading, DeviceRef

_BLUETOOTH = re.compile(r"(?!DS18|MAX31|BMP|BME|SI70|AM23|DHT)[^-]\w*-(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{12})")
"""`<model>-<end of its address>`; a shorter tail is a wired sensor's place on its bus."""
_BEACON = re.compile(r"iBeacon\d*|Beacon\d+", re.IGNORECASE)
_ADDRESS_KEYS = ("mac", "MAC")
ZIGBEE = ("ZbReceived", "ZbInfo", "ZigbeeReceived")
"""The last is what the first was called before version 8.4."""
_FACTS = {
    "RSSI": "rssi",
    "rssi": "rssi",
    "LinkQuality": "linkquality",
    "MAC": "mac",
    "mac": "mac",
    "Name": "name",
    "NAME": "name",
    "ModelId": "model",
    "Manufacturer": "manufacturer",
    "IEEEAddr": "id",
}
_NO_VALUES = frozenset(
    ("Device", "Endpoint", "Group", "Cluster", "UID", "MAJOR", "MINOR", "CID", "SVC", "UUID", "LastSeen",
     "LastSeenEpoch")
)  # fmt: skip
_NO_LISTS = ("Endpoints.", "Config.")
_FRAME = re.compile(r"[0-9A-F]{4}[!<?][0-9A-F]{2}")
"""`0008!06` is a command as its bytes: what it says stands beside it, if the coordinator knows."""
_ADMINISTRATION = ("0004<", "0005<")
"""Answers about groups and scenes."""


def _told(found: dict[str, Any]) -> dict[str, Any]:
    """What the coordinator tells of a device, without the bytes where it understands them."""
    if len(found) > MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)
    if any(key.startswith(_ADMINISTRATION) for key in found):
        return {key: value for key, value in found.items() if key in _FACTS}
    kept = {key: value for key, value in found.items() if not _FRAME.fullmatch(key)}
    is_understood = len(kept) < len(found) and any(key not in _FACTS and key not in _NO_VALUES for key in kept)
    return kept if is_understood else found


class Bridged:
    """Readings and facts of one device behind a node."""

    def __init__(self, node: DeviceRef, name: str, key: str = "") -> None:
        name = clean(name)[:NAME_LENGTH]
        self.ref = DeviceRef(f"{node.key}#{key or name}", name, node.key, node.identifier)
        self.readings: list[DecodedReading] = []
        self.facts: dict[str, Any] = {}

    def take(self, found: dict[str, Any], units: dict[str, str], *, is_zigbee: bool = False) -> None:
        """All that the node says about it."""
        for name, _, value in leaves(_told(found) if is_zigbee else found):
            if name in _FACTS and isinstance(value, str | int | float):
                self.facts[_FACTS[name]] = clean(value)[:NAME_LENGTH] if isinstance(value, str) else value
            elif name not in _NO_VALUES and not name.startswith(_NO_LISTS):
                means = zigbee_quantity(name) if is_zigbee else quantity(name)
                unit = units.get(means.unit, "") if means.unit.endswith("Unit") else means.unit
                one = reading(self.ref, name, value, unit, means.kind, is_switch=means.is_switch)
                if one is not None:
                    self.readings.append(one)

    def said(self) -> Iterator[DecodedFacts]:
        """Its facts, if there are any."""
        if self.facts:
            yield DecodedFacts(self.ref, self.facts)


def bluetooth(node: DeviceRef, key: str, found: dict[str, Any]) -> Bridged | None:
    """The Bluetooth device under a key of the sensors, unless the sensor is the node's own."""
    address = ""
    for one in _ADDRESS_KEYS:
        if one in found and isinstance(found[one], str) and found[one]:
            address = found[one]
            break
    is_beacon, is_bluetooth = _sounds_like(key)
    if is_beacon:
        uid = found.get("UID")
        if isinstance(uid, str) and uid.strip("0"):
            # Beacons of one owner share their UID, and the address of some changes every quarter of an hour.
            return Bridged(node, uid, f"{uid}-{found.get('MAJOR')}-{found.get('MINOR')}")
        return Bridged(node, address) if address else None
    return Bridged(node, key) if address or is_bluetooth else None


@lru_cache(maxsize=5_000)
def _sounds_like(key: str) -> tuple[bool, bool]:
    """Whether a sensor's name is that of a beacon, of a Bluetooth device."""
    return _BEACON.fullmatch(key) is not None, _BLUETOOTH.fullmatch(key) is not None


def zigbee(node: DeviceRef, received: Any) -> list[Bridged]:
    """The devices in `{"<address or name>": {"Device": "<address>", …}}`, or in the inner object alone."""
    if not isinstance(received, dict):
        return []
    if isinstance(received.get("Device"), str):
        received = {"": received}
    found = []
    for key, said in received.items():
        if not isinstance(said, dict):
            continue
        address = said.get("Device")
        name = address if isinstance(address, str) and address else key
        if not name:
            continue
        one = Bridged(_without(node, {key, name, name.removeprefix("0x"), said.get("Name")}), name)
        one.take(said, {}, is_zigbee=True)
        found.append(one)
        if len(found) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
    return found


def _without(node: DeviceRef, names: set[Any]) -> DeviceRef:
    """The node itself where each device has a topic of its own below it."""
    before, _, last = node.identifier.rpartition("/")
    if not before or last not in names:
        return node
    levels = node.key.split("/")
    del levels[len(levels) - 1 - levels[::-1].index(last)]
    return DeviceRef("/".join(levels), before)
