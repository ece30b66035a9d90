"""What people do to sites and to the labels of devices."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Left

from mqtt.enums import AuditAction, NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.exceptions import ServiceError
from mqtt.models import Datalogger, Gateway, Note, SensorDevice, Site
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services.audit import Actor, differences, record, snapshot
from mqtt.services.broadcast import broadcast_event, broadcast_site
from mqtt.services.names import unique_name

SITE_FIELDS = ("name", "address", "latitude", "longitude", "time_zone", "contact", "topic_prefix")
Device = Gateway | Datalogger | SensorDevice
BY_HAND = frozenset({"label", "site", "expected_interval"})
OF_SENSOR = frozenset({"label", "unit", "kind", "decimals", "expected_interval", *RETENTION_FIELDS})
DEVICES: dict[type[Model], tuple[NodeKind, frozenset[str], QuerySet[Any]]] = {
    Gateway: (NodeKind.GATEWAY, BY_HAND, Gateway.objects.all()),
    Datalogger: (NodeKind.DATALOGGER, BY_HAND, Datalogger.objects.all()),
    SensorDevice: (NodeKind.SENSOR, OF_SENSOR, SensorDevice.objects.all()),
}
"""What a person may write of each device."""


def create_site(actor: Actor, site: Site) -> Site:
    """Store a new site; devices without a site whose topics start with its prefix come to it."""
    with unique_name(site), transaction.atomic():
        site.save(force_insert=True)
        details: dict[str, Any] = {k: v for k, v in snapshot(site, SITE_FIELDS).items() if v not in ("", None)}
        record(actor, AuditAction.CREATED, NodeKind.SITE, site, details | _adopt(site))
        transaction.on_commit(partial(broadcast_site, site.pk))
    return site


def update_site(actor: Actor, site: Site, changed: Iterable[str]) -> Site:
    """Store the changed fields of a site; a new prefix brings further devices, and takes none away."""
    fields = sorted(set(changed) & set(SITE_FIELDS))
    with unique_name(site), transaction.atomic():
        stored = Site.objects.select_for_update(no_key=True).filter(pk=site.pk).first()
        if stored is None:
            raise ServiceError("gone", name=str(site))
        details: dict[str, Any] = differences(snapshot(stored, fields), snapshot(site, fields))
        if details:
            site.save(update_fields=list(details))
            if "topic_prefix" in details:
                details |= _adopt(site)
            record(actor, AuditAction.CHANGED, NodeKind.SITE, site, details)
            transaction.on_commit(partial(broadcast_site, site.pk))
    return site


def delete_site(actor: Actor, site: Site) -> None:
    """Delete a site; its connections and devices stay, without a site."""
    with transaction.atomic():
        record(actor, AuditAction.DELETED, NodeKind.SITE, site)
        transaction.on_commit(partial(broadcast_site, site.pk))
        Note.objects.filter(kind=NodeKind.SITE, object_id=site.pk).delete()
        site.delete()


def update_device(actor: Actor, device: Device, changed: Iterable[str]) -> None:
    """Store what a person wrote of a gateway, datalogger or sensor: the fields that DEVICES names."""
    kind, allowed, rows = DEVICES[type(device)]
    fields = sorted(set(changed) & allowed)
    with transaction.atomic():
        stored = rows.select_for_update(no_key=True).filter(pk=device.pk).first()
        if stored is None:
            raise ServiceError("gone", name=str(device))
        details = differences(snapshot(stored, fields), snapshot(device, fields))
        if details:
            device.save(update_fields=list(details))
            record(actor, AuditAction.CHANGED, kind, device, details)
            # Its row shows the new label on every page; the event names the row to draw again.
            event = AvailabilityChanged(connection_id=device.connection_id)
            event.add(kind, [device.pk])
            event.more = kind == NodeKind.GATEWAY and "site" in details  # its dataloggers stand there too
            transaction.on_commit(lambda: broadcast_event(event))


def _adopt(site: Site) -> dict[str, int]:
    """Give the site the devices that have none and whose key starts with its prefix; says how many."""
    prefix = site.topic_prefix
    if not prefix:
        return {}
    adopted = {
        # LIKE ignores case on SQLite, topics do not: the second condition compares exactly.
        name: rows.filter(site__isnull=True, key__startswith=prefix)
        .alias(start=Left("key", len(prefix)))
        .filter(start=prefix)
        .update(site=site)
        for name, rows in (("gateways", Gateway.objects.all()), ("dataloggers", Datalogger.objects.all()))
    }
    return {name: count for name, count in adopted.items() if count}
