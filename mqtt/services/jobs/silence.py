"""Late and offline by silence: the one rule of `mqtt.rhythm`, held against when each device was last heard.

Time in which our link was down is no silence of a device: after a real interruption everybody gets the whole time anew,
after a short one an hour at most, so that a link that drops every day does not keep the dead alive.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from mqtt.enums import LINK_UP, Availability, NodeKind
from mqtt.models import MqttConnection, StatusChange
from mqtt.rhythm import (
    LATE_INTERVALS,
    LATE_LEAST,
    OFFLINE_INTERVALS,
    OFFLINE_LEAST,
    UNKNOWN_LATE,
    UNKNOWN_OFFLINE,
)
from mqtt.services.pipeline.availability import NAMES, STATES, TABLES, Changes, take_behind_offline

SHORT = timedelta(minutes=10)
"""An interruption of our link up to which the silence before it still counts."""
PATIENCE = 3600.0
"""Seconds that a device gets after a short interruption, if its own time is longer."""
LOOK_BACK = timedelta(days=60)
MOST_CHANGES = 200
AT_ONCE = 1000
MOST_STEPS = 500

_RULES = (
    (Availability.OFFLINE, ("online", "late"), OFFLINE_INTERVALS, OFFLINE_LEAST, UNKNOWN_OFFLINE),
    (Availability.LATE, ("online",), LATE_INTERVALS, LATE_LEAST, UNKNOWN_LATE),
)
_DIALECTS = {
    "sqlite": {
        "greater": "MAX",
        "less": "MIN",
        "before": "datetime(%s, '-' || ({seconds}) || ' seconds')",
        "silence": "(julianday(%s) - julianday(state.last_seen_at)) * 86400",
        "moment": "%s",
        "lock": "",
    },
    "postgresql": {
        "greater": "GREATEST",
        "less": "LEAST",
        "before": "%s::timestamptz - ({seconds}) * interval '1 second'",
        "silence": "EXTRACT(EPOCH FROM %s::timestamptz - state.last_seen_at)",
        "moment": "%s::timestamptz",
        "lock": "FOR UPDATE OF state",
    },
}


@dataclass(frozen=True, slots=True)
class _Silent:
    """A device that was not heard for too long."""

    pk: int
    connection_id: int
    label: str
    availability: str
    seconds: float
    interval: float | None

    def change(self, kind: str, to: str, at: datetime) -> StatusChange:
        """For the record, with the facts that explain it."""
        facts: dict[str, float] = {"silence_seconds": round(self.seconds)}
        if self.interval is not None:
            facts["interval_seconds"] = round(self.interval, 1)
        reason = "device_silent" if self.interval is None else "device_silent_usually"
        return StatusChange(
            kind=kind,
            object_id=self.pk,
            connection_id=self.connection_id,
            label=self.label[:250],
            from_status=self.availability,
            to_status=to,
            at=at,
            reason=reason,
            context=facts,
        )


@dataclass
class SilenceSweep:
    """Looks for silent devices on connections whose link is up; remembers since when each link has been."""

    _since: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    """{connection: (last_connected_at, since when its link has been up but for short interruptions)}."""

    def run(self, now: datetime | None = None) -> Changes:
        """Mark what has been silent for longer than expected, and announce it."""
        now = now or timezone.now()
        changes = Changes()
        linked = self._linked(now)
        if linked:
            for rule in _RULES:
                for kind in STATES:
                    self._sweep(NodeKind(kind), rule, linked, now, changes)
        changes.announce()
        return changes

    def _linked(self, now: datetime) -> dict[int, datetime]:
        """The connections that can hear, each with since when."""
        rows = MqttConnection.objects.filter(
            is_enabled=True, status__in=LINK_UP, lease__expires_at__gt=now, last_connected_at__isnull=False
        ).values_list("pk", "last_connected_at")
        found = {}
        for pk, connected_at in rows:
            known = self._since.get(pk)
            if connected_at is not None and (known is None or known[0] != connected_at):
                known = (connected_at, _linked_since(pk, connected_at, now))
            if known is not None:
                found[pk] = known
        self._since = found
        return {pk: since for pk, (_, since) in found.items()}

    def _sweep(self, kind: NodeKind, rule: Any, linked: dict[int, datetime], now: datetime, changes: Changes) -> None:
        to, *_ = rule
        for _ in range(MOST_STEPS):
            with transaction.atomic():
                found = _find(kind, rule, linked, now)
                if not found:
                    return
                StatusChange.objects.bulk_create(one.change(kind, to, now) for one in found)
                ids = [one.pk for one in found]
                STATES[kind].objects.filter(pk__in=ids).update(availability=to, availability_since=now)
                for one in found:
                    changes.add(kind, one.connection_id, one.pk)
                if to == Availability.OFFLINE and kind != NodeKind.SENSOR:
                    take_behind_offline(kind, ids, now, changes)


def _find(kind: NodeKind, rule: Any, linked: dict[int, datetime], now: datetime) -> list[_Silent]:
    """Up to AT_ONCE devices that this rule turns, locked."""
    to, before, intervals, least, unknown = rule
    words = _DIALECTS[connection.vendor]
    moment = connection.ops.adapt_datetimefield_value
    learned = "late_after" if to == Availability.LATE else "offline_after"
    link = f"{kind.value}_id"
    patience = (
        f"CASE WHEN device.expected_interval IS NOT NULL "
        f"THEN {words['greater']}({intervals} * device.expected_interval, {least}) "
        f"WHEN rhythm.{link} IS NULL THEN {unknown} ELSE rhythm.{learned} END"
    )
    long_ago = words["before"].format(seconds=patience)
    short = words["before"].format(seconds=f"{words['less']}({patience}, {PATIENCE})")
    arms = " ".join(f"WHEN %s THEN {words['moment']}" for _ in linked)
    # The first condition on the time is cheap and leaves little for the others.
    query = f"""
        SELECT device.id, device.connection_id,
            CASE WHEN device.label = '' THEN device.{NAMES[kind]} ELSE device.label END,
            state.availability, {words["silence"]}, COALESCE(device.expected_interval, rhythm.interval)
        FROM mqtt_{kind.value}state state
        JOIN {TABLES[kind]} device ON device.id = state.{link}
        JOIN mqtt_mqttconnection link ON link.id = device.connection_id
        LEFT JOIN mqtt_{kind.value}rhythm rhythm ON rhythm.{link} = device.id
        WHERE state.availability IN ({", ".join(["%s"] * len(before))}) AND state.last_seen_at < %s
            AND state.last_seen_at < {long_ago} AND link.last_connected_at < {short}
            AND CASE link.id {arms} END < {long_ago}
        LIMIT {AT_ONCE} {words["lock"]}"""  # noqa: S608 - names and numbers of ours
    at = moment(now)
    whens = [value for pk, since in linked.items() for value in (pk, moment(since))]
    params = [at, *before, moment(now - timedelta(seconds=least)), at, at, *whens, at]
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [_Silent(*row) for row in cursor.fetchall()]


def _linked_since(pk: int, connected_at: datetime, now: datetime) -> datetime:
    """Since when a link has been up, but for interruptions that were short and have a record."""
    since = connected_at
    lost: datetime | None = None
    for change in _changes_of(pk, now):
        was_up, is_up = change.from_status in LINK_UP, change.to_status in LINK_UP
        if is_up and not was_up:
            if lost is not None:
                since = change.at
        elif was_up and not is_up:
            lost = change.at
            # Straight from up to connecting: the process that held it was gone, nobody knows since when.
            if change.to_status == "connecting" or since - change.at > SHORT:
                break
    return since


def _changes_of(pk: int, now: datetime) -> Iterator[StatusChange]:
    found = StatusChange.objects.filter(kind=NodeKind.CONNECTION, object_id=pk, at__gt=now - LOOK_BACK)
    yield from found[:MOST_CHANGES]
