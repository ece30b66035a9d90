"""One batch inside its transaction: plan what is resolved, write it. Applied to the directory after the commit."""

from collections import defaultdict
from typing import Any

from mqtt.enums import Availability, NodeKind
from mqtt.events import ReadingsStored
from mqtt.messages import (
    CLOCK_FACT,
    Decoded,
    DecodedAvailability,
    DecodedFacts,
    DeviceRef,
    InboundMessage,
)
from mqtt.models import MAX_KEY_BYTES, MOST_OF_CONNECTION, NEW_AN_HOUR, SensorDevice, StatusChange, from_us
from mqtt.services.pipeline.availability import Changes, take_behind_offline
from mqtt.services.pipeline.batch_plan import BatchPlan
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.device_directory import DeviceDirectory
from mqtt.services.pipeline.device_entries import DataloggerEntry, GatewayEntry, NodeEntry, SensorEntry
from mqtt.services.pipeline.facts import FactsWriter
from mqtt.services.pipeline.reading_store import (
    NodeStateRow,
    insert_readings,
    mark_hours,
    write_node_states,
    write_sensor_states,
    write_sensors_seen,
)
from mqtt.services.pipeline.rhythms import RhythmKeeper


class BatchStore:
    """Collects with `take`; stores with `write`; settles with `apply`."""

    def __init__(self, directory: DeviceDirectory, rhythms: RhythmKeeper) -> None:
        self.changes = Changes()
        self.too_long: list[tuple[InboundMessage, int]] = []
        self.beyond: list[InboundMessage] = []
        """Messages with something new for which the connection has no room."""
        self._directory = directory
        self._rhythms = rhythms
        self._plan = BatchPlan()
        self._facts = FactsWriter()
        self._wrong: dict[int, int] = {}
        self._states: dict[str, dict[NodeEntry, NodeStateRow]] = {}

    def _relay(self, connection_id: int, entry: DataloggerEntry, device: DeviceRef) -> GatewayEntry | None:
        """The gateway that brought a message."""
        if entry.gateway is None or device.gateway_key in {"", entry.gateway.key}:
            return entry.gateway
        return self._directory.gateways.get((connection_id, device.gateway_key))

    def take(self, message: InboundMessage, decoded: Decoded) -> None:
        """Plan a resolved message."""
        connection_id = message.connection_id
        dataloggers = self._directory.dataloggers
        plan = self._plan
        is_live = not message.retain and not message.kept_id
        if is_live:
            plan.live(message)
        last_key: str | None = None
        entry: DataloggerEntry | None = None
        for reading in decoded.readings:
            key = reading.device.key
            if key != last_key:
                last_key, entry = key, dataloggers.get((connection_id, key))
                if entry is not None and is_live:
                    relay = self._relay(connection_id, entry, reading.device)
                    plan.heard(entry, relay, message.received_us, decoded.readings[-1].time_us)
            sensor = entry.sensors.get(reading.name) if entry is not None else None
            if sensor is None:
                self._leave_out(message, f"{key}#{reading.name}")
            else:
                plan.reading(message, reading, sensor)
                if reading.label:
                    plan.named(reading, sensor)
        for said in () if message.kept_id else decoded.availability:
            self._take_availability(message, said)
        for facts in decoded.facts:
            self._take_facts(message, facts)
        if decoded.readings:
            self._take_clock(message, decoded)

    def _take_facts(self, message: InboundMessage, said: DecodedFacts) -> None:
        node = self._directory.node(message.connection_id, said)
        if node is not None:
            name = said.device.identifier if said.announces else ""
            self._facts.take(node, said.facts, message.received_us, name, said.called)

    def _take_clock(self, message: InboundMessage, decoded: Decoded) -> None:
        """Note on the first device that its clock is wrong, or right again."""
        node = self._directory.dataloggers.get((message.connection_id, decoded.readings[0].device.key))
        if node is None or message.retain or message.kept_id:
            return
        if decoded.wrong_clock_us is not None:
            off = decoded.wrong_clock_us - message.received_us
            self._facts.take(node, {CLOCK_FACT: off // 1_000_000}, message.received_us)
            if not (message.queued or message.dup):
                self._wrong[node.id] = off
        elif CLOCK_FACT in node.facts and decoded.readings[0].time_us is not None:
            self._facts.take(node, {CLOCK_FACT: None}, message.received_us)

    def left_out(self) -> list[tuple[InboundMessage, tuple[str, dict[str, Any]]]]:
        """The messages of which something is not stored, each with the reason and its facts."""
        found: list[tuple[InboundMessage, tuple[str, dict[str, Any]]]] = [
            (message, ("topic_too_long", {"size": size, "limit": MAX_KEY_BYTES})) for message, size in self.too_long
        ]
        for message in self.beyond:
            is_crowded = message.connection_id in self._directory.crowded
            why = ("too_many_new", NEW_AN_HOUR) if is_crowded else ("too_many_devices", MOST_OF_CONNECTION)
            found.append((message, (why[0], {"limit": why[1]})))
        return found

    def _leave_out(self, message: InboundMessage, key: str) -> None:
        size = len(key.encode())
        if size > MAX_KEY_BYTES:
            self.too_long.append((message, size))
        elif not self.beyond or self.beyond[-1] is not message:
            self.beyond.append(message)

    def _take_availability(self, message: InboundMessage, said: DecodedAvailability) -> None:
        node = self._directory.node(message.connection_id, said)
        nodes = [] if node is None else [node]
        if not (said.is_gateway or said.alone or "#" in said.device.key):
            nodes += self._below(message, said)
        for one in nodes:
            self._plan.turn(one, said.availability.value, message.received_us, "said")
            if not message.retain and said.availability is Availability.ONLINE:
                self._plan.node_heard(one, message.received_us)

    def _below(self, message: InboundMessage, said: DecodedAvailability) -> list[DataloggerEntry]:
        """Whom else a prefix speaks for: it takes all below it down, and brings back what is next to it."""
        entries = self._directory.below(message.connection_id, said.device.key, message.received_us)
        if said.availability is Availability.ONLINE:
            entries = [entry for entry in entries if "/" not in entry.key[len(said.device.key) + 1 :]]
        return entries

    def write(self, writes: Writes, *, keeps_history: bool = True) -> None:
        """All that was planned; `writes` counts how many readings are new. On a full disk all but the history."""
        plan = self._plan
        if keeps_history and len(plan.rows):
            insert_readings(writes, plan.rows)
        states, older = plan.sensor_states()
        write_sensor_states(writes, states)
        write_sensors_seen(writes, older)
        mark_hours(writes, plan.hours)
        self._states = plan.node_states()
        for kind, rows in self._states.items():
            write_node_states(writes, kind, list(rows.values()))
        writes.run()
        self._record_changes()
        gone: dict[tuple[NodeKind, int], list[int]] = defaultdict(list)
        for node, at in plan.went_offline():
            gone[node.kind, at].append(node.id)
        for (kind, at), ids in gone.items():
            take_behind_offline(kind, ids, from_us(at), self.changes)
        for sensor, (unit, kind) in plan.units.items():
            # Where nothing or our own guess stands: a person may have written one of them since we read the row.
            SensorDevice.objects.filter(pk=sensor.id, unit__in={"", sensor.unit}).update(unit=unit)
            SensorDevice.objects.filter(pk=sensor.id, kind="").update(kind=kind)
        for sensor, label in plan.labels.items():
            SensorDevice.objects.filter(pk=sensor.id, label="").update(label=label)
        self._facts.write()

    def _record_changes(self) -> None:
        rows = []
        for node, turns in self._plan.turns.items():
            before = node.availability
            for at, availability, reason in turns:
                if before:
                    rows.append(_change(node, before, availability, at, reason))
                before = availability
            if turns:
                self.changes.add(node.kind, node.connection_id, node.id)
        for sensor, at in self._plan.returned_sensors():
            rows.append(_change(sensor, sensor.availability, "online", at, "heard"))
            self.changes.add(NodeKind.SENSOR, sensor.connection_id, sensor.id)
        if rows:
            StatusChange.objects.bulk_create(rows)

    def apply(self) -> None:
        """After the commit."""
        self._plan.apply()
        for rows in self._states.values():
            for node, row in rows.items():
                node.written_us = row.seen or row.since
        self._facts.apply()
        self._rhythms.learn(self._plan)
        self._rhythms.said(self._facts.intervals)
        gone = {node for node, _ in self._plan.went_offline()}
        if gone:
            for entry in self._directory.dataloggers.values():
                if entry in gone or entry.gateway in gone:
                    entry.availability = "offline"
                    for sensor in entry.sensors.values():
                        sensor.availability = "offline"

    def clock_offsets(self) -> dict[int, int]:
        """What the batch says of this computer's clock: {datalogger: its own time less the receipt} (µs)."""
        return self._plan.clock_offsets() | self._wrong

    def describe(self, event: ReadingsStored) -> None:
        """Name the rows of one connection that changed."""
        pk = event.connection_id
        event.add("sensor", [sensor.id for sensor in self._plan.latest if sensor.connection_id == pk])
        for kind in (NodeKind.DATALOGGER, NodeKind.GATEWAY):
            event.add(kind, [node.id for node in self._states.get(kind, ()) if node.connection_id == pk])


def _change(node: NodeEntry | SensorEntry, before: str, after: str, at_us: int, reason: str) -> StatusChange:
    kind = NodeKind.SENSOR if isinstance(node, SensorEntry) else node.kind
    return StatusChange(
        kind=kind,
        object_id=node.id,
        connection_id=node.connection_id,
        label=node.label[:250],
        from_status=before,
        to_status=after,
        at=from_us(at_us),
        reason=reason,
    )
