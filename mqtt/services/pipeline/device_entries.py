"""Devices as the pipeline knows them between batches: what a batch needs, and nothing else."""

from collections.abc import Sequence
from typing import Any

from mqtt.enums import NodeKind
from mqtt.gaps import Gaps
from mqtt.models import to_us


class Node:
    """A gateway or datalogger as the pipeline knows it."""

    __slots__ = (
        "availability",
        "checked_us",
        "connection_id",
        "facts",
        "facts_us",
        "gaps",
        "id",
        "identifier",
        "key",
        "label",
        "site_id",
        "written_us",
    )

    def __init__(self, connection_id: int, row: Sequence[Any], now_us: int) -> None:
        self.connection_id = connection_id
        self.id, self.key, self.site_id = row[0], row[1], row[4]
        self.identifier: str = row[2]
        self.label: str = row[3] or row[2]
        self.facts: dict[str, Any] = row[5]
        self.availability: str = row[6] or ""
        """Empty: nothing is known yet."""
        self.checked_us = now_us
        """When `availability` was last known to be what the database says."""
        self.written_us = 0
        self.facts_us = 0
        self.gaps: Gaps | None = None


class GatewayEntry(Node):
    """A gateway."""

    __slots__ = ()
    kind = NodeKind.GATEWAY


class DataloggerEntry(Node):
    """A datalogger with the sensors that were met."""

    __slots__ = ("gateway", "sensors")
    kind = NodeKind.DATALOGGER

    def __init__(self, connection_id: int, row: Sequence[Any], now_us: int) -> None:
        super().__init__(connection_id, row, now_us)
        self.gateway: GatewayEntry | None = None
        self.sensors: dict[str, SensorEntry] = {}


NodeEntry = GatewayEntry | DataloggerEntry


class SensorEntry:
    """A sensor and the time of its latest value."""

    __slots__ = (
        "availability",
        "checked_us",
        "connection_id",
        "datalogger_id",
        "gaps",
        "id",
        "is_labelled",
        "kind",
        "label",
        "time_us",
        "unit",
    )

    def __init__(self, connection_id: int, datalogger_id: int, row: Sequence[Any], now_us: int) -> None:
        self.connection_id = connection_id
        self.datalogger_id = datalogger_id
        self.id = row[0]
        self.label: str = row[3] or row[2]
        self.is_labelled = bool(row[3])
        self.unit: str = row[4]
        self.kind: str = row[5]
        self.availability: str = row[6] or ""
        self.time_us: int | None = to_us(row[7]) if row[7] else None
        self.checked_us = now_us
        self.gaps: Gaps | None = None


NODE_FIELDS = ("id", "key", "identifier", "label", "site_id", "facts", "state__availability")
SENSOR_FIELDS = ("id", "key", "name", "label", "unit", "kind", "state__availability", "state__time")
