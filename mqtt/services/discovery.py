"""New devices: how many a connection may still bring, and accepting them."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from mqtt.enums import AuditAction, NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.models import IS_NEW, NEW_AN_HOUR, Datalogger, Gateway, MqttConnection
from mqtt.services.audit import Actor, record
from mqtt.services.broadcast import broadcast_event

HOUR = timedelta(hours=1)
MODELS: dict[NodeKind, Any] = {NodeKind.GATEWAY: Gateway, NodeKind.DATALOGGER: Datalogger}


def room_for_new(connection_id: int) -> int | None:
    """How many new gateways and dataloggers the connection may bring now; None: as many as it likes.

    The first hour from its first device on is free, because an installation introduces itself then. Later a broken
    publisher that invents names must not flood the console; who accepts what is new makes room for more.
    """
    since = timezone.now() - HOUR
    rows = [model.objects.filter(connection=connection_id) for model in MODELS.values()]
    if not any(found.filter(created_at__lte=since).exists() for found in rows):
        return None
    waiting: int = sum(found.filter(IS_NEW, created_at__gt=since).count() for found in rows)
    return max(0, NEW_AN_HOUR - waiting)


def accept(actor: Actor, kind: NodeKind, devices: Any) -> int:
    """Say of all new ones among these devices (a queryset) that they belong here; returns how many."""
    model = MODELS[kind]
    with transaction.atomic():
        new = model.objects.filter(IS_NEW, pk__in=devices.order_by().values("pk"))
        found = list(new.values_list("pk", "connection_id"))
        by_connection: dict[int, list[int]] = {}
        for pk, connection_id in found:
            by_connection.setdefault(connection_id, []).append(pk)
        for connection in MqttConnection.objects.filter(pk__in=by_connection):
            pks = by_connection[connection.pk]
            model.objects.filter(IS_NEW, connection=connection, pk__in=pks).update(accepted_at=timezone.now())
            if len(pks) == 1:
                record(actor, AuditAction.ACCEPTED, kind, model.objects.get(pk=pks[0]))
            else:
                record(actor, AuditAction.ACCEPTED, NodeKind.CONNECTION, connection, {f"{kind}s": len(pks)})
            event = AvailabilityChanged(connection_id=connection.pk)
            event.add(kind, pks)
            transaction.on_commit(partial(broadcast_event, event))
    return len(found)
