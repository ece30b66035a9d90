"""OPC UA over MQTT: PubSub's JSON (part 14 of the standard) and what OPC Publisher writes for one node.

A writer is a device and its publisher the gateway; a value may stand alone or with its source time and status.
"""

from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import Part, objects, said, text
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DeviceRef

GOOD = 0x40000000
"""Status codes from here on are uncertain or bad."""


class OpcUaDecoder:
    """Data set messages, and samples of single nodes."""

    name = "opcua"
    marks = frozenset(("Messages", "DataSetWriterId", "NodeId"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the topic is free."""
        return True

    def claims(self, content: Content) -> bool:
        """A list of data set messages, one of them, or a node with its value."""
        found = content.object
        if found is not None and self.marks.isdisjoint(found):
            return False
        return any(_is_data_set(one) or _is_sample(one) for one in _messages(content)[:1])

    def decode(self, content: Content) -> Decoded:
        """Readings by the names of the fields; of a node by its name."""
        decoded = Decoded(self.name)
        whole = content.object or {}
        publisher = said(whole, "PublisherId")
        for one in _messages(content):
            if _is_sample(one):
                part = Part(_sampled(content, one), content)
                _field(part, _name(one), one["Value"], one.get("Timestamp"), content)
                part.into(decoded)
            elif _is_data_set(one):
                part = Part(_written(content, publisher, one), content)
                for name, value in one["Payload"].items():
                    _field(part, name, value, one.get("Timestamp"), content)
                part.into(decoded)
            if len(decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
        return decoded


def _messages(content: Content) -> list[dict[str, Any]]:
    try:
        document = content.document
    except UndecodableError:
        return []
    if isinstance(document, dict):
        listed = document.get("Messages")
        document = listed if isinstance(listed, list | dict) else document
    return objects(document if isinstance(document, list) else [document])


def _is_data_set(one: dict[str, Any]) -> bool:
    return isinstance(one.get("Payload"), dict) and ("DataSetWriterId" in one or "DataSetWriterName" in one)


def _is_sample(one: dict[str, Any]) -> bool:
    return isinstance(one.get("NodeId"), str) and "Value" in one


def _written(content: Content, publisher: str, one: dict[str, Any]) -> DeviceRef:
    writer = said(one, "DataSetWriterName", "DataSetWriterId")
    device = DeviceRef(f"{content.topic}#{writer}", writer)
    return device._replace(gateway_key=f"opcua#{publisher}", gateway_identifier=publisher) if publisher else device


def _sampled(content: Content, one: dict[str, Any]) -> DeviceRef:
    server = said(one, "ApplicationUri", "EndpointUrl")
    return DeviceRef(f"{content.topic}#{server}", server) if server else place(content.topic).device


def _name(one: dict[str, Any]) -> str:
    """The display name, else what stands last in the node's id: `ns=2;s=Line1.Temp` is Line1.Temp."""
    return said(one, "DisplayName") or clean(text(one, "NodeId").rpartition("=")[2])[:NAME_LENGTH]


def _field(part: Part, name: str, value: Any, time: Any, content: Content) -> None:
    if isinstance(value, dict) and "Value" in value:
        code = value.get("StatusCode", 0)
        code = code.get("Code", 0) if isinstance(code, dict) else code
        if isinstance(code, int) and code >= GOOD:
            return
        time = value.get("SourceTimestamp") or time
        value = value["Value"]
    first = len(part.readings)
    part.value(value, clean(name), meaning(name.rpartition(".")[2]), 1)
    for one in part.readings[first:]:
        one.time_us = one.time_us or content.time(time)


DECODER = OpcUaDecoder()
