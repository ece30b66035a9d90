"""ChirpStack v4 (JSON, protobuf) and v3 (JSON), and gateways that write the older JSON to any topic (Milesight, …).

`application/<id>/device/<devEUI>/event/<type>`, in old versions `…/device/<devEUI>/rx`. The `object` is what the
codec made of the frame. Gateways speak of themselves on `gateway/<id>/event|state/…`.
"""

import base64
import binascii
import re
from functools import lru_cache
from typing import Any

import orjson

from mqtt.decoders.base import Content
from mqtt.decoders.gather import Part, first_moment, member, take_object, text, told
from mqtt.decoders.lorawan.uplink import Reception, behind, best, give_units, heard, managed, receptions
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(r"((?:.+/)?application/[^/]+/(?:device|node)/([^/]+))/(?:(?:event|command)/)?([a-z]+)", re.DOTALL)
GATEWAY_TOPIC = re.compile(r"(?:.+/)?gateway/([0-9a-fA-F]{16})/(event|state|command)/([a-z]+)", re.DOTALL)
COMMAND = re.compile("/(?:command/)?(?:down|tx|config|exec)$")
ENVELOPES = frozenset(("deviceInfo", "devEUI", "gatewayId", "gatewayID"))
GATEWAY_EVENTS = frozenset(("conn", "stats"))
UPLINKS = frozenset(("up", "rx"))
SILENT = frozenset(("ack", "txack", "log", "error"))
"""Events of downlinks and errors: who the device is, and nothing measured."""
ENVELOPE = words(
    """applicationID applicationName devEUI deviceID deviceName deviceProfileID deviceProfileName data dr adr fCnt fPort
    rxInfo txInfo tags metadata confirmedUplink devAddr gatewaySN gatewayTime time object objectJSON joinEUI
    deduplicationId cellularIP deviceEUI"""
)
UPLINK_KEYS = frozenset(("data", "object", "objectJSON", "rxInfo", "fPort"))
NOTICE_KEYS = frozenset(("status", "acknowledged", "error"))
"""What a gateway tells of a device where it forwards no frame of it."""
PRESENCE = {"online": Availability.ONLINE, "offline": Availability.OFFLINE}
MEASURED_INFO = {"voltage": "V", "temp": "°C", "charge": "", "signal": ""}
"""Of a LoRa Cloud modem's information: the rest is bookkeeping."""
GATEWAYS = (("gatewayId",), ("gatewayID",), ("mac",))
BASE64_EUI = 12
"""Characters of an EUI in base64."""
MAINS, UNKNOWN = 0, 255
"""Battery levels of the LoRaWAN device status; between them 1 is empty and 254 full."""


class ChirpStackDecoder:
    """Events of devices, by topic."""

    name = "chirpstack"

    def knows_topic(self, topic: str) -> bool:
        """The topics of devices and of gateways."""
        return TOPIC.fullmatch(topic) is not None or GATEWAY_TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """The envelope of either version, protobuf, and all that gateways say; commands to have them left alone."""
        found = content.object
        if found is None:
            return not content.is_structure and not content.is_empty
        return not ENVELOPES.isdisjoint(found) or COMMAND.search(content.topic) is not None

    def decode(self, content: Content) -> Decoded:
        """Readings, facts and the best gateway."""
        decoded = Decoded(self.name)
        levels, last, is_command = _levels(content.topic)
        if is_command or (levels is None and last not in GATEWAY_EVENTS):
            return decoded
        found = content.object
        if found is None:
            from mqtt.decoders.lorawan.chirpstack_protobuf import document  # 3 MB that few have a use for

            found = document(last, content.message.payload)
        if found is None:
            return decoded
        if levels is None:
            _gateway(found, content, decoded)
            return decoded
        key, from_topic, what = levels
        info = found.get("deviceInfo")
        eui = _eui(text(info, "devEui") or text(found, "devEUI")) or clean(from_topic)
        device = DeviceRef(key, eui[:NAME_LENGTH])
        reception = best(_receptions(found))
        facts = told(
            name=member(info, "deviceName") or found.get("deviceName"),
            model=member(info, "deviceProfileName") or found.get("deviceProfileName"),
            rssi=reception.rssi if reception else None,
            snr=reception.snr if reception else None,
        )
        if what in SILENT:
            decoded.facts.append(managed(device, facts, announces=False))
            return decoded
        device = behind(device, reception.gateway if reception and what in UPLINKS else "", "gateway/")
        time_us = first_moment(
            content, found.get("time"), reception.time if reception else None, found.get("publishedAt")
        )
        _event(found, what, device, content, decoded, time_us)
        if (level := battery(found.get("deviceStatusBattery"))) is not None:
            facts["battery"] = level
        heard(decoded, device, facts)
        return decoded


@lru_cache(maxsize=20_000)
def _levels(topic: str) -> tuple[tuple[str, str, str] | None, str, bool]:
    """(key, device, event) of a device's topic, the last level, and whether it is a command."""
    match = TOPIC.fullmatch(topic)
    levels = (match[1], match[2], match[3]) if match else None
    return levels, topic.rpartition("/")[2], COMMAND.search(topic) is not None


def _event(
    found: dict[str, Any], what: str, device: DeviceRef, content: Content, decoded: Decoded, time_us: int | None
) -> None:
    part = Part(device, content)
    if what in UPLINKS:
        if isinstance(measured := _object(found), dict):
            part.object(measured, "", 1)
    elif what == "location":
        part.value(_position(found.get("location")), "location", meaning("location"), 1)
    elif what == "integration":
        _integration(found, part)
    for name in ("margin", "deviceStatusMargin"):
        if isinstance(found.get(name), int | float):
            part.value(found[name], name, meaning(name)._replace(unit="dB", kind="signal"), 1)
    if not found.get("batteryLevelUnavailable") and isinstance(found.get("batteryLevel"), int | float):
        part.value(found["batteryLevel"], "batteryLevel", meaning("batteryLevel")._replace(unit="%"), 1)
    give_units(part.into(decoded, time_us))


