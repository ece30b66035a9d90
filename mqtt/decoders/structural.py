"""Gateways of structural monitoring: `<site>/gateway/<n>/…`, gateway > datalogger > sensors in one message.

What the payload calls a device (serial_number_device) measures and is Vedetta's datalogger; the payload's own
"datalogger" is the collecting unit inside the gateway and is kept as a fact.
"""

import re
from itertools import islice
from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import MEMBERS, objects, said, told
from mqtt.decoders.places import NAME_LENGTH
from mqtt.decoders.units import spelled
from mqtt.decoders.walk import Walk
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(
    r"((?:.+/)?([^/]+)/gateway/([^/]+))/(status|heartbeat|datalogger/all/status|dataloggers/telemetry)", re.DOTALL
)
COMMANDS = re.compile(r"(?:.+/)?datalogger/[^/]+/[^/]+/input", re.DOTALL)
RUNNING = frozenset(("running", "online", "ok", "active"))
AXES = {"accelerometer": ("x", "y", "z"), "inclinometer": ("pitch", "roll")}


class StructuralDecoder:
    """Telemetry and status of structural-monitoring gateways."""

    name = "structural"

    def knows_topic(self, topic: str) -> bool:
        """`<site>/gateway/<n>/dataloggers/telemetry` and its siblings; `…/datalogger/<type>/<n>/input` are commands."""
        return TOPIC.fullmatch(topic) is not None or COMMANDS.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """JSON objects; bare words there are ordinary availability."""
        return content.is_structure and isinstance(content.document, dict)

    def decode(self, content: Content) -> Decoded:
        """Readings, availability and facts of the gateway and what is behind it."""
        match = TOPIC.fullmatch(content.topic)
        if match is None and COMMANDS.fullmatch(content.topic):
            return Decoded(self.name)
        document = content.document
        if match is None or not isinstance(document, dict):
            raise UndecodableError("no_values")
        key, site, number, what = match.groups()
        serial = said(document, "serial_number_gateway", "serial_number") or f"{site}-gateway_{number}"
        message = _Telemetry(self.name, key, serial[:NAME_LENGTH], content)
        if what == "dataloggers/telemetry":
            message.telemetry(document)
        elif what == "datalogger/all/status":
            message.listed(document)
        else:
            message.gateway(document)
        return message.decoded


class _Telemetry:
    def __init__(self, decoder: str, key: str, serial: str, content: Content) -> None:
        self.decoded = Decoded(decoder)
        self._gateway = DeviceRef(key, serial)
        self._content = content
        self._interval: dict[str, Any] = {}
        """The seconds from one telemetry message to the next, as a fact; it is that of everything in the message."""

    def gateway(self, document: dict[str, Any]) -> None:
        """The gateway's own status: its last will says offline, everything else that it is there."""
        status = said(document, "status", "state").lower()
        availability = Availability.OFFLINE if status in {"offline", "lost", "stopped"} else Availability.ONLINE
        self.decoded.availability.append(DecodedAvailability(self._gateway, availability, is_gateway=True))
        facts = {
            means.of: value
            for name, value in islice(document.items(), MEMBERS)
            if (means := meaning(name)).of and isinstance(value, str | int | float) and means.of != "serial"
        }
        if facts:
            self.decoded.facts.append(DecodedFacts(self._gateway, facts, is_gateway=True))

    def listed(self, document: dict[str, Any]) -> None:
        """The collecting units that the gateway lists."""
        for unit in objects(document.get("dataloggers")):
            serial = said(unit, "serial_number", "serial_number_datalogger")
            if serial:
                self._say(self._ref(serial), said(unit, "status", "status_datalogger"))

    def telemetry(self, document: dict[str, Any]) -> None:
        """All values of all devices, at the message's time."""
        time_us = self._content.time(document.get("timestamp"))
        interval = document.get("message_interval_seconds")
        if isinstance(interval, int | float):
            self._interval = {"interval": interval}
            self.decoded.facts.append(DecodedFacts(self._gateway, self._interval, is_gateway=True))
        for unit in objects(document.get("dataloggers")):
            for device in objects(unit.get("devices")):
                serial = said(device, "serial_number_device", "serial number device", "serial_number")
                if serial:
                    self._device(device, serial, unit, time_us)
        if not self.decoded.readings and not self.decoded.availability:
            raise UndecodableError("no_values")

    def _device(self, device: dict[str, Any], serial: str, unit: dict[str, Any], time_us: int | None) -> None:
        ref = self._ref(serial)
        walk = Walk(ref, self._content)
        taken: dict[str, int] = {}
        for entry in objects(device.get("data")):
            kind = said(entry, "type")[:100]
            if kind:
                # Two sensors of one type on one device keep apart by their order.
                taken[kind] = taken.get(kind, 0) + 1
                self._value(walk, entry, kind if taken[kind] == 1 else f"{kind}_{taken[kind]}", kind)
        for reading in walk.readings:
            reading.time_us = reading.time_us or time_us
        self.decoded.readings += walk.readings
        if len(self.decoded.readings) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        status = said(unit, "status_datalogger")
        facts = told(
            model=said(device, "type"),
            datalogger=said(unit, "serial_number_datalogger"),
            datalogger_status=status,
        )
        self.decoded.facts.append(DecodedFacts(ref, facts | self._interval))
        self._say(ref, status)

    @staticmethod
    def _value(walk: Walk, entry: dict[str, Any], name: str, kind: str) -> None:
        means = meaning(kind)
        if unit := said(entry, "unit", "units"):
            means = means._replace(unit=spelled(unit) or means.unit)
        value = entry.get("value")
        if not isinstance(value, list):
            walk.value(value, name, means, 1)
            return
        axes = AXES.get(kind, ())
        for index, single in enumerate(value[:MEMBERS]):
            walk.value(single, f"{name}.{axes[index] if index < len(axes) else index}", means, 2)

    def _ref(self, serial: str) -> DeviceRef:
        key, identifier, *_ = self._gateway
        return DeviceRef(f"{key}#{serial}", serial, key, identifier)

    def _say(self, device: DeviceRef, status: str) -> None:
        if status:
            availability = Availability.ONLINE if status.lower() in RUNNING else Availability.OFFLINE
            self.decoded.availability.append(DecodedAvailability(device, availability))


DECODER = StructuralDecoder()
