"""AWS IoT Core for LoRaWAN, on whatever topic the rule republishes to: it is known by its keys."""

from mqtt.decoders.base import Content
from mqtt.decoders.gather import first_moment, member, take_object, text, told
from mqtt.decoders.lorawan.uplink import behind, best, give_units, heard, receptions
from mqtt.decoders.places import NAME_LENGTH, place
from mqtt.messages import Decoded, DeviceRef


class AwsLorawanDecoder:
    """Uplinks; the frame itself stays opaque unless a rule decoded it."""

    name = "aws-lorawan"
    marks = frozenset(("WirelessMetadata",))

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """By the names of the envelope."""
        found = content.object
        return found is not None and "WirelessMetadata" in found and "WirelessDeviceId" in found

    def decode(self, content: Content) -> Decoded:
        """Facts, the best gateway, and what a rule decoded."""
        decoded = Decoded(self.name)
        found = content.object or {}
        radio = member(found, "WirelessMetadata", "LoRaWAN")
        eui = (text(radio, "DevEui") or text(found, "WirelessDeviceId"))[:NAME_LENGTH]
        reception = best(receptions(member(radio, "Gateways"), gateway=(("GatewayEui",),), rssi="Rssi", snr="Snr"))
        device = DeviceRef(f"{content.topic}#{eui}", eui or place(content.topic).device.identifier)
        device = behind(device, reception.gateway if reception else "", "aws-lorawan#")
        time_us = first_moment(content, member(radio, "Timestamp"))
        for name in ("DecodedPayload", "transformed_payload", "PayloadDecoded"):
            give_units(take_object(found.get(name), device, content, decoded, time_us))
        facts = told(
            id=text(found, "WirelessDeviceId"),
            rssi=reception.rssi if reception else None,
            snr=reception.snr if reception else None,
        )
        heard(decoded, device, facts)
        return decoded


DECODER = AwsLorawanDecoder()