def _integration(found: dict[str, Any], part: Part) -> None:
    """What a service found out; of a modem's information only what is measured."""
    info = member(found, "object", "info_fields")
    if isinstance(info, dict):
        for name, unit in MEASURED_INFO.items():
            value = member(info, name, "value")
            if isinstance(value, int | float):
                part.value(value, f"object.info_fields.{name}.value", meaning(name)._replace(unit=unit), 1)
    elif isinstance(found.get("object"), dict):
        part.object(found["object"], "object.", 1)


def _position(found: Any) -> dict[str, Any]:
    """Latitude, longitude, altitude; 0/0/0 means that nobody knows."""
    if not isinstance(found, dict) or not any(found.get(key) for key in ("latitude", "longitude")):
        return {}
    return {key: found[key] for key in ("latitude", "longitude", "altitude") if key in found}


def _gateway(found: dict[str, Any], content: Content, decoded: Decoded) -> None:
    """The state of a gateway's own link, and that it sends statistics; the frames it hears are not for us."""
    match = GATEWAY_TOPIC.fullmatch(content.topic)
    if match is None:
        return
    gateway, branch, what = match.groups()
    ref = DeviceRef(f"gateway/{gateway}", gateway)
    if branch == "state" and what == "conn":
        is_online = text(found, "state").upper() == "ONLINE"
        said = Availability.ONLINE if is_online else Availability.OFFLINE
        decoded.availability.append(DecodedAvailability(ref, said, is_gateway=True))
    elif branch == "event" and what == "stats":
        decoded.availability.append(DecodedAvailability(ref, Availability.ONLINE, is_gateway=True))
        if facts := told(ip=found.get("ip"), configuration=found.get("configVersion")):
            decoded.facts.append(DecodedFacts(ref, facts, is_gateway=True))


class GatewayJsonDecoder:
    """The older JSON on a topic of the user's choice: it is known by its keys. Codec values may stand beside them."""

    name = "lorawan-gateway"
    marks = frozenset(("devEUI", "deviceEUI"))

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """A devEUI with something that only LoRaWAN servers write."""
        found = content.object
        if found is None or self.marks.isdisjoint(found):
            return False
        return "rxInfo" in found or "fPort" in found or "gatewaySN" in found or "gatewayTime" in found

    def decode(self, content: Content) -> Decoded:
        """Readings, facts and the best gateway."""
        decoded = Decoded(self.name)
        found = content.object or {}
        eui = _eui(text(found, "devEUI") or text(found, "deviceEUI"))[:NAME_LENGTH]
        reception = best(_receptions(found))
        key = content.topic if eui in content.topic else f"{content.topic}#{eui}"
        device = DeviceRef(key, eui or place(content.topic).device.identifier)
        gateway = text(found, "gatewaySN")[:NAME_LENGTH] or (reception.gateway if reception else "")
        device = behind(device, gateway, "gateway/")
        time_us = first_moment(
            content, reception.time if reception else None, found.get("time"), found.get("gatewayTime")
        )
        if UPLINK_KEYS.isdisjoint(found) and not NOTICE_KEYS.isdisjoint(found):
            if (said := PRESENCE.get(text(found, "status").lower())) is not None:
                decoded.availability.append(DecodedAvailability(device, said))
            decoded.facts.append(managed(device, told(name=found.get("deviceName"))))
            return decoded
        rest = {name: value for name, value in found.items() if name not in ENVELOPE}
        give_units(take_object(rest, device, content, decoded, time_us))
        part, data = Part(device, content), found.get("data")
        if isinstance(measured := _object(found) or data, dict):
            part.object(measured, "", 1)
        elif isinstance(data, list):  # a codec's rows, each at its own time
            part.array(data, "", meaning("data"), 1)
        give_units(part.into(decoded, time_us))
        facts = told(
            name=found.get("deviceName"),
            rssi=reception.rssi if reception else None,
            snr=reception.snr if reception else None,
        )
        heard(decoded, device, facts)
        return decoded


def battery(level: Any) -> float | None:
    """The LoRaWAN battery level in %; None on mains, when unknown, and for nonsense."""
    if not isinstance(level, int) or not MAINS < level < UNKNOWN:
        return None
    return round((level - 1) / 253 * 100, 1)


def _receptions(found: dict[str, Any]) -> list[Reception]:
    v4 = "deviceInfo" in found
    heard_by = receptions(found.get("rxInfo"), gateway=GATEWAYS, snr="snr" if v4 else "loRaSNR")
    return [one if len(one.gateway) != BASE64_EUI else one._replace(gateway=_eui(one.gateway)) for one in heard_by]


def _object(found: dict[str, Any]) -> Any:
    """What the codec made; the protobuf JSON of version 3 writes it as a text."""
    as_text = found.get("objectJSON")
    if isinstance(as_text, str):
        try:
            return orjson.loads(as_text)
        except orjson.JSONDecodeError:
            return None
    return found.get("object")


def _eui(said: str) -> str:
    """An EUI as hex; the protobuf JSON of version 3 writes it in base64."""
    if len(said) == BASE64_EUI and said.endswith("="):
        try:
            return base64.b64decode(said, validate=True).hex()
        except binascii.Error:
            return said
    return said


DECODER = ChirpStackDecoder()
GATEWAY_DECODER = GatewayJsonDecoder()
