"""What replacing, merging and deleting devices share: locks, carried rows, renamed keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Concat, Left, Substr

from mqtt.enums import NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.exceptions import ServiceError
from mqtt.models import ConnectionLease, Datalogger, DeviceAlias, Gateway, Note, SensorDevice, StatusChange
from mqtt.services.broadcast import broadcast_event

Node = Gateway | Datalogger
Device = Gateway | Datalogger | SensorDevice
KINDS: dict[type, NodeKind] = {
    Gateway: NodeKind.GATEWAY,
    Datalogger: NodeKind.DATALOGGER,
    SensorDevice: NodeKind.SENSOR,
}
CHUNK = 200


def locked(*devices: Device) -> list[Any]:
    """The devices as they are stored now, nobody else changing them. Raises ServiceError when one is gone.

    First the lease of their connection: whoever stores messages waits, and looks devices up again afterwards.
    """
    lease = ConnectionLease.objects.filter(connection=devices[0].connection_id)
    lease.update(devices_version=F("devices_version") + 1)
    found = []
    for device in sorted(devices, key=lambda one: one.pk):
        rows: QuerySet[Any] = type(device)._default_manager.select_for_update(no_key=True)  # noqa: SLF001 - documented
        row = rows.filter(pk=device.pk).first()
        if row is None:
            raise ServiceError("gone", name=str(device))
        found.append(row)
    by_pk = {row.pk: row for row in found}
    return [by_pk[device.pk] for device in devices]


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Lists of at most `size`."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def carry(kind: NodeKind, pairs: Mapping[int, int]) -> None:
    """Give the notes and status changes of devices to others: {from: to}."""
    for some in chunks(pairs):
        for model in (Note, StatusChange):
            rows: QuerySet[Any] = model._default_manager.filter(kind=kind, object_id__in=some)  # noqa: SLF001
            rows.update(object_id=chosen("object_id", {one: pairs[one] for one in some}))


def chosen(field: str, pairs: Mapping[int, int]) -> Case:
    """For an update: the value that `pairs` names for what stands in a field."""
    return Case(*(When(**{field: old}, then=Value(new)) for old, new in pairs.items()))


def forget_papers(kind: NodeKind, pks: Iterable[int]) -> None:
    """Delete the notes and status changes of devices that go."""
    for some in chunks(pks):
        Note.objects.filter(kind=kind, object_id__in=some).delete()
        StatusChange.objects.filter(kind=kind, object_id__in=some).delete()


def rename_keys(rows: QuerySet[Any], old: str, new: str) -> None:
    """Let keys that begin with `old#` begin with `new#`; compared exactly, as LIKE ignores case on SQLite."""
    start = f"{old}#"
    found = rows.alias(beginning=Left("key", len(start))).filter(beginning=start)
    found.update(key=Concat(Value(f"{new}#"), Substr("key", len(start) + 1)))


def bind_key(device: Any, key: str) -> None:
    """Let a further key belong to a device, whatever it belonged to."""
    kind = KINDS[type(device)]
    DeviceAlias.objects.filter(connection=device.connection_id, kind=kind, key=key).delete()
    DeviceAlias.objects.create(connection_id=device.connection_id, kind=kind, key=key, **{str(kind): device})


def pass_aliases(source: Device, target: Device) -> None:
    """What was a key of one is a key of the other."""
    name = str(KINDS[type(source)])
    DeviceAlias.objects.filter(**{name: source}).update(**{name: target})


def announce(connection_id: int, changed: Mapping[NodeKind, Sequence[int]]) -> None:
    """After the commit, draw these rows again on every page; who is gone is drawn as gone."""
    event = AvailabilityChanged(connection_id=connection_id, more=True)
    for kind, pks in changed.items():
        event.add(kind, pks)
    transaction.on_commit(partial(broadcast_event, event))
