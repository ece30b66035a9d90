"""OpenMQTTGateway and Theengs: `<base>/<gateway>/<X>toMQTT[/<id>]`, X the radio.

Source: the project's documentation, use/ble, use/rf and use/gateway. Keys carry units; tempc and tempf are one value. A
beacon with a random address is known by its uuid. Older versions write numbers as text.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.decoders.presence import WORDS
from mqtt.decoders.rtl433 import read_radio
from mqtt.decoders.units import spelled
from mqtt.decoders.words import meaning
from mqtt.messages import Announcement, Decoded, DecodedAvailability, DecodedFacts, DeviceRef

FAMILY = "openmqttgateway"
TOPIC = re.compile(r"((?:.+/)?([^/]+))/(\w+?)toMQTT(?:/(.*))?", re.DOTALL)
MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:?){5}[0-9A-Fa-f]{2}")
NO_READINGS = frozenset(
    ("id", "mac", "mac_type", "adv_type", "rssi", "snr", "pferror", "packetSize",
     "brand", "model", "model_id", "type", "name", "uuid", "mfid",
     "servicedata",
     "servicedatauuid", "manufacturerdata", "track", "prmac", "cidc", "acts", "cont", "encr", "ctr", "cipher", "mic",
     "device", "time", "datetime", "unixtime", "mfr", "serial", "unit", "displayunit", "addr", "res")
)  # fmt: skip
USUAL_NAMES = ("OpenMQTTGateway", "OMG", "TheengsGateway")
"""A gateway so called is one before it was heard."""
CODES = frozenset(
    (
        "value",
        "protocol",
        "protocol_name",
        "length",
        "delay",
        "val_Thigh",
        "val_Tlow",
        "mask",
        "raw",
        "rawlen",
        "pulsesString",
        "format",
        "bits",
        "hex",
        "repeat",
    )
)
"""What infrared and simple radio say: a button's code, and no measurement."""
MEASURED = frozenset(("ADC",))
"""Whose `value` is one."""
UNITS = {
    "tempc": "°C", "tempf": "°F", "tempc1": "°C", "tempc2": "°C", "hum": "%", "batt": "%", "volt": "V",
    "lux": "lx", "moi": "%",
    "fer": "µS/cm", "pres": "hPa", "weight": "kg", "distance": "m", "txpower": "dBm", "power": "W", "current": "A",
    "energy": "kWh", "co2": "ppm", "voc": "ppb", "pm25": "µg/m³", "pm10": "µg/m³", "dewp": "°C", "dp": "°C",
    "for": "mg/m³", "windspeed": "m/s", "uptime": "s",
}  # fmt: skip


class OpenMqttGatewayDecoder:
    """What a gateway hears, and how it is itself."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """A level that ends in `toMQTT`, and last wills."""
        return topic.endswith("/LWT") or TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Objects; a last will only of a gateway that was heard."""
        if content.topic.endswith("/LWT"):
            gateway = content.topic.removesuffix("/LWT")
            return content.memory.get(FAMILY, gateway) is not None or gateway.rpartition("/")[2].startswith(USUAL_NAMES)
        return content.object is not None

    def decode(self, content: Content) -> Decoded:
        """Readings of a device behind the gateway, or the gateway's own facts."""
        decoded = Decoded(self.name)
        if content.topic.endswith("/LWT"):
            key = content.topic.removesuffix("/LWT")
            availability = WORDS.get(content.text.lower())
            if availability is not None:
                gateway = DeviceRef(key, key.rpartition("/")[2])
                decoded.availability.append(DecodedAvailability(gateway, availability, is_gateway=True))
            return decoded
        match = TOPIC.fullmatch(content.topic)
        found = content.object
        if match is None or found is None:
            return decoded
        key, gateway_name, radio, rest = match.groups()
        if content.memory.get(FAMILY, key) is None:
            decoded.announcements.append(Announcement(FAMILY, key, {"name": gateway_name}))
        if radio == "SYS":
            names = {"version": "firmware", "uptime": "uptime", "rssi": "rssi", "freemem": "free_memory", "ip": "ip",
                     "mac": "mac", "env": "model", "SSID": "ssid"}  # fmt: skip
            decoded.facts.append(DecodedFacts(DeviceRef(key, gateway_name), facts_from(found, names), is_gateway=True))
        elif found.get("protocol") == "debug" or "characteristic" in found:
            return decoded  # how the receiver is, or what was written or read on command
        elif "model" in found and radio not in {"BT", "LORA"}:
            read_radio(content, found, key, gateway_name, decoded)
        else:
            _device(found, DeviceRef("", "", key, gateway_name), radio, rest or "", decoded)
        return decoded


def _device(found: dict[str, Any], behind: DeviceRef, radio: str, rest: str, decoded: Decoded) -> None:
    address = said(found, "id", "mac") or (_with_colons(rest) if MAC.fullmatch(rest) else rest)
    uuid = said(found, "uuid")
    is_beacon = bool(uuid) and said(found, "model_id") == "IBEACON"
    who = uuid if is_beacon else address or f"{behind.gateway_identifier}/{radio}"
    plain = who.replace(":", "").upper() if MAC.fullmatch(who) else who
    device = behind._replace(key=f"{behind.gateway_key}#{plain}", identifier=who)
    for key, value in found.items():
        if key in NO_READINGS or (key in CODES and radio not in MEASURED) or _is_second(key, found):
            continue
        beside = found.get("unit" if key == "weight" else f"{key}u")  # `"sum": 21.3, "sumu": "kWh"`
        unit = spelled(beside) if isinstance(beside, str) else _unit(key)
        if key == "pres" and found.get("type") == "TIRE":
            unit = "bar"
        for path, leaf in each(value, key):
            add(decoded, device, path, leaf, unit=unit, is_switch=True)
    names = {"rssi": "rssi", "snr": "snr", "model": "model", "brand": "manufacturer", "mfr": "manufacturer",
             "name": "name", "serial": "serial"}  # fmt: skip
    facts = facts_from(found, names) | ({"mac": address} if MAC.fullmatch(address) else {})
    decoded.facts.append(DecodedFacts(device, facts))


def _unit(key: str) -> str:
    return UNITS.get(key) or UNITS.get(key.partition("_")[0].rstrip("0123456789")) or meaning(key).unit


def _is_second(key: str, found: dict[str, Any]) -> bool:
    """Whether it is no value of its own: `tempf2` beside `tempc2`, `lvl_in` beside `lvl_cm`, `sumu` beside `sum`."""
    if key.endswith("u") and key[:-1] in found and isinstance(found[key], str):
        return True  # the unit of its neighbour
    return (key.startswith("tempf") and key.replace("f", "c", 1) in found) or (key == "lvl_in" and "lvl_cm" in found)


def _with_colons(address: str) -> str:
    plain = address.replace(":", "")
    return ":".join(plain[at : at + 2] for at in range(0, 12, 2))


DECODER = OpenMqttGatewayDecoder()
