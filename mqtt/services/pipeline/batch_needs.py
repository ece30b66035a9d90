"""What a batch names and the directory does not know yet, or has not looked at for long: read or made at once."""

from typing import Any

from mqtt.enums import NodeKind
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DecodedReading, DeviceRef, InboundMessage, Moved
from mqtt.rhythm import LATE_LEAST
from mqtt.services.pipeline.availability import STATES
from mqtt.services.pipeline.device_directory import DeviceDirectory
from mqtt.services.pipeline.device_entries import DataloggerEntry, NodeEntry
from mqtt.services.pipeline.device_takeover import take_over

RECHECK_US = int(LATE_LEAST * 1_000_000) - 20_000_000
"""Whoever was silent this long may have been marked late meanwhile, by whichever process sweeps."""


class BatchNeeds:
    """Collects with `want` what `resolve` then puts into the directory."""

    def __init__(self, directory: DeviceDirectory) -> None:
        self._directory = directory
        self._wanted: list[tuple[int, Decoded]] = []
        self._missing: list[tuple[int, DecodedReading]] = []
        self._gateways: dict[tuple[int, str], str] = {}
        self._named: set[tuple[int, str]] = set()
        self._moved: list[tuple[int, Moved]] = []
        self._announced: dict[tuple[int, str], DeviceRef] = {}
        self._doubtful: dict[str, dict[int, Any]] = {}

    def want(self, message: InboundMessage, decoded: Decoded) -> None:
        """Note what of a message is not in the directory yet, or long unheard of."""
        connection_id = message.connection_id
        self._wanted.append((connection_id, decoded))
        dataloggers = self._directory.dataloggers
        last_key = ""
        entry: DataloggerEntry | None = None
        missing = len(self._missing)
        for reading in decoded.readings:
            key = reading.device.key
            if key != last_key or entry is None:
                last_key, entry = key, dataloggers.get((connection_id, key))
                if entry is not None:
                    self._want_known(message, entry, reading.device)
            if entry is None:
                self._missing.append((connection_id, reading))
                continue
            sensor = entry.sensors.get(reading.name)
            if sensor is None or (reading.device.gateway_key and entry.gateway is None):
                self._missing.append((connection_id, reading))
            elif message.received_us - sensor.checked_us > RECHECK_US:
                self._doubtful.setdefault(NodeKind.SENSOR, {})[sensor.id] = sensor
        if decoded.moved and len(self._missing) > missing:
            self._moved += [(connection_id, one) for one in decoded.moved]
        for said in decoded.availability:
            self._want_node(message, said)
        for facts in decoded.facts:
            self._want_node(message, facts)

    def _want_known(self, message: InboundMessage, entry: DataloggerEntry, device: DeviceRef) -> None:
        """A device that is known, and the gateway that brought the message: several may hear the same radio."""
        gateway = entry.gateway
        if self._is_doubtful(entry, message):
            self._doubt(entry)
            if gateway is not None:
                self._doubt(gateway)
        if gateway is not None and device.gateway_key not in {"", gateway.key}:
            place = (message.connection_id, device.gateway_key)
            if place not in self._directory.gateways:
                self._gateways[place] = device.gateway_identifier or device.gateway_key

    def _want_node(self, message: InboundMessage, said: DecodedAvailability | DecodedFacts) -> None:
        key = (message.connection_id, said.device.key)
        node = self._directory.node(message.connection_id, said)
        if node is not None:
            if message.received_us - node.checked_us > RECHECK_US:
                self._doubt(node)
        elif said.is_gateway:
            self._gateways[key] = said.device.identifier or said.device.key
        elif said.announces:
            self._announced[key] = said.device
        else:
            self._named.add(key)

    @staticmethod
    def _is_doubtful(entry: DataloggerEntry, message: InboundMessage) -> bool:
        since = entry.checked_us if entry.gateway is None else min(entry.checked_us, entry.gateway.checked_us)
        return message.received_us - since > RECHECK_US

    def _doubt(self, node: NodeEntry) -> None:
        self._doubtful.setdefault(node.kind, {})[node.id] = node

    def resolve(self, now_us: int) -> None:
        """Load or make what is missing and read again what is in doubt."""
        directory = self._directory
        if self._moved:
            take_over(directory, self._moved, now_us)
            self._missing = [(pk, reading) for pk, decoded in self._wanted for reading in decoded.readings]
        if self._gateways:
            directory.ensure_gateways(self._gateways, now_us)
        if self._missing or self._announced:
            directory.ensure(self._missing, self._announced, now_us)
        if self._named:
            directory.load_dataloggers(self._named, now_us)
        for kind, entries in self._doubtful.items():
            states = STATES[kind].objects.filter(pk__in=list(entries)).values_list("pk", "availability")
            for pk, availability in states:
                entries[pk].availability = availability
                entries[pk].checked_us = now_us
