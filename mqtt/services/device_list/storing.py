"""Making the changes of a file: all of them in one short transaction, or none."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import connection, transaction

from mqtt.enums import AuditAction
from mqtt.events import AvailabilityChanged
from mqtt.exceptions import ServiceError
from mqtt.services.audit import Actor, prepare_many, record_many, snapshot
from mqtt.services.broadcast import broadcast_event
from mqtt.services.device_list.plan import Change, Plan
from mqtt.services.device_list.table import CHUNK, Kind


def store(actor: Actor, made: Plan) -> int:
    """Store a plan; returns how many devices changed. Raises ServiceError when somebody else changed one meanwhile."""
    by_device: dict[tuple[str, int], list[Change]] = defaultdict(list)
    for change in made.changes:
        by_device[change.kind.type, change.device.pk].append(change)
    groups = list(by_device.values())
    statements = _by_statement(groups)
    entries = [entry for changes in _by_kind(groups) for entry in _entries(actor, changes)]
    with transaction.atomic():  # readings wait meanwhile on SQLite: nothing is done in here that can be done before
        _refuse_stale(groups)
        for (kind, names), rows in statements.items():
            _update(kind, names, rows)
        record_many(entries)
        for event in _events(groups):
            transaction.on_commit(partial(broadcast_event, event))
    return len(groups)


def _entries(actor: Actor, changes: list[list[Change]]) -> list[list[Any]]:
    """For the audit, about devices of one type."""
    details = [(one[0].device, _details(one)) for one in changes]
    return prepare_many(actor, AuditAction.CHANGED, changes[0][0].kind.type, details)


def _by_kind(groups: Iterable[list[Change]]) -> list[list[list[Change]]]:
    found: dict[str, list[list[Change]]] = defaultdict(list)
    for changes in groups:
        found[changes[0].kind.type].append(changes)
    return list(found.values())


def _refuse_stale(groups: Iterable[list[Change]]) -> None:
    """Under a lock, so that it stays true: every field is still what the plan took it for."""
    for changes in _by_kind(groups):
        kind = changes[0][0].kind
        by_pk = {one[0].device.pk: one for one in changes}
        pks = sorted(by_pk)
        columns = sorted({_column(one) for group in changes for one in group})
        for start in range(0, len(pks), CHUNK):
            some = pks[start : start + CHUNK]
            locked = kind.model.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
            rows = {pk: dict(zip(columns, values, strict=True)) for pk, *values in locked.values_list("pk", *columns)}
            for pk in some:
                if pk not in rows or any(rows[pk][_column(one)] != _stored(one, one.old) for one in by_pk[pk]):
                    raise ServiceError("list_changed_meanwhile", name=str(by_pk[pk][0].device))


def _by_statement(groups: Iterable[list[Change]]) -> dict[tuple[Kind, tuple[str, ...]], list[list[Any]]]:
    """The new values and the key of each device, by type and the columns that change."""
    found: dict[tuple[Kind, tuple[str, ...]], list[list[Any]]] = defaultdict(list)
    for changes in groups:
        names = tuple(_column(one) for one in changes)
        found[changes[0].kind, names].append([*(_stored(one, one.new) for one in changes), changes[0].device.pk])
    return found


def _update(kind: Kind, names: tuple[str, ...], rows: list[list[Any]]) -> None:
    """Ten thousand rows in a blink, which one save each would not be."""
    values = ", ".join(f'"{name}" = %s' for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{kind.model._meta.db_table}" SET {values} WHERE id = %s', rows)  # noqa: S608, SLF001


def _column(change: Change) -> str:
    return "site_id" if change.field == "site" else change.field


def _stored(change: Change, value: Any) -> Any:
    return value.pk if change.field == "site" and value is not None else value


def _details(changes: list[Change]) -> dict[str, Any]:
    old = snapshot(changes[0].device, [one.field for one in changes])
    return {one.field: {"old": old[one.field], "new": one.new if one.field != "site" else one.new_text or None}
            for one in changes}  # fmt: skip


def _events(groups: Iterable[list[Change]]) -> list[AvailabilityChanged]:
    """Their rows are drawn again on every page."""
    events: dict[int, AvailabilityChanged] = {}
    for changes in groups:
        device, kind = changes[0].device, changes[0].kind.type
        event = events.setdefault(device.connection_id, AvailabilityChanged(connection_id=device.connection_id))
        event.add(kind, [device.pk])
    return list(events.values())
