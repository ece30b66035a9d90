"""Ruuvi gateways: `<prefix>/<gateway>/<tag>` with the tag's Bluetooth advertisement as hexadecimal text.

Source: ruuvi/docs, data formats 3, 5, 6 and E1; units are those of the formats (mG, mV), names those of the
library ruuvitag-sensor. `gwts` and `ts` are seconds as text, absent while the gateway has no clock.
"""

import math
import re
import struct
from collections.abc import Callable
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from, said, take_object
from mqtt.decoders.places import place
from mqtt.decoders.presence import WORDS
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

GATEWAY_STATUS = re.compile(r"(?:.+/)?(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}/gw_status", re.DOTALL)
MARK = "FF9904"
"""Manufacturer data of Ruuvi (0x0499, little-endian) inside the advertisement."""

BRIDGED = {
    unit: words.split()
    for unit, words in {
        "°C": "temperature dewPoint", "Pa": "pressure equilibriumVaporPressure", "dBm": "txPower",
        "V": "batteryVoltage",
        "g": "accelerationX accelerationY accelerationZ accelerationTotal", "g/m³": "absoluteHumidity",
        "kg/m³": "airDensity", "°": "accelerationAngleFromX accelerationAngleFromY accelerationAngleFromZ",
        "µg/m³": "pm1p0 pm2p5 pm4p0 pm10p0", "ppm": "co2", "lx": "illuminance",
        "dB": "soundInstant soundAverage soundPeak", "%": "humidity",
    }.items()
}  # fmt: skip
"""The units of what RuuviBridge makes of the advertisements."""
BRIDGED_UNITS = {name: unit for unit, names in BRIDGED.items() for name in names}
SHORTEST_6, SHORTEST_E1 = 16, 28
MOST_LIGHT, LIGHT_STEPS = 65_535, 254
"""Format 6 writes light as one of so many steps of its logarithm."""
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")

Value = tuple[str, float, str]


class RuuviDecoder:
    """Tags that a Ruuvi gateway hears."""

    name = "ruuvi"
    marks = frozenset(("gw_mac", "state", "data_format"))

    def knows_topic(self, topic: str) -> bool:
        """Any with two levels; the content tells."""
        return "/" in topic

    def claims(self, content: Content) -> bool:
        """Advertisements with a gateway's address, and the gateway's own status."""
        found = content.object
        if found is None:
            return False
        return (
            ("gw_mac" in found and "data" in found)
            or _is_bridged(found)
            or ("state" in found and GATEWAY_STATUS.fullmatch(content.topic) is not None)
        )

    def decode(self, content: Content) -> Decoded:
        """The tag's readings. Raises UndecodableError for a format that is not known, and for what is no Ruuvi.

        A gateway that is told to forward everything brings each telephone that passes by, under an address that changes
        every few minutes: a row of devices each would push aside those that stay.
        """
        decoded = Decoded(self.name)
        found = content.object or {}
        prefix, _slash, last = content.topic.rpartition("/")
        if last == "gw_status":
            availability = WORDS.get(said(found, "state").lower())
            if availability is not None:
                gateway = DeviceRef(prefix, prefix.rpartition("/")[2])
                decoded.availability.append(DecodedAvailability(gateway, availability, is_gateway=True))
            return decoded
        if _is_bridged(found):
            device = place(content.topic).device
            rest = {name: value for name, value in found.items() if name != "data_format"}
            for reading in take_object(rest, device, content, decoded):
                reading.unit = BRIDGED_UNITS.get(reading.name, reading.unit)
            return decoded
        device = DeviceRef(content.topic, last, prefix, said(found, "gw_mac") or prefix.rpartition("/")[2])
        time_us = content.time(found.get("ts")) or content.time(found.get("gwts"))
        for name, value, unit in advertisement(said(found, "data")):
            add(decoded, device, name, value, unit=unit, time_us=time_us)
        decoded.facts.append(DecodedFacts(device, facts_from(found, {"rssi": "rssi"}) | {"mac": last}))
        return decoded


def _is_bridged(found: dict[str, Any]) -> bool:
    """Whether RuuviBridge read an advertisement already."""
    return "data_format" in found and "mac" in found and not BRIDGED_UNITS.keys().isdisjoint(found)


def advertisement(text: str) -> list[Value]:
    """The values in an advertisement. Raises UndecodableError."""
    start = text.upper().find(MARK)
    if start < 0 and _HEX.fullmatch(text):
        raise UndecodableError("foreign_advertisement")
    try:
        data = bytes.fromhex(text[start + len(MARK) :]) if start >= 0 else b""
    except ValueError:
        data = b""
    reader = FORMATS.get(data[0]) if data else None
    if reader is None:
        raise UndecodableError("no_values")
    try:
        return reader(data)
    except struct.error:
        raise UndecodableError("no_values") from None


