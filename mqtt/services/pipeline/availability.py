"""Changes of availability: recorded, announced, and what a lost gateway takes with it. Silence: see `silence`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from mqtt.enums import Availability, NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.models import DataloggerState, GatewayState, SensorState
from mqtt.services.broadcast import broadcast_event

STATES: dict[str, Any] = {
    NodeKind.GATEWAY: GatewayState,
    NodeKind.DATALOGGER: DataloggerState,
    NodeKind.SENSOR: SensorState,
}
NAMES = {NodeKind.GATEWAY: "identifier", NodeKind.DATALOGGER: "identifier", NodeKind.SENSOR: "name"}
TABLES = {
    NodeKind.GATEWAY: "mqtt_gateway",
    NodeKind.DATALOGGER: "mqtt_datalogger",
    NodeKind.SENSOR: "mqtt_sensordevice",
}


@dataclass
class Changes:
    """Which devices changed, by connection, to be announced after the commit."""

    events: dict[int, AvailabilityChanged] = field(default_factory=dict)

    def add(self, kind: str, connection_id: int, pk: int) -> None:
        """Note one device."""
        event = self.events.get(connection_id)
        if event is None:
            event = self.events[connection_id] = AvailabilityChanged(connection_id=connection_id)
        event.add(kind, [pk])

    def announce(self) -> None:
        """One event a connection."""
        for event in self.events.values():
            broadcast_event(event)


def take_behind_offline(kind: str, ids: Sequence[int], at: datetime, changes: Changes) -> None:
    """A gateway or datalogger went offline: so is everything behind it. Runs in the caller's transaction."""
    marks = ", ".join(["%s"] * len(ids))
    if kind == NodeKind.GATEWAY:
        inner = f"SELECT id FROM mqtt_datalogger WHERE gateway_id IN ({marks})"  # noqa: S608 - only marks inside
        behind = {
            NodeKind.DATALOGGER: f"device.gateway_id IN ({marks})",
            NodeKind.SENSOR: f"device.datalogger_id IN ({inner})",
        }
    else:
        behind = {NodeKind.SENSOR: f"device.datalogger_id IN ({marks})"}
    for below, condition in behind.items():
        open_ones = f"{condition} AND state.availability <> 'offline'"
        _turn(below, open_ones, list(ids), Availability.OFFLINE, at, f"{kind}_offline", changes)


def _turn(
    kind: str, condition: str, params: Sequence[Any], to: str, at: datetime, reason: str, changes: Changes
) -> None:
    """Change the availability of all devices under a condition and record each change."""
    key = NodeKind(kind)
    table, name = TABLES[key], NAMES[key]
    states, link = f"mqtt_{key.value}state", f"{key.value}_id"
    source = f"FROM {table} device JOIN {states} state ON state.{link} = device.id WHERE {condition}"
    moment = connection.ops.adapt_datetimefield_value(at)
    empty = "'{}'::jsonb" if connection.vendor == "postgresql" else "'{}'"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT device.id, device.connection_id {source}", params)
        found: Iterable[tuple[int, int]] = cursor.fetchall()
        if not found:
            return
        for pk, connection_id in found:
            changes.add(key, connection_id, pk)
        cursor.execute(
            f"""INSERT INTO mqtt_statuschange
            (kind, object_id, connection_id, label, from_status, to_status, at, reason, context)
            SELECT %s, device.id, device.connection_id,
                CASE WHEN device.label = '' THEN device.{name} ELSE device.label END,
                state.availability, %s, {"%s::timestamptz" if connection.vendor == "postgresql" else "%s"}, %s, {empty}
            {source}""",
            [key.value, to, moment, reason, *params],
        )
        cursor.execute(
            f"UPDATE {states} SET availability = %s, availability_since = %s "  # noqa: S608 - values are parameters
            f"WHERE {link} IN (SELECT device.id {source})",
            [to, moment, *params],
        )
