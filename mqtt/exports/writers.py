"""The forms of an export: CSV, CSV as Excel in Italian reads it, and JSON lines. Columns are named as in the API."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext_lazy as _

from mqtt.presentation.cells import harmless

Row = Sequence[Any]


class CsvWriter:
    """RFC 4180: commas, quotes where needed, lines end with CR LF; times in UTC."""

    name = "csv"
    label: Any = _("CSV")
    hint: Any = _("for most programs, times in UTC")
    ending = "csv"
    content_type = "text/csv; charset=utf-8"
    delimiter = ","
    mark = ""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self._cells: dict[type, Callable[[Any], Any]] = {
            str: harmless, bool: _truth, datetime: _utc, dict: _compact, list: _compact
        }  # fmt: skip

    def head(self) -> bytes:
        """What stands above the rows."""
        return (self.mark + self._lines([self.columns])).encode()

    def block(self, rows: Iterable[Row]) -> bytes:
        """Some rows."""
        cells = self._cells
        return self._lines(
            [cells[type(one)](one) if type(one) in cells else one for one in row] for row in rows
        ).encode("utf-8", "replace")

    def broken(self, sentence: str) -> bytes:
        """The last line of a file that is not whole."""
        return self._lines([[sentence]]).encode()

    def _lines(self, rows: Iterable[Row]) -> str:
        stream = io.StringIO()
        csv.writer(stream, delimiter=self.delimiter, lineterminator="\r\n").writerows(rows)
        return stream.getvalue()


class ExcelItalianWriter(CsvWriter):
    """Semicolons, decimal commas, a byte order mark; times of the console's zone, to the millisecond."""

    name = "excel-it"
    label = _("CSV for Excel in Italian")
    hint = _("semicolons, decimal commas, local times")
    delimiter = ";"
    mark = "\ufeff"

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(columns)
        self._zone = get_current_timezone()
        self._cells |= {float: _comma, datetime: self._local}

    def _local(self, moment: datetime) -> str:
        text = moment.astimezone(self._zone).replace(tzinfo=None).isoformat(" ", "milliseconds")
        return text.removesuffix(".000").replace(".", ",")


class JsonWriter:
    """One object a line."""

    name = "jsonl"
    label: Any = _("JSON lines")
    hint: Any = _("one object a line, for programs")
    ending = "jsonl"
    content_type = "application/x-ndjson"

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns

    def head(self) -> bytes:
        """Nothing: each line names its columns."""
        return b""

    def block(self, rows: Iterable[Row]) -> bytes:
        """Some rows."""
        return b"".join([_json_line(dict(zip(self.columns, row, strict=True))) for row in rows])

    def broken(self, sentence: str) -> bytes:
        """The last line of a file that is not whole."""
        return _json_line({"error": sentence})


WRITERS: dict[str, type[CsvWriter | JsonWriter]] = {
    one.name: one for one in (CsvWriter, ExcelItalianWriter, JsonWriter)
}


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _comma(value: float) -> str:
    return repr(value).replace(".", ",")


def _compact(value: Any) -> str:
    return harmless(json.dumps(value, ensure_ascii=False, default=str))


def _json_line(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
    except TypeError:  # a number beyond 64 bits, or half a character, in what a device said
        return json.dumps(row, default=str).encode() + b"\n"
