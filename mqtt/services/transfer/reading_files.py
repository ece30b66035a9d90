"""Files of readings, CSV or JSON lines: each line becomes a reading, or a sentence that says why not."""

import csv
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

import orjson
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, make_aware

from mqtt.enums import ReadingFlag
from mqtt.models import to_us
from mqtt.presentation.cells import restored
from mqtt.validators import validate_moment

LONGEST_LINE = 1024 * 1024
KNOWN = (
    "sensor", "connection", "key", "time", "time_utc", "received_at", "raw_value", "value", "text", "own_time",
    "uncertain",
)  # fmt: skip
ALIASES = {"sensor_id": "sensor", "timestamp": "time", "received": "received_at"}
TRUE = {"true", "1", "yes", "on", "vero"}
"""The last is what Excel in Italian makes of the first."""


class LineError(Exception):
    """A line that is no reading; its text is the sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """One reading of a file. The sensor is named by its number, or by connection and key."""

    number: int
    sensor: int | None
    connection: str
    key: str
    time_us: int
    received_us: int | None
    value: float | None
    text: str | None
    flags: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was left out."""

    number: int
    why: str


def lines(stream: TextIO) -> Iterator[Line | Refusal]:
    """Every line of a file, whichever of the two forms it has. Raises LineError when it has neither."""
    first = _short(stream, 1)
    if not first.strip():
        raise LineError("The file is empty, or its first line is.")
    if first.lstrip("\ufeff").startswith("{"):
        return _json_lines(first.lstrip("\ufeff"), stream)
    return _csv_lines(first.lstrip("\ufeff"), stream)


def _json_lines(first: str, stream: TextIO) -> Iterator[Line | Refusal]:
    number, text = 1, first
    while text:
        if text.strip():
            try:
                row = orjson.loads(text)
                yield _line(number, row, is_italian=False) if isinstance(row, dict) else Refusal(number, "no object")
            except orjson.JSONDecodeError:
                yield Refusal(number, "no JSON")
            except LineError as error:
                yield Refusal(number, str(error))
        number += 1
        text = _short(stream, number)


def _csv_lines(header: str, stream: TextIO) -> Iterator[Line | Refusal]:
    separator = max(",;\t", key=header.count)
    names = [_name(one) for one in next(csv.reader([header], delimiter=separator))]
    if not {"time", "time_utc"} & set(names) or not {"value", "raw_value", "text"} & set(names):
        raise LineError(
            f"The first line must name the columns, among them time and value. Known are: {', '.join(KNOWN)}."
        )
    if "sensor" not in names and not {"connection", "key"} <= set(names):
        raise LineError("A column sensor must hold the sensor's number, or connection and key together must name it.")
    if twice := [name for name in KNOWN if names.count(name) > 1]:
        raise LineError(f"The first line names {' and '.join(twice)} more than once: which of them counts?")
    reader = csv.reader(_short_lines(stream), delimiter=separator)
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Refusal(number, str(error))
            continue
        if cells:
            try:
                # The form for Excel in Italian: semicolons between cells, commas in numbers.
                row = _row(names, cells)
                yield _line(number, row, is_italian=separator == ";")
            except LineError as error:
                yield Refusal(number, str(error))


def _row(names: list[str], cells: list[str]) -> dict[str, str]:
    """The cells by their columns' names. With one too many the columns are a guess: 21,5 between commas is two."""
    if any(cells[len(names) :]):
        raise LineError(f"{len(cells)} cells, but the first line names {len(names)} columns")
    return dict(zip(names, map(restored, cells), strict=False))


def _short_lines(stream: TextIO) -> Iterator[str]:
    number = 1
    while text := _short(stream, number := number + 1):
        yield text


def _short(stream: TextIO, number: int) -> str:
    """A line that fits into memory. Raises LineError for any other: what such a file says cannot be guessed."""
    try:
        text = stream.readline(LONGEST_LINE)
    except UnicodeDecodeError as error:
        raise LineError(
            f"What comes at line {number:,} or soon after is not UTF-8: save the file as UTF-8 (Excel: CSV UTF-8) and "
            "import it again; what was stored before counts once."
        ) from error
    if len(text) == LONGEST_LINE and not text.endswith("\n"):
        raise LineError(f"Line {number:,} is longer than 1 MB: mend the file and import it again.")
    return text


def _name(cell: str) -> str:
    name = cell.strip().lower().replace(" ", "_")
    return ALIASES.get(name, name)


def _line(number: int, given: Mapping[str, Any], *, is_italian: bool) -> Line:
    row = {_name(str(name)): value for name, value in given.items()}
    # What the device said: the value that an export shows may be corrected, and would be corrected again.
    said = row.get("value") if row.get("raw_value") in (None, "") else row["raw_value"]
    value, text = _value(said, is_italian=is_italian), row.get("text")
    text = None if text in (None, "") else str(text).replace("\0", "\ufffd")
    if (value is None) == (text is None):
        raise LineError("either a value or a text is needed")
    flags = 0 if _is(row, "own_time", default=True) is False else ReadingFlag.OWN_TIME
    if _is(row, "uncertain", default=False):
        flags |= ReadingFlag.UNCERTAIN
    received, owner, key = row.get("received_at"), str(row.get("connection") or ""), str(row.get("key") or "")
    if "\0" in owner + key:
        raise LineError("a name holds a NUL character")
    name = "time_utc" if row.get("time_utc") else "time"  # Excel may have rewritten a time that it took for one
    return Line(
        number,
        _sensor(row.get("sensor")),
        owner,
        key,
        _moment(row.get(name), name),
        None if received in (None, "") else _moment(received, "received_at"),
        value,
        text,
        flags,
    )


def _is(row: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = row.get(name)
    return default if value in (None, "") else str(value).lower() in TRUE


def _sensor(value: Any) -> int | None:
    if value in (None, ""):
        return None
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise LineError(f"{text[:40]!r} is no number of a sensor")
    return int(text)


def _value(value: Any, *, is_italian: bool) -> float | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    try:
        number = float(text.replace(".", "").replace(",", ".") if is_italian and "," in text else text)
    except (ValueError, OverflowError) as error:
        raise LineError(f"{text[:40]!r} is no number") from error
    if not math.isfinite(number):
        raise LineError(f"{text[:40]!r} is no finite number")
    return number


def _moment(value: Any, name: str) -> int:
    with suppress(ValueError, OverflowError, ValidationError):  # said below
        moment = parse_datetime(str(value).strip())
        if moment is not None:
            aware = make_aware(moment, get_current_timezone()) if is_naive(moment) else moment
            validate_moment(aware)
            return to_us(aware)
    raise LineError(f"{name} must be written like 2026-05-01T12:00:00Z, not {str(value)[:40]!r}")
