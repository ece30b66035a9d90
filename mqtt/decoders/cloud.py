"""Topics of the large clouds, as their devices and bridges write them: AWS IoT shadows and presence, Azure IoT Hub."""

import re
from typing import Any
from urllib.parse import parse_qsl

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import member, objects, take_object
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.scalars import scalar
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedReading, DeviceRef

SHADOW = re.compile(
    r"\$aws/things/([^/]+)/shadow(?:/name/([^/]+))?/(update|get|delete)(?:/(accepted|rejected|delta|documents))?",
    re.DOTALL,
)
PRESENCE = re.compile(r"\$aws/events/presence/(connected|disconnected)/(.+)", re.DOTALL)
AZURE = re.compile(r"(devices/([^/]+)(?:/modules/([^/]+))?)/messages/(events|devicebound)/?(.*)", re.DOTALL)
AZURE_TWIN = re.compile(r"(\$iothub/twin)/PATCH/properties/reported/?.*", re.DOTALL)


class ShadowDecoder:
    """What a thing reports in its shadow; what is desired of it is no reading."""

    name = "aws-shadow"

    def knows_topic(self, topic: str) -> bool:
        """Shadows, classic and named, and presence."""
        return SHADOW.fullmatch(topic) is not None or PRESENCE.fullmatch(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """Readings at the times of the metadata, and presence."""
        decoded = Decoded(self.name)
        if presence := PRESENCE.fullmatch(content.topic):
            said = Availability.ONLINE if presence[1] == "connected" else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(_thing(presence[2]), said))
            return decoded
        match = SHADOW.fullmatch(content.topic)
        if match is None or content.is_empty:
            return decoded
        thing, shadow, what, outcome = match.groups()
        if outcome in ("rejected", "delta") or what == "delete" or (what == "get" and outcome is None):
            return decoded
        found = content.document
        if outcome == "documents":
            found = member(found, "current")
        device = _thing(thing, shadow or "")
        time = member(found, "timestamp") or member(content.document, "timestamp")
        readings = take_object(
            member(found, "state", "reported"), device, content, decoded, None if time is None else content.time(time)
        )
        metadata = member(found, "metadata", "reported")
        for reading in readings if metadata else ():
            moment = content.time(_stamp(metadata, reading.name))
            reading.time_us = moment or reading.time_us
        return decoded


def _thing(name: str, shadow: str = "") -> DeviceRef:
    key = f"$aws/things/{name}"
    return DeviceRef(f"{key}#{shadow}" if shadow else key, clean(name)[:NAME_LENGTH])


def _stamp(metadata: Any, name: str) -> Any:
    """When a value was reported: the metadata mirrors the state."""
    found = metadata
    for key in name.split("."):
        if isinstance(found, list):
            found = found[int(key)] if key.isdecimal() and int(key) < len(found) else None
        else:
            found = member(found, key)
    return member(found, "timestamp")


class AzureDecoder:
    """Device-to-cloud messages and reported properties."""

    name = "azure"

    def knows_topic(self, topic: str) -> bool:
        """`devices/<id>/messages/events/…` and the twin."""
        return AZURE.fullmatch(topic) is not None or topic.startswith("$iothub/")

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """Readings; the time may stand among the properties at the end of the topic."""
        decoded = Decoded(self.name)
        match = AZURE.fullmatch(content.topic)
        if match is None:
            twin = AZURE_TWIN.fullmatch(content.topic)
            if twin and (found := content.object):
                values = {key: value for key, value in found.items() if not key.startswith("$")}
                take_object(values, DeviceRef(twin[1], twin[1]), content, decoded)
            return decoded
        key, name, module, direction, properties = match.groups()
        if direction == "devicebound":
            return decoded
        device = DeviceRef(key, clean(f"{name}/{module}" if module else name)[:NAME_LENGTH])
        said = dict(parse_qsl(properties, max_num_fields=50)) if properties.count("&") < 50 else {}
        created = said.get("iothub-creation-time-utc")
        time_us = content.time(created) if created else None
        if not content.is_structure:
            number, word = scalar(content.text)
            decoded.readings.append(DecodedReading(device, "value", number, word, time_us=time_us))
            return decoded
        found = content.document
        for one in objects(found if isinstance(found, list) else [found]):
            take_object(one, device, content, decoded, time_us)
            if len(decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
        if not decoded.readings and not decoded.facts:
            raise UndecodableError("no_values")
        return decoded


SHADOW_DECODER = ShadowDecoder()
AZURE_DECODER = AzureDecoder()
