"""What one batch means for the database: pure bookkeeping between the decoders and the store."""

from collections import defaultdict

from mqtt.buckets import HOUR, floor
from mqtt.enums import Availability, ReadingFlag
from mqtt.gaps import BACKLOG_US
from mqtt.messages import DecodedReading, InboundMessage
from mqtt.models.device import LABEL_LENGTH
from mqtt.services.pipeline.device_entries import DataloggerEntry, GatewayEntry, NodeEntry, SensorEntry
from mqtt.services.pipeline.reading_store import NodeStateRow, ReadingRows, SensorStateRow

Latest = tuple[int | None, float | None, str | None, int]
WRITE_EVERY_US = 1_000_000
"""A node's last-seen time is written at most once a second."""
AHEAD_US = 60_000_000
"""How far a clock may go ahead of ours before its times stop to count as the newest; see the states' SQL."""
NEAR_US = 3_600_000_000
"""So far behind a sensor's newest reading another one is rolled up in the same go."""
ONLINE = Availability.ONLINE
OFFLINE = Availability.OFFLINE

OWN_TIME, RETAINED, UNCERTAIN, LATE = (
    ReadingFlag.OWN_TIME,
    ReadingFlag.RETAINED,
    ReadingFlag.UNCERTAIN,
    ReadingFlag.LATE,
)


