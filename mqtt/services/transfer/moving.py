"""From SQLite to PostgreSQL: every table of a SQLite file, copied into the configured PostgreSQL as it is."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from mqtt.exceptions import BackupError
from mqtt.models import from_us
from mqtt.services.backup import postgresql
from mqtt.services.backup.archive import Tell
from mqtt.services.jobs import partitions
from mqtt.services.pipeline.reading_store import pack_readings

READINGS = "mqtt_reading"
ROWS = 20_000
"""Read from SQLite at a time."""
OLDEST_PARTITION = timedelta(days=3660)
"""Readings that are older, or from the future, lie together in the default partition."""
US_A_DAY = 86_400_000_000

Convert = Callable[[Any], Any]


def copy_from_sqlite(path: Path, tell: Tell) -> dict[str, int]:
    """Replace what the tables hold by the rows of the file; returns how many of each. Raises BackupError."""
    with closing(_opened(path)) as source:
        _refuse_other_tables(source)
        tables = postgresql.tables()
        _make_partitions(source)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE " + ", ".join(f'"{table["name"]}"' for table in tables))
            copied = {table["name"]: _copy(source, table, tell) for table in tables}
            postgresql.set_sequences(tables)
    return copied


def _opened(path: Path) -> sqlite3.Connection:
    """The file, read only, at one moment."""
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        source.close()
        raise BackupError(f"{path} is no SQLite database: {error}.") from error
    return source


def _refuse_other_tables(source: sqlite3.Connection) -> None:
    """Both must be of this version: whoever is older is started once, or migrated, first."""
    try:
        there = set(source.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as error:
        raise BackupError("This SQLite file is no database of Vedetta.") from error
    here = set(MigrationRecorder(connection).applied_migrations())
    if there != here:
        raise BackupError(
            "The SQLite file is of another version than this program. Start it once as it is, without DATABASE_URL, "
            "so that its tables are brought up to date; then copy it."
        )


def _make_partitions(source: sqlite3.Connection) -> None:
    """A partition for each day that has readings, as if they had arrived here."""
    today = datetime.now(UTC).date()
    there = partitions.existing()
    for (number,) in source.execute(f"SELECT DISTINCT time / {US_A_DAY} FROM {READINGS}"):  # noqa: S608 - constants
        try:
            day = date(1970, 1, 1) + timedelta(days=number)
        except OverflowError:
            continue
        if day not in there and today - OLDEST_PARTITION < day <= today + timedelta(days=partitions.DAYS_AHEAD):
            partitions.create(day)


def _copy(source: sqlite3.Connection, table: dict[str, Any], tell: Tell) -> int:
    name, names = table["name"], table["columns"]
    columns = ", ".join(f'"{one}"' for one in names)
    total = source.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - the database's own names
    rows = source.execute(f'SELECT {columns} FROM "{name}"')  # noqa: S608 - as above
    count = 0
    is_binary = name == READINGS
    with connection.cursor() as cursor:
        types = _types(name)
        way = " (FORMAT binary)" if is_binary else ""
        for part in _parts(rows):
            with cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN{way}') as copy:
                if is_binary:
                    copy.write(pack_readings(part))
                else:
                    _write(copy, part, [_converter(*types[one]) for one in names])
            count += len(part)
            tell(f"copying {name}", count, total)
    return count


def _parts(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while part := list(islice(rows, ROWS)):
        yield part


def _write(copy: Any, part: Iterable[Sequence[Any]], converters: list[Convert]) -> None:
    for row in part:
        copy.write_row(
            [None if value is None else convert(value) for value, convert in zip(row, converters, strict=True)]
        )


def _types(name: str) -> dict[str, tuple[str, int | None]]:
    """{column: (type, longest text)} of a table here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND table_name = %s",
            [name],
        )
        return {column: (kind, longest) for column, kind, longest in cursor.fetchall()}


def _converter(kind: str, longest: int | None) -> Convert:
    """From what SQLite keeps to what the column takes."""
    if kind == "boolean":
        return bool
    if kind == "timestamp with time zone":
        return lambda value: from_us(value) if isinstance(value, int) else f"{value}+00"
    if kind in {"character varying", "text"}:
        # PostgreSQL knows no NUL in texts, and holds to lengths that SQLite only notes.
        return lambda value: str(value).replace("\0", "\ufffd")[:longest]
    return lambda value: value
