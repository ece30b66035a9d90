"""What all LoRaWAN servers have in common: receptions by gateways, and the units that codecs use."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from mqtt.decoders.gather import objects, text
from mqtt.decoders.places import NAME_LENGTH
from mqtt.decoders.walk import NUMBER
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DecodedReading, DeviceRef

UNITS = {
    "temperature": "°C",
    "temperaturesensor": "°C",
    "humidity": "%",
    "humiditysensor": "%",
    "relativehumidity": "%",
    "barometer": "hPa",
    "barometricpressure": "hPa",
    "illuminancesensor": "lx",
    "co2": "ppm",
    "accelerometer": "g",
    "gyrometer": "°/s",
    "latitude": "°",
    "longitude": "°",
    "altitude": "m",
}
"""By the last of a name's levels that is known; Cayenne LPP writes `temperature_1` or `temperatureSensor.1`."""
CAYENNE = {"luminosity": "lx", "illuminance": "lx"}
"""Only with a channel: other codecs use other scales."""
NORMALIZED = {
    "air.pressure": "hPa",
    "air.lightIntensity": "lx",
    "soil.depth": "cm",
    "soil.moisture": "%",
    "soil.ec": "dS/m",
    "soil.n": "ppm",
    "soil.p": "ppm",
    "soil.k": "ppm",
    "wind.speed": "m/s",
    "wind.direction": "°",
    "rain.intensity": "mm/h",
    "rain.cumulative": "mm",
    "battery": "V",
}
"""The normalized payload of The Things Stack says its units by its schema."""

Path = tuple[str, ...]
MOST_GATEWAYS = 100
"""That hear one frame."""

_NUMBERS = frozenset((int, float))
_CHANNEL = re.compile(r"(.+)_\d{1,3}")


class Reception(NamedTuple):
    """A gateway that received a frame."""

    gateway: str
    rssi: float | None
    snr: float | None
    time: Any
    """As the gateway said it."""


def best(receptions: list[Reception]) -> Reception | None:
    """The one that heard the device best."""
    if len(receptions) == 1:
        return receptions[0]
    return max(receptions, key=lambda one: -1e9 if one.rssi is None else one.rssi, default=None)


def receptions(found: Any, *, gateway: tuple[Path, ...], rssi: str = "rssi", snr: str = "snr") -> list[Reception]:
    """The receptions in a list of a server; `gateway` are the paths of keys under which it may stand."""
    heard = []
    for one in objects(found)[:MOST_GATEWAYS]:
        for path in gateway:
            if name := text(one, *path):
                heard.append(
                    Reception(name[:NAME_LENGTH], number(one.get(rssi)), number(one.get(snr)), one.get("time"))
                )
                break
    return heard


def behind(device: DeviceRef, gateway: str, prefix: str) -> DeviceRef:
    """A device behind the gateway that heard it; `prefix` makes the gateway's name unique in the connection."""
    if not gateway:
        return device
    return DeviceRef(device.key, device.identifier, f"{prefix}{gateway}", gateway)


def managed(device: DeviceRef, facts: dict[str, Any], *, announces: bool = True) -> DecodedFacts:
    """What is told of a device that somebody named in a network server: people know it by that and not by its EUI."""
    return DecodedFacts(device, facts, announces=announces, called=str(facts.get("name", "")))


def heard(decoded: Decoded, device: DeviceRef, facts: dict[str, Any]) -> None:
    """A device sent a frame: its facts, and that it and its gateway live."""
    decoded.facts.append(managed(device, facts))
    if not decoded.readings:
        decoded.availability.append(DecodedAvailability(device, Availability.ONLINE, announces=True))
    if device.gateway_key:
        gateway = DeviceRef(device.gateway_key, device.gateway_identifier)
        decoded.availability.append(DecodedAvailability(gateway, Availability.ONLINE, is_gateway=True))


def give_units(readings: list[DecodedReading], *, normalized: bool = False) -> None:
    """Add the units that LoRaWAN codecs agree on, where the name itself says none."""
    for reading in readings:
        if not reading.unit and reading.text is None:
            reading.unit = (NORMALIZED.get(reading.name, "") if normalized else "") or unit_of(reading.name)


@lru_cache(maxsize=5000)
def unit_of(name: str) -> str:
    """The unit of a codec's value by its name."""
    for level in reversed(name.split(".")):
        match = _CHANNEL.fullmatch(level)
        plain = (match[1] if match else level).replace("_", "").lower()
        unit = UNITS.get(plain) or (CAYENNE.get(plain, "") if match else "")
        if unit:
            return unit
    return ""


def number(value: Any) -> float | None:
    """A signal's strength; some servers write it as a text."""
    if type(value) in _NUMBERS:
        found: float = value
        return found
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else None
