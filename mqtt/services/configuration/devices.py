"""What people wrote of devices, which come by themselves: known by connection, kind and key."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from mqtt.models import MqttConnection
from mqtt.services.audit import Actor
from mqtt.services.configuration.sections import (
    CHANGED,
    SAME,
    WAITING,
    Done,
    Row,
    RowError,
    Section,
    assign,
    check_names,
    plain,
)
from mqtt.services.configuration.sites import site_named
from mqtt.services.places import DEVICES, update_device

IDENTITY = ("connection", "kind", "key")
TOLD = frozenset({"unit", "kind"})
"""What a sensor's device says as well: nobody can tell who wrote it, so it stays out, and `kind` means the node's."""


def _own(fields: frozenset[str]) -> list[str]:
    return sorted(fields - {"site"} - TOLD)


def _export(_secrets: bool) -> Iterator[dict[str, Any]]:
    for model, (kind, fields, rows) in DEVICES.items():
        written = Q()
        for name in fields - TOLD:
            default = model._meta.get_field(name).get_default()  # type: ignore[union-attr]  # noqa: SLF001
            written |= Q(**{f"{name}__isnull": False}) if default is None else ~Q(**{name: default})
        found = rows.filter(written).select_related("connection", *(["site"] if "site" in fields else []))
        for device in found.order_by("connection__name", "key").iterator():
            entry = {"connection": device.connection.name, "kind": str(kind), "key": device.key}
            entry |= plain(device, _own(fields))
            if "site" in fields and device.site:
                entry["site"] = device.site.name
            yield entry


def _store(actor: Actor, row: Row) -> Done:
    by_kind = {str(kind): (fields, rows) for kind, fields, rows in DEVICES.values()}
    if str(row.get("kind")) not in by_kind:
        raise RowError(f"kind is one of {', '.join(by_kind)}")
    fields, rows = by_kind[row["kind"]]
    key = check_names(row, (*IDENTITY, *(fields - TOLD)), needed="key")
    connection = MqttConnection.objects.filter(name=str(row.get("connection"))).first()
    if connection is None:
        raise RowError(f"there is no connection {row.get('connection')}")
    device = rows.filter(connection=connection, key=key).first()
    if device is None:
        return Done(WAITING, key)
    changed = assign(device, row, _own(fields))
    if "site" in fields and "site" in row and (site := site_named(row["site"])) != device.site:
        device.site = site
        changed.append("site")
    update_device(actor, device, changed)
    return Done(CHANGED if changed else SAME, key, ", ".join(changed))


LABELS = Section("labels", _export, _store)
