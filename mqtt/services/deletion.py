"""Erasing what a deleted connection brought: in the mqtt process, in short transactions, going on where it stopped."""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from mqtt.buckets import LEVELS
from mqtt.enums import ConnectionStatus
from mqtt.models import (
    ConnectionLease,
    Datalogger,
    DataloggerRhythm,
    DataloggerState,
    DeviceAlias,
    DeviceAnnouncement,
    DiscoveredTopic,
    Gateway,
    GatewayRhythm,
    GatewayState,
    MqttConnection,
    Note,
    Reading,
    Rollup,
    RollupDue,
    SensorCorrection,
    SensorDevice,
    SensorRhythm,
    SensorState,
    StatusChange,
    UndecodedMessage,
)
from mqtt.services.broadcast import broadcast_status_update, wake_up

logger = logging.getLogger(__name__)

LONGEST_TRANSACTION = 0.1
"""Seconds; SQLite has one writer, and the mqtt process must not wait long for its turn."""
PAUSE = 0.03
"""Between transactions: that turn."""
READINGS_AT_ONCE = 5000
ROWS_AT_ONCE = 500
SENSORS_AT_ONCE = 200

SESSION_PATIENCE = timedelta(minutes=1)
"""So long the mqtt process may take to end the broker's session before erasing begins all the same."""
SESSION_EXPIRY = timedelta(days=1)
"""After that a broker that could not be reached has forgotten the session by itself, or never will."""

TABLES: tuple[tuple[QuerySet[Any], str], ...] = (
    (DataloggerState.objects.all(), "datalogger__connection"),
    (DataloggerRhythm.objects.all(), "datalogger__connection"),
    (Datalogger.objects.all(), "connection"),
    (GatewayState.objects.all(), "gateway__connection"),
    (GatewayRhythm.objects.all(), "gateway__connection"),
    (Gateway.objects.all(), "connection"),
    (DiscoveredTopic.objects.all(), "connection"),
    (UndecodedMessage.objects.all(), "connection"),
    (DeviceAnnouncement.objects.all(), "connection"),
    (StatusChange.objects.all(), "connection"),
    (Note.objects.all(), "connection"),
)
"""What else grows without bound below a connection, children first, with the way to the connection."""


def leaving() -> QuerySet[MqttConnection]:
    """The connections that are being deleted, the first first."""
    return MqttConnection.all_objects.filter(deleted_at__isnull=False).order_by("deleted_at", "pk")


def erase_deleted(seconds: float) -> int:
    """Go on erasing for about so long; returns how many rows went. Raises what the database raises."""
    end = time.monotonic() + seconds
    amount = 0
    for row in leaving():
        if _has_left(row):
            erased, is_done = in_short_transactions(_erase(row.pk), end)
            amount += erased
            if is_done:
                amount += _forget(row)
        if time.monotonic() >= end:
            break
    return amount


def _has_left(row: MqttConnection) -> bool:
    """Whether nothing comes any more: the session has ended, nobody holds it, or it takes too long."""
    lease = ConnectionLease.objects.filter(pk=row.pk)
    is_held = lease.filter(expires_at__gt=Now())
    is_done = row.status == ConnectionStatus.DISABLED and not lease.filter(session_open=True).exists()
    return is_done or not is_held.exists() or _is_older(row, SESSION_PATIENCE)


def _is_older(row: MqttConnection, span: timedelta) -> bool:
    return row.deleted_at is not None and not timezone.now() - span < row.deleted_at <= timezone.now()


def _forget(row: MqttConnection) -> int:
    """The row itself goes when the broker has forgotten us too: an mqtt process keeps trying until then."""
    if ConnectionLease.objects.filter(pk=row.pk, session_open=True).exists():
        if not _is_older(row, SESSION_EXPIRY):
            return 0
        logger.warning("The session of %s at %s could not be ended; it may be kept there.", row.client_id, row.address)
    pk = row.pk
    with transaction.atomic():
        count, _ = row.delete()
        transaction.on_commit(lambda: broadcast_status_update(pk, ConnectionStatus.DISABLED, ["deleted"]))
        transaction.on_commit(lambda: wake_up(pk))
    return count


def in_short_transactions(slices: Iterator[int], end: float = float("inf")) -> tuple[int, bool]:
    """How many rows went, and whether that was all; at least one transaction."""
    amount = 0
    while True:
        with transaction.atomic():
            until = time.monotonic() + LONGEST_TRANSACTION
            for count in slices:
                amount += count
                if count and time.monotonic() >= until:
                    break
            else:
                return amount, True
        if time.monotonic() >= end:
            return amount, False
        time.sleep(PAUSE)


def _erase(connection_id: int) -> Iterator[int]:
    yield from _erase_sensors(connection_id)
    for rows, path in TABLES:
        yield from _erase_rows(rows.filter(**{path: connection_id}))


def _erase_rows(rows: QuerySet[Any]) -> Iterator[int]:
    while keys := list(rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        yield rows.filter(pk__in=keys).delete()[0]


def _erase_sensors(connection_id: int) -> Iterator[int]:
    """Some sensors with their readings, then the next: who goes on later does not begin anew."""
    sensors = SensorDevice.objects.filter(connection=connection_id).order_by("id")
    while some := list(sensors.values_list("pk", flat=True)[:SENSORS_AT_ONCE]):
        yield from erase_history(some)
        states, _ = SensorState.objects.filter(pk__in=some).delete()
        SensorRhythm.objects.filter(sensor__in=some).delete()
        SensorCorrection.objects.filter(sensor__in=some).delete()
        aliases, _ = DeviceAlias.objects.filter(sensor__in=some).delete()
        yield states + aliases + SensorDevice.objects.filter(pk__in=some).delete()[0]


def erase_history(sensor_ids: list[int]) -> Iterator[int]:
    """Erase the readings and rollups of sensors, some thousand rows a step; the caller makes the transactions."""
    RollupDue.objects.filter(sensor_id__in=sensor_ids).delete()
    for model in (Reading, Rollup):
        rows = model.objects.filter(sensor_id__in=sensor_ids).order_by()
        if not rows.values("sensor_id")[READINGS_AT_ONCE:][:1].exists():
            yield rows.delete()[0]
            continue
        for sensor_id in sensor_ids:
            own: QuerySet[Any] = rows.filter(sensor_id=sensor_id)
            for part in (own,) if model is Reading else [own.filter(level=level) for level in LEVELS]:
                yield from _erase_by_time(part)


def _erase_by_time(rows: QuerySet[Any]) -> Iterator[int]:
    while until := rows.order_by("time").values_list("time", flat=True)[READINGS_AT_ONCE:][:1].first():
        count, _ = rows.filter(time__lt=until).delete()
        if not count:  # more than a slice at one instant
            count, _ = rows.filter(time=until).delete()
        yield count
    yield rows.delete()[0]
