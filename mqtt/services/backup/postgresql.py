"""PostgreSQL: all tables by COPY out of one snapshot, without a program of its own."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from mqtt.exceptions import BackupError
from mqtt.services.backup.archive import Manifest, Tell, Writer, members

PART = 32 * 1024 * 1024
"""Bytes of a table that are held in memory before they are packed."""
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
BOUNDS = re.compile(r"FOR VALUES FROM \('[0-9A-Za-z :.+-]+'\) TO \('[0-9A-Za-z :.+-]+'\)")


def size() -> int:
    """Bytes that the database takes on its disk; an archive is smaller."""
    return int(_one("SELECT pg_database_size(current_database())"))


def tables() -> list[dict[str, Any]]:
    """All tables with their columns, as the database knows them: a backup before an update has older ones."""
    query = """
        SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attgenerated = '' AND c.relname <> 'django_migrations'
        GROUP BY c.relname ORDER BY c.relname
    """
    return [{"name": name, "columns": columns} for name, columns in _all(query)]


def partitions() -> list[tuple[str, str, str]]:
    """(parent, child, bounds) of all partitions with bounds."""
    query = """
        SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relispartition AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
        ORDER BY c.relname
    """
    return [row for row in _all(query) if row[2] != "DEFAULT"]


def dump(writer: Writer, manifest: Manifest, tell: Tell) -> None:
    """Write every table in parts; the caller opened the snapshot that the manifest was read in."""
    for number, table in enumerate(manifest.tables):
        tell(f"copying {table['name']}", number, len(manifest.tables))
        for part, data in enumerate(_parts(table)):
            writer.add_bytes(f"tables/{table['name']}/{part:06}", data)


def snapshot() -> None:
    """See one moment from here to the end of the transaction, and disturb nobody."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _parts(table: dict[str, Any]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {_columns(table)} FROM {_quoted(table['name'])}) TO STDOUT") as copy,  # noqa: S608 - names are checked
    ):
        for data in copy:  # whole rows, always
            buffer.write(data)
            if buffer.tell() >= PART:
                yield buffer.getvalue()
                buffer = io.BytesIO()
    if buffer.tell():
        yield buffer.getvalue()


@transaction.atomic
def load(path: Path, manifest: Manifest, tell: Tell) -> None:
    """Replace everything by what the archive holds, in the shape that its tables had; all of it or nothing."""
    _drop_everything()
    _migrate_to(manifest.migrations)
    known = {table["name"]: table for table in manifest.tables}
    with transaction.atomic():
        with connection.cursor() as cursor:
            # What migrations put in, such as the roles, comes back with its old keys.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what they still had to check would hold the tables
            cursor.execute("TRUNCATE " + ", ".join(_quoted(name) for name in sorted(known)))
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # tables come by their names
            for parent, child, bounds in manifest.partitions:
                _check(parent, child, bounds)
                cursor.execute(f"CREATE TABLE IF NOT EXISTS {child} PARTITION OF {parent} {bounds}")
        with members(path) as found:
            for name, stream in found:
                kind, _, rest = name.partition("/")
                table = known.get(rest.rpartition("/")[0]) if kind == "tables" else None
                if table:
                    tell(f"restoring {table['name']}", list(known).index(table["name"]), len(known))
                    _copy_in(table, stream.read())
        set_sequences(manifest.tables)


def _copy_in(table: dict[str, Any], data: bytes) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {_quoted(table['name'])} ({_columns(table)}) FROM STDIN") as copy,
    ):
        copy.write(data)


def _drop_everything() -> None:
    names = [row[0] for row in _all(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
        "AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )]  # fmt: skip
    if names:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(_quoted(name) for name in names)} CASCADE")


def _migrate_to(applied: list[tuple[str, str]]) -> None:
    """Make the tables as they were: the migrations of the archive, no further."""
    executor = MigrationExecutor(connection)
    wanted = set(applied)
    targets = [one for one in wanted if not (set(executor.loader.graph.node_map[one].children) & wanted)]
    executor.migrate([(one[0], one[1]) for one in sorted(targets)])


def set_sequences(found: list[dict[str, Any]]) -> None:
    """Let the next row take the key behind the highest."""
    with connection.cursor() as cursor:
        for table in found:
            for column in table["columns"]:
                cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table["name"], column])
                sequence = cursor.fetchone()[0]
                if sequence:
                    newest = f"SELECT max({_quoted(column)}) FROM {_quoted(table['name'])}"  # noqa: S608 - checked
                    cursor.execute(f"SELECT setval(%s, COALESCE(({newest}), 0) + 1, false)", [sequence])


def _check(parent: str, child: str, bounds: str) -> None:
    if not (NAME.fullmatch(parent) and NAME.fullmatch(child) and BOUNDS.fullmatch(bounds)):
        raise BackupError("This backup names partitions that are none of ours.")


def _columns(table: dict[str, Any]) -> str:
    return ", ".join(_quoted(column) for column in table["columns"])


def _quoted(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BackupError("This backup names tables that are none of ours.")
    return f'"{name}"'


def _all(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _one(query: str) -> Any:
    return _all(query)[0][0]
