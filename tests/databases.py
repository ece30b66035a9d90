"""The test databases: not made for power cuts, and emptied after a test without losing what migrations wrote."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

OF_MIGRATIONS = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}
"""Tables whose rows are there before the first test: the roles and their rights."""


def make_cheap() -> None:
    """SQLite in a file, as it is used (in memory, threads would lock each other out), but never waiting for a disk."""
    database = settings.DATABASES["default"]
    if "sqlite" in str(database["ENGINE"]):
        database["TEST"] = {**database.get("TEST", {}), "NAME": str(Path(settings.DATA_DIR) / "test.sqlite3")}
        options: Any = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


def empty(_: object = None) -> None:
    """Delete what a test with real transactions wrote.

    Django's own flush deletes the roles too, and makes all content types and permissions again after each test.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - OF_MIGRATIONS
        quoted = {table: connection.ops.quote_name(table) for table in tables}
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted[table]})" for table in quoted)
        )
        filled = [table for (table,) in cursor.fetchall()]
        for table in filled:
            cursor.execute(f"DELETE FROM {quoted[table]}")
