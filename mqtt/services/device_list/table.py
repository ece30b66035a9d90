"""The table's columns, its rows out of the database, and cells that no spreadsheet carries out."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Max, QuerySet

from mqtt.enums import NodeKind
from mqtt.models import Datalogger, Gateway, MqttConnection, Note, SensorDevice
from mqtt.presentation.cells import harmless

IDENTITY = ("type", "id", "connection", "key", "name")
WRITTEN = ("label", "site", "unit", "kind", "decimals", "expected_interval")
COLUMNS = (*IDENTITY, *WRITTEN, "notes")
"""`name` is what the device says; `notes` shows the newest one. Both are for reading only."""
LONGEST_NOTE = 200
CHUNK = 400


@dataclass(frozen=True)
class Kind:
    """How devices of a type stand in the table."""

    type: NodeKind
    model: Any
    name: str
    written: tuple[str, ...]


KINDS: dict[str, Kind] = {
    str(kind.type): kind
    for kind in (
        Kind(NodeKind.GATEWAY, Gateway, "identifier", ("label", "site", "expected_interval")),
        Kind(NodeKind.DATALOGGER, Datalogger, "identifier", ("label", "site", "expected_interval")),
        Kind(NodeKind.SENSOR, SensorDevice, "name", ("label", "unit", "kind", "decimals", "expected_interval")),
    )
}


def shown(value: Any) -> str:
    """A value as its cell holds it, before it is made harmless."""
    return "" if value is None else str(value)


def file_of(querysets: Iterable[QuerySet[Any]], delimiter: str) -> Iterator[str]:
    """The table's text, piece by piece: gateways, dataloggers, sensors."""
    connections = connection_names()
    yield _lines([COLUMNS], delimiter)
    for rows in querysets:
        kind = next(one for one in KINDS.values() if one.model is rows.model)
        found = rows.order_by("connection__name", "key", "pk").iterator(CHUNK)
        while chunk := list(islice(found, CHUNK)):
            notes = newest_notes(kind.type, [row.pk for row in chunk])
            lines = []
            for device in chunk:
                name = connections.get(device.connection_id, "")
                own = [kind.type.value, device.pk, name, device.key, getattr(device, kind.name)]
                written = [getattr(device, name) if name in kind.written else "" for name in WRITTEN]
                lines.append([harmless(shown(value)) for value in (*own, *written, notes.get(device.pk, ""))])
            yield _lines(lines, delimiter)


def connection_names() -> dict[int, str]:
    """{connection: name}: far fewer than devices, and heavy with certificates."""
    return dict(MqttConnection.objects.values_list("pk", "name"))


def short_file(devices: Iterable[tuple[Kind, Any, Mapping[str, Any]]]) -> str:
    """Only these devices, with what would stand there after their changes ({field: new value})."""
    lines: list[Sequence[str]] = [("type", "id", *WRITTEN)]
    for kind, device, new in devices:
        values = [new.get(name, getattr(device, name)) if name in kind.written else "" for name in WRITTEN]
        lines.append(tuple(harmless(shown(value)) for value in (kind.type.value, device.pk, *values)))
    return _lines(lines, ",")


def newest_notes(kind: NodeKind, pks: list[int]) -> dict[int, str]:
    """{device: the beginning of its newest note}."""
    rows = Note.objects.filter(kind=kind, object_id__in=pks)
    newest = rows.order_by().values("object_id").annotate(last=Max("at")).values_list("object_id", "last")
    wanted = dict(newest)
    found = rows.filter(at__in=set(wanted.values())).values_list("object_id", "at", "text")
    return {pk: " ".join(text.split())[:LONGEST_NOTE] for pk, at, text in found if wanted.get(pk) == at}


def _lines(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return stream.getvalue()