class BatchPlan:
    """Collects readings and availability in arrival order; then says what to write."""

    def __init__(self) -> None:
        self.rows = ReadingRows()
        self.latest: dict[SensorEntry, Latest] = {}
        self.seen: dict[SensorEntry, int] = {}
        self.node_seen: dict[NodeEntry, int] = {}
        self.turns: dict[NodeEntry, list[tuple[int, str, str]]] = {}
        """Each node's availability changes in this batch: (at, availability, reason)."""
        self.units: dict[SensorEntry, tuple[str, str]] = {}
        self.labels: dict[SensorEntry, str] = {}
        """How sensors without a label were announced."""
        self.last_messages: dict[int, InboundMessage] = {}
        """The last live message of each connection."""
        self.uncertain: set[int] = set()
        """Connections with messages that may have waited in the broker: when they came tells no rhythm."""
        self.behind: dict[SensorEntry | NodeEntry, int] = {}
        """Who sent only what is old by its own time, and how old (µs)."""
        self.unrolled: dict[SensorEntry, int] = {}
        """Since when each sensor has numbers that the rollups do not hold."""
        self.hours: set[tuple[int, int]] = set()
        """Hours long before a sensor's newest that have to be rolled up again: (sensor, seconds since 1970)."""

    def reading(self, message: InboundMessage, reading: DecodedReading, sensor: SensorEntry) -> None:
        """Take one reading of a resolved sensor."""
        received = message.received_us
        own = reading.time_us
        flags = 0
        if message.retain:
            flags = RETAINED
            if own is None:
                if sensor.time_us is None and sensor not in self.latest:
                    self.latest[sensor] = (None, reading.value, reading.text, RETAINED)
                return
        elif not message.kept_id:
            self.seen[sensor] = received
        if own is None:
            time = received
            if message.queued:
                flags |= UNCERTAIN
        else:
            time = own
            flags |= OWN_TIME
            if received - own > BACKLOG_US or self.behind:
                self._note_age(sensor, received - own)
        known = self.latest.get(sensor)
        newest = known[0] if known else sensor.time_us
        # Adding zero makes -0.0 the same value as 0.0.
        value = None if reading.value is None else reading.value + 0.0
        # A newest time in the future came from a wrong clock and must not freeze the current value.
        if newest is not None and time < newest <= received + AHEAD_US:
            flags |= LATE
        else:
            self.latest[sensor] = (time, value, reading.text, flags)
        self._note_unrolled(sensor, time, value, newest)
        rows = self.rows
        rows.sensors.append(sensor.id)
        rows.times.append(time)
        rows.received.append(received)
        rows.values.append(value)
        rows.texts.append(reading.text)
        rows.flags.append(flags)
        if reading.unit and (not sensor.unit or reading.guessed_unit == sensor.unit != reading.unit):
            self.units[sensor] = (reading.unit[:40], sensor.kind or reading.kind[:40])

    def named(self, reading: DecodedReading, sensor: SensorEntry) -> None:
        """Take how a reading's sensor was announced, where it has no label."""
        if not sensor.is_labelled:
            self.labels[sensor] = reading.label[:LABEL_LENGTH]

    def live(self, message: InboundMessage) -> None:
        """A message came just now."""
        self.last_messages[message.connection_id] = message
        if message.queued or message.dup:
            self.uncertain.add(message.connection_id)

    def heard(self, datalogger: DataloggerEntry, gateway: GatewayEntry | None, at_us: int, own_us: int | None) -> None:
        """A live message came from a datalogger, perhaps through a gateway; `own_us` is its own time."""
        self.node_heard(datalogger, at_us)
        if gateway is not None:
            self.node_heard(gateway, at_us)
        if own_us is not None and (at_us - own_us > BACKLOG_US or self.behind):
            self._note_age(datalogger, at_us - own_us)
            if gateway is not None:
                self._note_age(gateway, at_us - own_us)

    def _note_age(self, entry: SensorEntry | NodeEntry, age_us: int) -> None:
        """Remember who sent something old; whoever sends something new in the same batch is forgotten again."""
        if age_us > BACKLOG_US:
            self.behind[entry] = age_us
        else:
            self.behind.pop(entry, None)

    def node_heard(self, node: NodeEntry, at_us: int) -> None:
        """A live message proves that a node is there."""
        self.node_seen[node] = at_us
        if node.availability != ONLINE or node in self.turns:
            self.turn(node, ONLINE, at_us, "heard")

    def turn(self, node: NodeEntry, availability: str, at_us: int, reason: str) -> None:
        """A node's availability is said or shown."""
        turns = self.turns.setdefault(node, [])
        if (turns[-1][1] if turns else node.availability) != availability:
            turns.append((at_us, availability, reason))

    def _note_unrolled(self, sensor: SensorEntry, time: int, value: float | None, newest: int | None) -> None:
        """What comes near the newest is rolled up with it; what lies far behind, hour by hour. Texts are not."""
        if value is None:
            return
        if newest is None or time >= newest or (newest - time < NEAR_US and sensor in self.seen):
            known = self.unrolled.get(sensor)
            if known is None or time < known:
                self.unrolled[sensor] = time
        else:
            self.hours.add((sensor.id, floor(time // 1_000_000, HOUR)))

    def sensor_states(self) -> tuple[list[SensorStateRow], list[tuple[int, int, str, int, int, int | None]]]:
        """Rows for new latest values, and for sensors that sent only older readings."""
        states = []
        for sensor, (time, value, text, flags) in self.latest.items():
            seen = self.seen.get(sensor)
            availability = sensor.availability or Availability.UNKNOWN if seen is None else ONLINE
            unrolled = self.unrolled.get(sensor)
            states.append(SensorStateRow(sensor.id, value, text, time, flags, availability, seen, seen, unrolled))
        older = [
            (sensor.id, 0, ONLINE.value, seen, seen, self.unrolled.get(sensor))
            for sensor, seen in self.seen.items()
            if sensor not in self.latest
        ]
        return states, older

    def returned_sensors(self) -> list[tuple[SensorEntry, int]]:
        """Sensors that were late or offline and sent something now."""
        return [(sensor, at) for sensor, at in self.seen.items() if sensor.availability not in ("", ONLINE)]

    def node_states(self) -> dict[str, dict[NodeEntry, NodeStateRow]]:
        """What to write for gateways and dataloggers: changes at once, mere presence once a second."""
        rows: dict[str, dict[NodeEntry, NodeStateRow]] = defaultdict(dict)
        for node, at in self.node_seen.items():
            if not self.turns.get(node) and not 0 <= at - node.written_us < WRITE_EVERY_US:
                rows[node.kind][node] = NodeStateRow(node.id, node.availability, at, at)
        for node, turns in self.turns.items():
            if turns:
                at, availability, _ = turns[-1]
                rows[node.kind][node] = NodeStateRow(node.id, availability, at, self.node_seen.get(node))
        return rows

    def went_offline(self) -> list[tuple[NodeEntry, int]]:
        """Nodes that end this batch offline, having been something else."""
        return [(node, turns[-1][0]) for node, turns in self.turns.items() if turns and turns[-1][1] == OFFLINE]

    def clock_offsets(self) -> dict[int, int]:
        """How far each datalogger's own time is ahead of the receipt (µs), where the message cannot have waited."""
        offsets = {}
        for sensor, (time, _value, _text, flags) in self.latest.items():
            seen = self.seen.get(sensor)
            if flags == OWN_TIME and time and seen and sensor.connection_id not in self.uncertain:
                offsets[sensor.datalogger_id] = time - seen
        return offsets

    def apply(self) -> None:
        """After the commit: bring the directory's entries up to what the database now says."""
        for sensor, (time, *_) in self.latest.items():
            if time is not None:
                sensor.time_us = time
        for sensor, at in self.seen.items():
            sensor.availability = ONLINE
            sensor.checked_us = at
        for sensor, (unit, kind) in self.units.items():
            sensor.unit, sensor.kind = unit, kind
        for sensor, label in self.labels.items():
            sensor.label, sensor.is_labelled = label, True
        for node, turns in self.turns.items():
            if turns:
                node.availability = turns[-1][1]
        for node, at in self.node_seen.items():
            node.checked_us = at
