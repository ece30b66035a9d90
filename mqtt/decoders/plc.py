"""Gateways of controllers, known by their envelope on any topic: Neuron (EMQX), Kepware; and the UMH namespace."""

import re
from collections.abc import Iterator
from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import Part, objects, text
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DeviceRef

NEURON_TOPIC = re.compile(r"(/?neuron/[^/]+)(?:/.*)?", re.DOTALL)
UMH_TOPIC = re.compile(r"(umh/v1/(.+?))/(_[^/]+)(?:/(.+))?", re.DOTALL)
NO_READINGS = frozenset(("_analytics",))
"""Work orders and products, not measurements."""


class NeuronDecoder:
    """Groups of tags of a node; a tag in error has a code in place of its value."""

    name = "neuron"
    marks = frozenset(("node", "states", "uuid"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the topic is free."""
        return True

    def claims(self, content: Content) -> bool:
        """By the names of the envelope; requests and their answers too, to have them left alone."""
        found = content.object
        if found is None:
            return False
        if "node" in found and "group" in found:
            return "values" in found or "tags" in found or "uuid" in found
        return ("states" in found or "uuid" in found) and NEURON_TOPIC.fullmatch(content.topic) is not None

    def decode(self, content: Content) -> Decoded:
        """Readings named `<group>.<tag>`; the driver's link as availability."""
        decoded = Decoded(self.name)
        found = content.object or {}
        for one in objects(found.get("states")):
            if node := text(one, "node"):
                said = Availability.ONLINE if one.get("link") else Availability.OFFLINE
                decoded.availability.append(DecodedAvailability(_node(content, node), said))
        node, group = text(found, "node"), text(found, "group")
        is_request = "uuid" in found and (node or "tags" not in found)
        if is_request or not (node or "tags" in found):
            return decoded
        # Who was asked for these tags stands in the request, and not in the answer.
        part = Part(_node(content, node) if node else _gateway(content), content)
        for name, value in _tags(found):
            part.value(value, f"{group}.{name}" if group else name, meaning(name), 1)
        part.into(decoded, content.time(found.get("timestamp")))
        return decoded


def _gateway(content: Content) -> DeviceRef:
    match = NEURON_TOPIC.fullmatch(content.topic)
    return DeviceRef(match[1], match[1].rpartition("/")[2]) if match else place(content.topic).device


def _node(content: Content, node: str) -> DeviceRef:
    match = NEURON_TOPIC.fullmatch(content.topic)
    return DeviceRef(f"{match[1] if match else content.topic}#{node}", node[:NAME_LENGTH])


def _tags(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    values = found.get("values")
    if isinstance(values, dict):
        yield from values.items()
    for tag in objects(found.get("tags")):
        name = text(tag, "name")
        if name and not tag.get("error") and "value" in tag:
            yield name, tag["value"]


class KepwareDecoder:
    """The standard form `{timestamp, values: [{id, v, q, t}]}`, and an array of `{tagname, timestamp, value}`."""

    name = "kepware"
    marks = frozenset(("values", "tagname"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the topic is free."""
        return True

    def claims(self, content: Content) -> bool:
        """By the names in the first tag."""
        return next(_kepware_tags(content), None) is not None

    def decode(self, content: Content) -> Decoded:
        """Channel and device are the first two parts of a tag's name; what is of bad quality is left out."""
        decoded = Decoded(self.name)
        parts: dict[DeviceRef, Part] = {}
        for name, value, time, is_good in _kepware_tags(content):
            if not is_good:
                continue
            device, tag = _kepware_split(name, content.topic)
            part = parts.setdefault(device, Part(device, content))
            before = len(part.readings)
            part.value(value, tag, meaning(tag.rpartition(".")[2]), 1)
            for reading in part.readings[before:]:
                reading.time_us = reading.time_us or content.time(time)
        for part in parts.values():
            part.into(decoded)
        if len(decoded.readings) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        return decoded


def _kepware_tags(content: Content) -> Iterator[tuple[str, Any, Any, bool]]:
    """(name, value, time, whether it is good)."""
    first = content.message.payload[:1]
    if first not in (b"[", b"{"):
        return
    try:
        found = content.document
    except UndecodableError:
        return
    if isinstance(found, list):
        for tag in objects(found):
            if "value" not in tag or not (name := text(tag, "tagname")):
                return
            yield name, tag["value"], tag.get("timestamp"), tag.get("quality", True) not in (False, 0, "Bad")
    elif isinstance(found, dict) and isinstance(found.get("values"), list):
        for tag in objects(found["values"]):
            if "v" not in tag or not (name := text(tag, "id")):
                return
            yield name, tag["v"], tag.get("t", found.get("timestamp")), tag.get("q") is not False


def _kepware_split(name: str, topic: str) -> tuple[DeviceRef, str]:
    levels = name.split(".")
    if len(levels) == 1:
        return place(topic).device, name
    count = 2 if len(levels) > 2 else 1
    device = ".".join(levels[:count])[:NAME_LENGTH]
    return DeviceRef(f"{topic}#{device}", device), ".".join(levels[count:])


class UmhDecoder:
    """The unified namespace of United Manufacturing Hub: `umh/v1/<place>/_<contract>/<tag>`."""

    name = "umh"

    def knows_topic(self, topic: str) -> bool:
        """A level that begins with an underscore parts the place from the tag."""
        return UMH_TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """JSON objects."""
        return content.object is not None

    def decode(self, content: Content) -> Decoded:
        """The tag's path is the reading's name; other keys than `value` stand behind it."""
        decoded = Decoded(self.name)
        match = UMH_TOPIC.fullmatch(content.topic)
        found = content.object or {}
        if match is None or match[3] in NO_READINGS:
            return decoded
        key, path, _, tag = match.groups()
        part = Part(DeviceRef(key, clean(path)[:NAME_LENGTH]), content)
        name = ".".join(level for level in (tag or "").split("/") if level)
        for field, value in found.items():
            if field not in ("timestamp_ms", "timestamp"):
                full = name if name and field == "value" else f"{name}.{field}".strip(".")
                part.value(value, full or field, meaning(full.rpartition(".")[2]), 1)
        part.into(decoded, content.time(found.get("timestamp_ms", found.get("timestamp"))))
        return decoded


NEURON_DECODER = NeuronDecoder()
KEPWARE_DECODER = KepwareDecoder()
UMH_DECODER = UmhDecoder()
