"""Late and offline: what a silence means, and what a lost gateway takes with it. One rule used everywhere.

Fixed for now, without learned intervals: nothing heard for 15 minutes is late, for a day is offline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from mqtt.enums import LINK_UP, Availability, NodeKind
from mqtt.events import MAX_IDS, AvailabilityChanged
from mqtt.models import DataloggerState, GatewayState, MqttConnection, SensorState
from mqtt.services.broadcast import broadcast_event

LATE_AFTER = timedelta(minutes=15)
OFFLINE_AFTER = timedelta(hours=24)

STATES: dict[str, Any] = {
    NodeKind.GATEWAY: GatewayState,
    NodeKind.DATALOGGER: DataloggerState,
    NodeKind.SENSOR: SensorState,
}
_NAMES = {NodeKind.GATEWAY: "identifier", NodeKind.DATALOGGER: "identifier", NodeKind.SENSOR: "name"}
_TABLES = {
    NodeKind.GATEWAY: "mqtt_gateway",
    NodeKind.DATALOGGER: "mqtt_datalogger",
    NodeKind.SENSOR: "mqtt_sensordevice",
}
_FIELDS = {NodeKind.GATEWAY: "gateways", NodeKind.DATALOGGER: "dataloggers", NodeKind.SENSOR: "sensors"}


@dataclass
class Changes:
    """Which devices changed, by connection, to be announced after the commit."""

    events: dict[int, AvailabilityChanged] = field(default_factory=dict)

    def add(self, kind: str, connection_id: int, pk: int) -> None:
        """Note one device."""
        event = self.events.get(connection_id)
        if event is None:
            event = self.events[connection_id] = AvailabilityChanged(connection_id=connection_id)
        ids: list[int] = getattr(event, _FIELDS[NodeKind(kind)])
        if len(ids) < MAX_IDS:
            ids.append(pk)
        else:
            event.more = True

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


def sweep(now: datetime | None = None) -> Changes:
    """Mark what has been silent too long, on connections whose link has been up as long."""
    now = now or timezone.now()
    changes = Changes()
    for after, to, before in (
        (OFFLINE_AFTER, Availability.OFFLINE, ("online", "late")),
        (LATE_AFTER, Availability.LATE, ("online",)),
    ):
        # Nothing can be heard while the link is down, and a device needs its time to speak after that.
        linked = MqttConnection.objects.filter(
            is_enabled=True, status__in=LINK_UP, lease__expires_at__gt=now, last_connected_at__lt=now - after
        )
        ids = list(linked.values_list("pk", flat=True))
        if ids:
            _sweep_silent(ids, now, now - after, to, before, changes)
    changes.announce()
    return changes


def _sweep_silent(
    ids: Sequence[int], now: datetime, cutoff: datetime, to: str, before: Sequence[str], changes: Changes
) -> None:
    connections, states = ", ".join(["%s"] * len(ids)), ", ".join(["%s"] * len(before))
    condition = (
        f"device.connection_id IN ({connections}) AND state.availability IN ({states}) AND state.last_seen_at < %s"
    )
    params = [*ids, *before, connection.ops.adapt_datetimefield_value(cutoff)]
    for kind in STATES:
        with transaction.atomic():
            _turn(kind, condition, params, to, now, "device_silent", changes)


def _turn(
    kind: str, condition: str, params: Sequence[Any], to: str, at: datetime, reason: str, changes: Changes
) -> None:
    """Change the availability of all devices under a condition and record each change."""
    key = NodeKind(kind)
    table, name = _TABLES[key], _NAMES[key]
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
