"""ThingsBoard: `v1/gateway/…`, where a device's name is a key, and `v1/devices/me/…`, where only the login knows it."""

import re
from collections.abc import Iterator
from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import Part, objects, text, told
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.walk import MAX_FACTS
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(r"((?:.+/)?v1/(?:gateway|devices/me)|(?:.+/)?v2)/(.+)", re.DOTALL)
SHORT = {"t": "telemetry", "a": "attributes"}
"""Version 2 of the device API shortens its topics."""
MOST_DEVICES = 2000


class ThingsBoardDecoder:
    """Telemetry, attributes, and the coming and going of devices behind a gateway."""

    name = "thingsboard"

    def knows_topic(self, topic: str) -> bool:
        """The topics of the gateway and the device API."""
        match = TOPIC.fullmatch(topic)
        return match is not None and (not match[1].endswith("v2") or match[2] in SHORT)

    def claims(self, content: Content) -> bool:
        """JSON, and everything else that goes over these topics."""
        return content.is_structure

    def decode(self, content: Content) -> Decoded:
        """Readings, attributes as facts, availability."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        if match is None:
            return decoded
        prefix, what = match.groups()
        what = SHORT.get(what, what)
        found = content.document
        if prefix.endswith("gateway"):
            _gateway(prefix, what, found, content, decoded)
        else:
            own = DeviceRef(prefix, clean(prefix)[:NAME_LENGTH])
            if what == "telemetry":
                _telemetry(found, own, content, decoded)
            elif what == "attributes":
                _attributes(found, own, decoded)
        return decoded


def _gateway(prefix: str, what: str, found: Any, content: Content, decoded: Decoded) -> None:
    if not isinstance(found, dict):
        return
    if what in ("connect", "disconnect"):
        if name := text(found, "device"):
            said = Availability.ONLINE if what == "connect" else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(_ref(prefix, name), said, announces=True))
    elif what == "telemetry" or (what == "attributes" and not {"device", "data"} <= found.keys()):
        for name, said_of in list(found.items())[:MOST_DEVICES]:
            device = _ref(prefix, name)
            if what == "telemetry":
                _telemetry(said_of, device, content, decoded)
            else:
                _attributes(said_of, device, decoded)


def _ref(prefix: str, name: str) -> DeviceRef:
    name = clean(name)[:NAME_LENGTH] or "?"
    return DeviceRef(f"{prefix}#{name}", name)


def _telemetry(found: Any, device: DeviceRef, content: Content, decoded: Decoded) -> None:
    """`{k: v}`, `{ts, values}`, or an array of these."""
    for values, time in _entries(found):
        part = Part(device, content)
        for key, value in values.items():
            part.value(value, key, meaning(key), 1)
        part.into(decoded, None if time is None else content.time(time))
        if len(decoded.readings) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)


def _entries(found: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    for one in objects(found if isinstance(found, list) else [found]):
        values = one.get("values")
        if isinstance(values, dict):
            yield values, one.get("ts")
        else:
            yield one, None


def _attributes(found: Any, device: DeviceRef, decoded: Decoded) -> None:
    if isinstance(found, dict):
        named = {clean(meaning(key).of or key)[:80]: value for key, value in list(found.items())[:MAX_FACTS]}
        if facts := told(**named):
            decoded.facts.append(DecodedFacts(device, facts))


DECODER = ThingsBoardDecoder()
