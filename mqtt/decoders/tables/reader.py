"""A text -> a table: names, units and rows, or None when it is no table."""

import csv
import re
from dataclasses import dataclass, field

from mqtt.decoders.tables.moments import is_moment
from mqtt.decoders.units import spelled
from mqtt.decoders.walk import NUMBER, SWITCH_WORDS
from mqtt.exceptions import UndecodableError

MOST_LINES = 2000
MOST_FIELDS = 20_000
MOST_RARE = 20_000
"""Letters of a table that is parted by a rare sign."""
_DECIMAL_COMMA = re.compile(r"[-+]?\d{1,15},\d{1,15}")
_EMPTY = frozenset(("", "nan", "-nan", "null", "none", "n/a", "-"))
TOA5 = "TOA5"
RECORD = re.compile(r"\d{1,10}")


@dataclass(slots=True)
class Table:
    """Rows of values under names."""

    names: list[str]
    rows: list[list[str]]
    units: dict[int, str] = field(default_factory=dict)
    station: str = ""
    """Who the table says it is of."""
    facts: dict[str, str] = field(default_factory=dict)
    is_named: bool = True
    """Whether the names come from the table and not from the columns' numbers."""


def delimiter_of(line: str) -> str:
    """What parts the values of a line; a comma may be a decimal mark where something else does."""
    for sign in (";", "\t"):
        if sign in line and line.count(sign) >= line.count(",") - line.count(sign):
            return sign
    return ","


RARE = ("|", "%", "^", "~")
"""What parts values in few tables: only names above rows that each have as many values make it one."""
_NAMES = re.compile(r"[A-Za-z_][\w .()/°-]*")
_WORDS = re.compile(r"[A-Za-z_]\w*")
_BLANKS = re.compile(r"[ \t]+")


def rare(lines: list[str]) -> list[list[str]]:
    """The rows of a table that is parted by a rare sign, or lined up with blanks; empty when it is none."""
    for sign in RARE:
        if sign in lines[0]:
            rows = [[value.strip() for value in line.strip().split(sign)] for line in lines]
            return rows if _is_even(rows, _NAMES) else []
    rows = [_BLANKS.split(line.strip()) for line in lines]
    return rows if len(rows[0]) > FEWEST and _is_even(rows, _WORDS) else []


FEWEST = 2
"""Words above each other are a sentence and its end."""


def _is_even(rows: list[list[str]], names: re.Pattern[str]) -> bool:
    head = rows[0]
    is_even = len(rows) > 1 and len(head) > 1 and all(len(row) == len(head) for row in rows)
    return is_even and all(map(names.fullmatch, head)) and all(any(map(_says, row)) for row in rows[1:])


def number(value: str) -> float | None:
    """A value as a number; the decimal mark may be a comma."""
    if _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")
    return float(value) if NUMBER.fullmatch(value) else None


def is_empty(value: str) -> bool:
    """Whether a field stands for a missing value."""
    return value.lower() in _EMPTY


def is_value(value: str) -> bool:
    """A number, a switch position or nothing."""
    return number(value) is not None or value.lower() in SWITCH_WORDS or is_empty(value)


def read(text: str) -> Table | None:
    """The table that a text is. Raises UndecodableError for endless ones."""
    lines = [line for line in text.split("\n", MOST_LINES) if line.strip() and line[0] != "#"]
    if not lines:
        return None
    if lines[0].lower().startswith("sep=") and len(lines) > 1:
        del lines[0]  # what spreadsheets put first
    delimiter = delimiter_of(lines[0])
    is_titled = delimiter not in lines[0]
    if is_titled:
        rows = rare(lines) if len(lines) <= MOST_LINES and len(text) <= MOST_RARE else []
        if rows:
            return _headed(rows)
        lines = lines[1:]  # perhaps a title
        delimiter = delimiter_of(lines[0]) if lines else delimiter
        if not lines or delimiter not in lines[0]:
            return None
    if len(lines) > MOST_LINES or text.count(delimiter) > MOST_FIELDS:
        raise UndecodableError("too_many_values", limit=MOST_FIELDS)
    try:
        rows = [[value.strip() for value in row] for row in csv.reader(lines, delimiter=delimiter, strict=True)]
    except csv.Error:
        return None
    if rows[0][0] == TOA5:
        return _toa5(rows)
    return _headed(rows) or (None if is_titled else _bare(rows))


def _toa5(rows: list[list[str]]) -> Table | None:
    """Campbell Scientific's file format: environment, names, units, what was done to the values, rows."""
    if len(rows) < 5 or len(rows[0]) < 2:
        return None
    _format, station, *rest = rows[0]
    facts = dict(zip(("model", "serial", "firmware", "program"), rest, strict=False))
    units = {index: spelled(unit) for index, unit in enumerate(rows[2]) if unit not in {"TS", "RN"}}
    return Table(rows[1], rows[4:], units, station, facts)


def _headed(rows: list[list[str]]) -> Table | None:
    """Names in the first row, perhaps units in the second."""
    names = rows[0]
    if len(rows) < 2 or len(names) < 2 or len(set(names)) < len(names):
        return None
    named = names[1:] if not names[0] else names  # the numbers of rows have no name
    if any(is_value(name) or is_moment(name) or len(name) > 100 for name in named):
        return None
    units: dict[int, str] = {}
    below = rows[1:]
    if len(below) > 1 and not any(_says(value) for value in below[0]) and any(_says(value) for value in below[1]):
        units = {index: spelled(unit.strip("[]()")) for index, unit in enumerate(below[0])}
        below = below[1:]
    if not any(_says(value) for value in below[0]):
        return None
    return Table(names, below, units)


def _says(value: str) -> bool:
    return number(value) is not None or is_moment(value)


def _bare(rows: list[list[str]]) -> Table | None:
    """Rows without names: columns go by their numbers, a logger's by their numbers after time and record."""
    first = rows[0]
    if len(rows) > 1 and len(first) > 2 and is_moment(first[1]) and not _says(first[0]) and is_moment(rows[1][0]):
        return Table(_numbered(rows[1]), rows[1:], station=first[0], is_named=False)
    if is_moment(first[0]):
        if len(first) < 2 or not any(is_value(value) for value in first[1:]):
            return None
    elif len(first) < 3 or 2 * sum(map(is_value, first)) < len(first) or not any(map(_says, first)):
        return None
    return Table(
        _numbered(first) if len(rows) > 1 else [str(index) for index in range(len(first))], rows, is_named=False
    )


def _numbered(row: list[str]) -> list[str]:
    if len(row) > 2 and is_moment(row[0]) and RECORD.fullmatch(row[1]):
        return ["time", "record", *(f"data_{number}" for number in range(1, len(row) - 1))]
    return [str(index) for index in range(len(row))]
