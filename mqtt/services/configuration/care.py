"""Corrections and notes: known by what they are about and their moment; who wrote them stays as a name."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.timezone import get_current_timezone, is_naive, make_aware

from mqtt.enums import NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import MqttConnection, Note, SensorCorrection, SensorDevice, Site
from mqtt.services import corrections, notes
from mqtt.services.audit import Actor
from mqtt.services.configuration.sections import (
    CREATED,
    SAME,
    WAITING,
    Done,
    Row,
    RowError,
    Section,
    assign,
    check_names,
)
from mqtt.validators import validate_moment

NUMBERS = ("gain", "offset", "zero")
CORRECTION = ("connection", "key", "valid_from", *NUMBERS, "reason", "author")
NOTE = ("kind", "connection", "key", "name", "at", "text", "author")


def _export_corrections(_secrets: bool) -> Iterator[dict[str, Any]]:
    rows = SensorCorrection.objects.filter(sensor__connection__deleted_at=None)
    for one in rows.select_related("sensor__connection").order_by("sensor__connection__name", "sensor__key", "pk"):
        yield {
            "connection": one.sensor.connection.name,
            "key": one.sensor.key,
            "valid_from": one.valid_from.isoformat(),
            **{name: getattr(one, name) for name in NUMBERS},
            "reason": one.reason,
            "author": one.author_name,
        }


def _store_correction(actor: Actor, row: Row) -> Done:
    key = check_names(row, CORRECTION, needed="key")
    sensor = SensorDevice.objects.filter(connection=_connection(row), key=key).first()
    if sensor is None:
        return Done(WAITING, key)
    at = _moment(row, "valid_from")
    stored = SensorCorrection.objects.filter(sensor=sensor, valid_from=at).first()
    correction = SensorCorrection(sensor=sensor, valid_from=at, author_name=str(row.get("author") or "")[:150])
    assign(correction, row, (*NUMBERS, "reason"))
    if stored is not None:
        differs = [name for name in NUMBERS if getattr(stored, name) != getattr(correction, name)]
        if differs:
            raise ServiceError("corrected_then")
        return Done(SAME, key)
    corrections.add_correction(actor, correction)
    return Done(CREATED, key, at.isoformat())


def _export_notes(_secrets: bool) -> Iterator[dict[str, Any]]:
    for kind, model in notes.NOTABLE.items():
        found = list(Note.objects.filter(kind=kind).order_by("object_id", "at", "pk"))
        things = model.objects.in_bulk({note.object_id for note in found})
        for note in found:
            if thing := things.get(note.object_id):
                entry = {"kind": str(kind), **_identity(thing), "at": note.at.isoformat()}
                yield {**entry, "text": note.text, "author": note.author_name}


def _identity(thing: Any) -> dict[str, str]:
    if isinstance(thing, MqttConnection | Site):
        return {"name": thing.name}
    return {"connection": thing.connection.name, "key": thing.key}


def _store_note(actor: Actor, row: Row) -> Done:
    text = check_names(row, NOTE, needed="text")
    if str(row.get("kind")) not in {str(kind) for kind in notes.NOTABLE}:
        raise RowError(f"kind is one of {', '.join(notes.NOTABLE)}")
    thing = _thing(NodeKind(row["kind"]), row)
    if thing is None:
        return Done(WAITING, str(row.get("key")))
    at = _moment(row, "at")
    if notes.notes_on(thing).filter(at=at, text=text).exists():
        return Done(SAME, str(thing))
    note = notes.new_note(thing, at)
    note.author_name = str(row.get("author") or "")[:150]
    assign(note, row, ("text",))
    notes.add_note(actor, note)
    return Done(CREATED, str(thing), at.isoformat())


def _thing(kind: NodeKind, row: Row) -> Model | None:
    model = notes.NOTABLE[kind]
    if kind in {NodeKind.CONNECTION, NodeKind.SITE}:
        thing: Model | None = model.objects.filter(name=str(row.get("name"))).first()
        if thing is None:
            raise RowError(f"there is no {kind} {row.get('name')}")
        return thing
    found: Model | None = model.objects.filter(connection=_connection(row), key=str(row.get("key"))).first()
    return found


def _connection(row: Row) -> MqttConnection:
    connection = MqttConnection.objects.filter(name=str(row.get("connection"))).first()
    if connection is None:
        raise RowError(f"there is no connection {row.get('connection')}")
    return connection


def _moment(row: Row, name: str) -> datetime:
    """A time of the file: text as it was written, or what YAML made of one that a person wrote without quotes."""
    given = row.get(name)
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
        aware = make_aware(moment, get_current_timezone()) if is_naive(moment) else moment
        validate_moment(aware)
    except (ValueError, OverflowError, ValidationError) as error:
        raise RowError(f"{name}: a time like 2026-05-01T12:00:00+00:00") from error
    return aware


CORRECTIONS = Section("corrections", _export_corrections, _store_correction)
NOTES = Section("notes", _export_notes, _store_note)
