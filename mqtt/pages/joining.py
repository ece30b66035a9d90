"""What pages show before two devices become one: whom one may choose, and what would happen."""

from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from mqtt.enums import TaskState
from mqtt.models import Datalogger, DeviceTask, Gateway, Note, SensorCorrection, SensorDevice
from mqtt.pages.base import Part, Shown
from mqtt.permissions import User, visible_to
from mqtt.services.device_joining import match
from mqtt.services.device_removal import COUNTED, readings_of
from mqtt.services.device_rows import KINDS, Device, chunks

CANDIDATES = 20


def candidates(user: User, device: Device, query: str) -> tuple[list[Any], bool]:
    """Other devices of the kind on the same connection, new ones first; and whether there are more."""
    rows: QuerySet[Any] = type(device)._default_manager.filter(connection=device.connection_id)  # noqa: SLF001 - documented
    found: QuerySet[Any] = visible_to(user, rows)
    found = found.exclude(pk=device.pk).select_related("state")
    name = "name" if isinstance(device, SensorDevice) else "identifier"
    for word in query.replace("\0", "").split()[:8]:
        parts = ("label", "key", name)
        wanted = Q()
        for part in parts:
            wanted |= Q(**{f"{part}__icontains": word})
        found = found.filter(wanted)
    if isinstance(device, SensorDevice):
        near = Q(datalogger=device.datalogger_id)
        found = found.select_related("datalogger")
    else:
        near = Q(accepted_at__isnull=True)
    rank = Case(When(near, then=Value(0)), default=Value(1), output_field=IntegerField())
    nearest = list(found.annotate(nearness=rank).order_by("nearness", "-created_at", "-pk")[: CANDIDATES + 1])
    return nearest[:CANDIDATES], len(nearest) > CANDIDATES


def preview(source: Device, target: Device) -> dict[str, Any]:
    """What would happen to sensors, readings, notes and corrections."""
    found = match(source, target) if isinstance(source, Datalogger) and isinstance(target, Datalogger) else None
    sensors = [one.pk for one, _ in found.pairs] if found else [source.pk] if isinstance(source, SensorDevice) else []
    readings = readings_of(sensors)
    corrections = (SensorCorrection.objects.filter(sensor__in=some).count() for some in chunks(sensors))
    return {
        "match": found,
        "readings": readings,
        "is_more": readings > COUNTED,
        "counted": COUNTED,
        "notes": Note.objects.filter(kind=KINDS[type(source)], object_id=source.pk).count(),
        "corrections": sum(corrections),
        "dataloggers": Datalogger.objects.filter(gateway=source).count() if isinstance(source, Gateway) else None,
    }


def work(shown: Shown) -> dict[str, Any]:
    """Readings that are still on their way to the device."""
    states = (TaskState.QUEUED, TaskState.RUNNING)
    tasks = DeviceTask.objects.filter(kind=KINDS[type(shown.object)], object_id=shown.object.pk, state__in=states)
    return {"tasks": list(tasks.defer("sensors"))}


WORK_PART = Part("work", "mqtt/parts/_work.html", work, every=1.0)
