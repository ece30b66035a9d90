"""Deleting a device with its readings: out of sight at once, the readings erased in the background."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from mqtt.enums import AuditAction, DeviceWork, NodeKind
from mqtt.models import Datalogger, DeviceTask, Gateway, Note, Reading, SensorDevice
from mqtt.services.audit import Actor, record
from mqtt.services.device_rows import KINDS, Device, announce, chunks, forget_papers, locked

COUNTED = 1_000_000
"""More readings than this are not counted before somebody is asked: it would take too long."""
AT_ONCE = 500
"""Sensors that go in one transaction: SQLite has one writer."""


@dataclass(frozen=True)
class Loss:
    """What a deletion takes along."""

    sensors: int
    readings: int
    notes: int
    dataloggers: int
    """Of a gateway: they stay, without it."""

    @property
    def is_more(self) -> bool:
        """Whether there are more readings than were counted."""
        return self.readings > COUNTED


def loss_of(device: Device) -> Loss:
    """What would be gone with a device."""
    sensors = _sensors(device)
    return Loss(
        sensors=len(sensors),
        readings=readings_of(sensors),
        notes=Note.objects.filter(kind=KINDS[type(device)], object_id=device.pk).count(),
        dataloggers=Datalogger.objects.filter(gateway=device).count() if isinstance(device, Gateway) else 0,
    )


def readings_of(sensor_ids: list[int]) -> int:
    """How many readings sensors have, at most one more than COUNTED."""
    count = 0
    for some in chunks(sensor_ids):
        count += Reading.objects.filter(sensor_id__in=some).order_by().values("sensor_id")[: COUNTED + 1].count()
        if count > COUNTED:
            return COUNTED + 1
    return count


def delete_device(actor: Actor, device: Device) -> None:
    """Delete a gateway, datalogger or sensor. Dataloggers of a gateway stay. Raises ServiceError when it is gone."""
    kind = KINDS[type(device)]
    sensors = _sensors(device)
    more = sensors[: -(len(sensors) % AT_ONCE or AT_ONCE)]
    for some in chunks(more, AT_ONCE):
        with transaction.atomic():
            locked(device)
            _remove_sensors(device, kind, some)
    with transaction.atomic():
        (device,) = locked(device)
        details: dict[str, Any] = {"key": device.key, "sensors": len(sensors)}
        record(actor, AuditAction.DELETED, kind, device, details)
        _remove_sensors(device, kind, _sensors(device))
        forget_papers(kind, [device.pk])
        pk, connection_id = device.pk, device.connection_id
        device.delete()
        announce(connection_id, {kind: [pk], NodeKind.SENSOR: sensors})


def _sensors(device: Device) -> list[int]:
    if isinstance(device, SensorDevice):
        return [device.pk]
    if isinstance(device, Gateway):
        return []
    return list(SensorDevice.objects.filter(datalogger=device).order_by("pk").values_list("pk", flat=True))


def _remove_sensors(device: Device, kind: NodeKind, ids: list[int]) -> None:
    """The rows of sensors; their readings are left to the task."""
    if not ids:
        return
    DeviceTask.objects.create(
        work=DeviceWork.DELETE, connection_id=device.connection_id, kind=kind, object_id=device.pk,
        label=str(device)[:250], sensors=ids,
    )  # fmt: skip
    forget_papers(NodeKind.SENSOR, ids)
    SensorDevice.objects.filter(pk__in=ids).delete()