def _format_3(data: bytes) -> list[Value]:
    humidity, whole, hundredths, pressure, x, y, z, battery = struct.unpack(">BBBHhhhH", data[1:14])
    degrees = (whole & 0x7F) + hundredths / 100
    return [
        ("temperature", -degrees if whole & 0x80 else degrees, "°C"),
        ("humidity", humidity / 2, "%"),
        ("pressure", (pressure + 50_000) / 100, "hPa"),
        ("acceleration_x", x, "mG"), ("acceleration_y", y, "mG"), ("acceleration_z", z, "mG"),
        ("battery", battery, "mV"),
    ]  # fmt: skip


def _format_5(data: bytes) -> list[Value]:
    temperature, humidity, pressure, x, y, z, power, movement, sequence = struct.unpack(">hHHhhhHBH", data[1:18])
    found: list[Value] = []
    if temperature != -32768:
        found.append(("temperature", round(temperature * 0.005, 3), "°C"))
    if humidity != 65535:
        found.append(("humidity", round(humidity * 0.0025, 4), "%"))
    if pressure != 65535:
        found.append(("pressure", (pressure + 50_000) / 100, "hPa"))
    axes = zip("xyz", (x, y, z), strict=True)
    found += [(f"acceleration_{axis}", value, "mG") for axis, value in axes if value != -32768]
    if power >> 5 != 2047:
        found.append(("battery", (power >> 5) + 1600, "mV"))
    if power & 31 != 31:
        found.append(("tx_power", (power & 31) * 2 - 40, "dBm"))
    if movement != 255:
        found.append(("movement_counter", movement, ""))
    if sequence != 65535:
        found.append(("measurement_sequence_number", sequence, ""))
    return found


def _format_6(data: bytes) -> list[Value]:
    temperature, humidity, pressure, pm25, co2, voc, nox = struct.unpack(">hHHHHBB", data[1:13])
    flags = data[16] if len(data) > 16 else 0
    found = _air(
        temperature, humidity, pressure, (("pm2_5", pm25),), co2, voc * 2 + (flags >> 6 & 1), nox * 2 + (flags >> 7)
    )
    if len(data) > SHORTEST_6 and data[13] != 255:
        light = math.exp(data[13] * math.log(MOST_LIGHT + 1) / LIGHT_STEPS) - 1
        found.append(("luminosity", round(light, 2), "lx"))
    if len(data) > SHORTEST_6:
        found.append(("measurement_sequence_number", data[15], ""))
    return found


def _format_e1(data: bytes) -> list[Value]:
    temperature, humidity, pressure, pm1, pm25, pm4, pm10, co2, voc, nox = struct.unpack(">hHHHHHHHBB", data[1:19])
    flags = data[28] if len(data) > 28 else 0
    particles = (("pm1", pm1), ("pm2_5", pm25), ("pm4", pm4), ("pm10", pm10))
    found = _air(temperature, humidity, pressure, particles, co2, voc * 2 + (flags >> 6 & 1), nox * 2 + (flags >> 7))
    light, sequence = int.from_bytes(data[19:22]), int.from_bytes(data[25:28])
    if len(data) > SHORTEST_E1 and light != 0xFFFFFF:
        found.append(("luminosity", light / 100, "lx"))
    if len(data) > SHORTEST_E1 and sequence != 0xFFFFFF:
        found.append(("measurement_sequence_number", sequence, ""))
    return found


def _air(
    temperature: int, humidity: int, pressure: int, particles: tuple[tuple[str, int], ...], co2: int, voc: int, nox: int
) -> list[Value]:
    """What the air quality formats share; the largest number says that there is no value."""
    found: list[Value] = []
    if temperature != -32768:
        found.append(("temperature", round(temperature * 0.005, 3), "°C"))
    if humidity != 65535:
        found.append(("humidity", round(humidity * 0.0025, 4), "%"))
    if pressure != 65535:
        found.append(("pressure", (pressure + 50_000) / 100, "hPa"))
    found += [(name, value / 10, "µg/m³") for name, value in particles if value != 65535]
    if co2 != 65535:
        found.append(("co2", co2, "ppm"))
    found += [(name, value, "") for name, value in (("voc_index", voc), ("nox_index", nox)) if value != 511]
    return found


FORMATS: dict[int, Callable[[bytes], list[Value]]] = {3: _format_3, 5: _format_5, 6: _format_6, 0xE1: _format_e1}
DECODER = RuuviDecoder()
