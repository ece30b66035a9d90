"""The Things Stack v3, `v3/<app>[@<tenant>]/devices/<id>/…`, and The Things Network v2, `<app>/devices/<id>/up`."""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import first_moment, member, objects, take_object, text, told
from mqtt.decoders.lorawan.uplink import behind, best, give_units, heard, receptions
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

V3 = re.compile(r"(v3/[^/]+/devices/([^/]+))/(up|join|service/data|location/solved|up/normalized|down/.+)", re.DOTALL)
GATEWAYS = (("gateway_ids", "gateway_id"), ("gateway_ids", "eui"))
V2 = re.compile(r"((?:.+/)?[^/]+/devices/([^/]+))/(up|down|events/(?:activations|down/[a-z]+))", re.DOTALL)


class ThingsStackDecoder:
    """Uplinks, joins and solved locations; downlinks say nothing of the device."""

    name = "things-stack"

    def knows_topic(self, topic: str) -> bool:
        """`v3/<app>/devices/<device>/…`."""
        return V3.fullmatch(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """Readings are what the payload formatter made of the frame."""
        decoded = Decoded(self.name)
        match = V3.fullmatch(content.topic)
        found = content.document
        if match is None or not isinstance(found, dict):
            return decoded
        key, identifier, what = match.groups()
        device = DeviceRef(key, clean(identifier)[:NAME_LENGTH])
        if what == "up":
            _uplink(found, device, content, decoded)
        elif what == "join":
            decoded.facts.append(DecodedFacts(device, told(dev_eui=_eui(found)), announces=True))
        elif what == "location/solved":
            _location(found, device, content, decoded)
        return decoded


def _uplink(found: dict[str, Any], device: DeviceRef, content: Content, decoded: Decoded) -> None:
    uplink = found.get("uplink_message")
    uplink = uplink if isinstance(uplink, dict) else {}
    metadata = uplink.get("rx_metadata")
    reception = best(receptions(metadata, gateway=GATEWAYS))
    device = behind(device, reception.gateway if reception else "", "v3#")
    time_us = first_moment(
        content,
        reception.time if reception else None,
        member(uplink, "settings", "time"),
        uplink.get("received_at"),
        found.get("received_at"),
    )
    readings = take_object(uplink.get("decoded_payload"), device, content, decoded, time_us)
    normalized = [] if readings else objects(uplink.get("normalized_payload"))
    for measurement in normalized:
        give_units(take_object(measurement, device, content, decoded, time_us), normalized=True)
    give_units(readings)
    versions = uplink.get("version_ids")
    versions = versions if isinstance(versions, dict) else {}
    facts = told(
        dev_eui=_eui(found),
        rssi=reception.rssi if reception else None,
        snr=reception.snr if reception else None,
        manufacturer=versions.get("brand_id"),
        model=versions.get("model_id"),
        hardware=versions.get("hardware_version"),
        firmware=versions.get("firmware_version"),
        battery=member(uplink, "last_battery_percentage", "value"),
    )
    heard(decoded, device, facts)


def _location(found: dict[str, Any], device: DeviceRef, content: Content, decoded: Decoded) -> None:
    where = member(found, "location_solved", "location")
    if isinstance(where, dict):
        named = {key: value for key, value in where.items() if key in {"latitude", "longitude", "altitude"}}
        time_us = first_moment(content, found.get("received_at"))
        give_units(take_object({"location": named}, device, content, decoded, time_us))


def _eui(found: dict[str, Any]) -> str:
    return text(found, "end_device_ids", "dev_eui")


class ThingsNetworkDecoder:
    """Version 2, whose servers are gone but not all its relatives."""

    name = "ttn-v2"

    def knows_topic(self, topic: str) -> bool:
        """`<app>/devices/<device>/up`, `…/down` and `…/events/…`."""
        return V2.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """By the names of its envelope."""
        found = content.object
        if found is None:
            return False
        is_frame = "payload_raw" in found or "payload_fields" in found
        if content.topic.endswith("/up"):
            return is_frame and "dev_id" in found
        return is_frame or "message" in found or ("dev_eui" in found and "app_eui" in found)

    def decode(self, content: Content) -> Decoded:
        """Readings are the fields that the payload function made; what goes down says nothing of the device."""
        decoded = Decoded(self.name)
        match = V2.fullmatch(content.topic)
        found = content.object
        if match is None or found is None or "down" in match[3]:
            return decoded
        metadata = found.get("metadata")
        reception = best(receptions(member(metadata, "gateways"), gateway=(("gtw_id",),)))
        device = behind(
            DeviceRef(match[1], clean(match[2])[:NAME_LENGTH]), reception.gateway if reception else "", "ttn#"
        )
        time_us = first_moment(content, member(metadata, "time"), reception.time if reception else None)
        if match[3] == "up":
            give_units(take_object(found.get("payload_fields"), device, content, decoded, time_us))
        facts = told(
            dev_eui=text(found, "hardware_serial") or text(found, "dev_eui"),
            rssi=reception.rssi if reception else None,
            snr=reception.snr if reception else None,
        )
        heard(decoded, device, facts)
        return decoded


V3_DECODER = ThingsStackDecoder()
V2_DECODER = ThingsNetworkDecoder()
