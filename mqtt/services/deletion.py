"""Erasing what a connection brought, in transactions so short that readings of others keep flowing."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from mqtt.models import (
    ConnectionLease,
    Datalogger,
    DataloggerRhythm,
    DataloggerState,
    DeviceAlias,
    DiscoveredTopic,
    Gateway,
    GatewayRhythm,
    GatewayState,
    Reading,
    SensorDevice,
    SensorRhythm,
    SensorState,
    StatusChange,
    UndecodedMessage,
)

LONGEST_TRANSACTION = 0.1
"""Seconds; SQLite has one writer, and the mqtt process must not wait long for its turn."""
READINGS_AT_ONCE = 5000
ROWS_AT_ONCE = 500
SENSORS_AT_ONCE = 200
POLL = 0.05
_END = object()

TABLES: tuple[tuple[QuerySet[Any], str], ...] = (
    (SensorState.objects.all(), "sensor__connection"),
    (SensorRhythm.objects.all(), "sensor__connection"),
    (DeviceAlias.objects.all(), "connection"),
    (SensorDevice.objects.all(), "connection"),
    (DataloggerState.objects.all(), "datalogger__connection"),
    (DataloggerRhythm.objects.all(), "datalogger__connection"),
    (Datalogger.objects.all(), "connection"),
    (GatewayState.objects.all(), "gateway__connection"),
    (GatewayRhythm.objects.all(), "gateway__connection"),
    (Gateway.objects.all(), "connection"),
    (DiscoveredTopic.objects.all(), "connection"),
    (UndecodedMessage.objects.all(), "connection"),
    (StatusChange.objects.all(), "connection"),
)
"""What grows without bound below a connection, children first, with the way to the connection."""


def wait_for_session_end(connection_id: int, patience: float) -> bool:
    """Whether no broker session is left open, waiting up to `patience` seconds for the mqtt process to end it."""
    end = time.monotonic() + patience
    while ConnectionLease.objects.filter(connection_id=connection_id, session_open=True).exists():
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True


def erase_connection(connection_id: int, last_step: Callable[[], None]) -> None:
    """Erase readings, devices and topics slice by slice; `last_step` removes the rest in the last transaction."""
    _in_short_transactions(_erase_readings(connection_id))
    for rows, path in TABLES:
        _in_short_transactions(_erase_rows(rows.filter(**{path: connection_id})))
    with transaction.atomic():
        last_step()


def _in_short_transactions(slices: Iterator[None]) -> None:
    ended = False
    while not ended:
        with transaction.atomic():
            end = time.monotonic() + LONGEST_TRANSACTION
            while not ended and time.monotonic() < end:
                ended = next(slices, _END) is _END


def _erase_rows(rows: QuerySet[Any]) -> Iterator[None]:
    while keys := list(rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        rows.filter(pk__in=keys).delete()
        yield


def _erase_readings(connection_id: int) -> Iterator[None]:
    sensors = list(SensorDevice.objects.filter(connection=connection_id).order_by("id").values_list("pk", flat=True))
    for at in range(0, len(sensors), SENSORS_AT_ONCE):
        some = sensors[at : at + SENSORS_AT_ONCE]
        readings = Reading.objects.filter(sensor_id__in=some).order_by()
        if readings.values("sensor_id")[READINGS_AT_ONCE:][:1].exists():
            for sensor_id in some:
                yield from _erase_readings_of(sensor_id)
        else:
            readings.delete()
            yield


def _erase_readings_of(sensor_id: int) -> Iterator[None]:
    readings = Reading.objects.filter(sensor_id=sensor_id)
    while until := readings.order_by("time").values_list("time", flat=True)[READINGS_AT_ONCE:][:1].first():
        readings.filter(time__lt=until).delete()
        yield
    readings.delete()
    yield
