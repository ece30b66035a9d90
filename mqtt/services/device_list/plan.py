"""What a file would change, line by line, and what of it cannot be."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mqtt.enums import NodeKind
from mqtt.models import Site
from mqtt.services.device_list.reading import Row, rows_of
from mqtt.services.device_list.table import CHUNK, KINDS, WRITTEN, Kind, connection_names, short_file, shown

WHOLE = ("decimals", "expected_interval")
MOST_PROBLEMS = 200


@dataclass(frozen=True)
class Change:
    """One field of one device."""

    row: int
    kind: Kind
    device: Any
    field: str
    old: Any
    new: Any

    @property
    def old_text(self) -> str:
        """As the table shows it."""
        return shown(self.old)

    @property
    def new_text(self) -> str:
        """As the table shows it."""
        return shown(self.new)


@dataclass
class Plan:
    """All changes of a file; with a problem none of them is made."""

    changes: list[Change] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    """(row of the spreadsheet, sentence)."""
    unknown: list[str] = field(default_factory=list)
    """Columns that the table does not have; they are left aside."""
    rows: int = 0

    @property
    def devices(self) -> int:
        """How many devices change."""
        return len({(change.kind.type, change.device.pk) for change in self.changes})

    @property
    def short(self) -> str:
        """A file that makes the same changes and holds nothing else."""
        new: dict[tuple[str, int], tuple[Kind, Any, dict[str, Any]]] = {}
        for one in self.changes:
            new.setdefault((one.kind.type, one.device.pk), (one.kind, one.device, {}))[2][one.field] = one.new
        return short_file(new.values())

    @property
    def digest(self) -> str:
        """Tells whether a later look at the same file would change the same."""
        said = [(str(one.kind.type), one.device.pk, one.field, one.old_text, one.new_text) for one in self.changes]
        return sha256(json.dumps(sorted(said)).encode("utf-8", "surrogatepass")).hexdigest()


def plan(text: str, visible: Mapping[str, QuerySet[Any]]) -> Plan:
    """Compare a file with what is stored; `visible` has a queryset of each type. Raises ServiceError for no table."""
    rows, unknown = rows_of(text)
    made = Plan(unknown=unknown, rows=len(rows))
    sites = {site.name: site for site in Site.objects.all()}
    connections = connection_names()
    good = _identified(rows, made)
    for kind, named in good.items():
        devices = _devices(visible[kind], (pk for pk, _ in named))
        for pk, (number, cells) in named:
            device = devices.get(pk)
            why = _not_this(KINDS[kind], device, cells, connections)
            if device is None or why:
                gone = {"type": NodeKind(kind).label, "id": pk}
                _note(made, number, why or _("There is no %(type)s with the id %(id)s.") % gone)
            else:
                _compare(KINDS[kind], device, (number, cells), sites, made)
    made.problems.sort()
    return made


def _identified(rows: Iterable[Row], made: Plan) -> dict[str, list[tuple[int, Row]]]:
    """The rows by type, each with the id that it names; once only."""
    found: dict[str, list[tuple[int, Row]]] = {kind: [] for kind in KINDS}
    seen: dict[tuple[str, int], int] = {}
    for number, cells in rows:
        kind, pk = cells.get("type", "").strip().casefold(), whole(cells.get("id", ""))
        if kind not in KINDS:
            _note(made, number, _("The type is gateway, datalogger or sensor."))
        elif not isinstance(pk, int) or not 0 < pk < 2**63:
            _note(made, number, _("The id is a whole number, as the file came from here."))
        elif (kind, pk) in seen:
            _note(made, number, _("The same device stands in row %(row)s already.") % {"row": seen[kind, pk]})
        else:
            seen[kind, pk] = number
            found[kind].append((pk, (number, cells)))
    return found


def _devices(rows: QuerySet[Any], pks: Iterable[int]) -> dict[int, Any]:
    wanted = list(pks)
    found: dict[int, Any] = {}
    for start in range(0, len(wanted), CHUNK):
        found |= {one.pk: one for one in rows.filter(pk__in=wanted[start : start + CHUNK])}
    return found


def _not_this(kind: Kind, device: Any, cells: dict[str, str], connections: Mapping[int, str]) -> str:
    """Why a row is not about the device with its id; empty when it is."""
    if device is None:
        return ""
    said = {
        "connection": connections.get(device.connection_id, ""),
        "key": device.key,
        "name": getattr(device, kind.name),
    }
    for name, stored in said.items():
        if name in cells and _plain(cells[name]) != _plain(stored):
            facts = {"column": name, "stored": stored}
            return _("%(column)s cannot be changed here, it says which device this is: %(stored)s.") % facts
    return ""


def _compare(kind: Kind, device: Any, row: Row, sites: dict[str, Site], made: Plan) -> None:
    number, cells = row
    for name in WRITTEN:
        cell = cells.get(name)
        if cell is None:
            continue
        stored = getattr(device, name) if name in kind.written else None
        if _plain(cell) == _plain(shown(stored)):
            continue
        if name not in kind.written:
            _note(made, number, _("A %(type)s has no %(column)s.") % {"type": kind.type.value, "column": name})
            continue
        try:
            new = _value(device, name, cell, sites)
        except ValidationError as error:
            _note(made, number, f"{name}: {' '.join(error.messages)}")
        else:
            if new != stored:
                made.changes.append(Change(number, kind, device, name, stored, new))


def _value(device: Any, name: str, cell: str, sites: dict[str, Site]) -> Any:
    """The cell as the field takes it. Raises ValidationError."""
    text = cell.strip()
    if name == "site":
        if text and text not in sites:
            raise ValidationError(_("There is no site %(name)s.") % {"name": text[:120]})
        return sites.get(text)
    model_field = device._meta.get_field(name)  # noqa: SLF001 - public by Django's documentation
    if name in WHOLE:
        return model_field.clean(whole(text), device) if text else None
    return model_field.clean(text, device) if text else ""


def whole(text: str) -> int | str:
    """A whole number, also as spreadsheets write it (60.0, 60,0); else the text itself."""
    number, mark, rest = text.strip().replace(",", ".").partition(".")
    is_whole = number.isdecimal() and number.isascii() and len(number) < 20 and not rest.strip("0")
    return int(number) if is_whole and (rest or not mark) else text


def _plain(text: str) -> str:
    """Without what a spreadsheet may change: blanks and line ends."""
    return " ".join(text.split())


def _note(made: Plan, row: int, sentence: str) -> None:
    if len(made.problems) < MOST_PROBLEMS:
        made.problems.append((row, sentence))
