"""A file that comes back from a spreadsheet: whatever encoding and separator it has by then, as rows of cells."""

import codecs
import csv
import io
from collections.abc import Iterator

from mqtt.exceptions import ServiceError
from mqtt.presentation.cells import restored
from mqtt.services.device_list.table import COLUMNS

DELIMITERS = (";", ",", "\t", "|")
LONGEST = 4 * 1024 * 1024
MOST_ROWS = 50_000

Row = tuple[int, dict[str, str]]
"""The row's number as the spreadsheet counts, and its cells by column."""


def text_of(data: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 as Excel's "Unicode text", else what Excel in Windows writes as CSV."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def rows_of(text: str) -> tuple[list[Row], list[str]]:
    """The rows, and columns that the table does not have. Raises ServiceError for what is no such table."""
    if len(text) > LONGEST:
        raise ServiceError("list_too_large", limit=LONGEST // 2**20)
    if "\0" in text:
        raise ServiceError("list_not_csv", detail="NUL")
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep="):  # Excel's own way to say it
        text, first = rest, rest.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        found = list(_read(text, delimiter))
    except csv.Error as error:
        raise ServiceError("list_not_csv", detail=str(error)) from None
    if not found:
        raise ServiceError("list_without_columns", names="type, id")
    (_, head), *body = found
    names = [name.strip().strip("'").casefold() for name in head]
    missing = [name for name in ("type", "id") if name not in names]
    if missing:
        raise ServiceError("list_without_columns", names=", ".join(missing))
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        raise ServiceError("list_column_twice", names=", ".join(twice))
    rows = [(number, dict(zip(names, map(restored, cells), strict=False))) for number, cells in body]
    return rows, sorted({name for name in names if name and name not in COLUMNS})


def _read(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, with their number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for number, cells in enumerate(reader, 1):
        if any(cell.strip() for cell in cells):
            if number > MOST_ROWS:
                raise ServiceError("list_too_long", limit=MOST_ROWS)
            yield number, cells
