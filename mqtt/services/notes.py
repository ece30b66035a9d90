"""Notes on connections, sites and devices: written by people, shown on their pages and marked on charts of sensors."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from mqtt.enums import AuditAction, NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.exceptions import ServiceError
from mqtt.models import Datalogger, Gateway, MqttConnection, Note, SensorDevice, Site
from mqtt.permissions import ADMINISTER, OPERATE, User, can
from mqtt.services.audit import Actor, differences, record, snapshot
from mqtt.services.broadcast import broadcast_event, broadcast_site, broadcast_status_update

NOTABLE: dict[NodeKind, Any] = {
    NodeKind.CONNECTION: MqttConnection,
    NodeKind.SITE: Site,
    NodeKind.GATEWAY: Gateway,
    NodeKind.DATALOGGER: Datalogger,
    NodeKind.SENSOR: SensorDevice,
}
"""What notes can be written on."""
KINDS: dict[type[Model], NodeKind] = {model: kind for kind, model in NOTABLE.items()}
FIELDS = ("at", "text")


def notes_on(*things: Model) -> QuerySet[Note]:
    """The notes on these things, the newest first."""
    wanted = Q(pk__in=[])
    for thing in things:
        wanted |= Q(kind=KINDS[type(thing)], object_id=thing.pk)
    return Note.objects.filter(wanted)


def thing_of(note: Note) -> Model | None:
    """What a note is about; None when it is gone."""
    found: Model | None = NOTABLE[NodeKind(note.kind)].objects.filter(pk=note.object_id).first()
    return found


def new_note(thing: Model, at: datetime | None = None, text: str = "") -> Note:
    """A note on a thing, not stored yet."""
    kind = KINDS[type(thing)]
    connection_id = thing.pk if kind == NodeKind.CONNECTION else getattr(thing, "connection_id", None)
    return Note(kind=kind, object_id=thing.pk, connection_id=connection_id, at=at or timezone.now(), text=text)


def may_change(user: User, note: Note) -> bool:
    """Its author while they may write notes at all; an administrator always."""
    return can(user, ADMINISTER) or (can(user, OPERATE) and note.author_id is not None and note.author_id == user.pk)


def add_note(actor: Actor, note: Note) -> Note:
    """Store a new note. Raises ServiceError when what it is about is gone."""
    note.author, note.author_name = actor.user, note.author_name or actor.name[:150]
    with transaction.atomic():
        thing = _locked(note)
        note.save(force_insert=True)
        _record(actor, AuditAction.NOTED, note, thing, snapshot(note, FIELDS))
    return note


def change_note(actor: Actor, note: Note) -> Note:
    """Store another time or text."""
    with transaction.atomic():
        thing = _locked(note)
        stored = Note.objects.select_for_update().filter(pk=note.pk).first()
        if stored is None:
            raise ServiceError("gone", name=str(note))
        details = differences(snapshot(stored, FIELDS), snapshot(note, FIELDS))
        if details:
            note.changed_at = timezone.now()
            note.save(update_fields=[*details, "changed_at"])
            _record(actor, AuditAction.NOTE_CHANGED, note, thing, details)
    return note


def delete_note(actor: Actor, note: Note) -> None:
    """Delete a note; the audit keeps its beginning."""
    with transaction.atomic():
        thing = _locked(note)
        _record(actor, AuditAction.NOTE_DELETED, note, thing, snapshot(note, FIELDS))
        note.delete()


def _locked(note: Note) -> Model:
    rows = NOTABLE[NodeKind(note.kind)].objects.select_for_update(no_key=True)
    thing: Model | None = rows.filter(pk=note.object_id).first()
    if thing is None:
        raise ServiceError("gone", name=str(note))
    return thing


def _record(actor: Actor, action: AuditAction, note: Note, thing: Any, details: dict[str, Any]) -> None:
    """Into the audit, and onto every page that shows the thing."""
    kind = NodeKind(note.kind)
    record(actor, action, kind, thing, details)
    if kind == NodeKind.CONNECTION:
        transaction.on_commit(partial(broadcast_status_update, thing.pk, thing.status, ["notes"]))
    elif kind == NodeKind.SITE:
        transaction.on_commit(partial(broadcast_site, thing.pk))
    else:
        event = AvailabilityChanged(connection_id=thing.connection_id)
        event.add(kind, [thing.pk])
        transaction.on_commit(partial(broadcast_event, event))
