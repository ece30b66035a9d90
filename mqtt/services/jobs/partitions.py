"""PostgreSQL keeps readings in one partition a UTC day: made ahead here, dropped whole by retention."""

import re
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

DAYS_AHEAD = 7
DAYS_BEHIND = 2
"""Readings that waited a day or two still find a partition of their own."""
_NAME = re.compile(r"mqtt_reading_(\d{4})(\d{2})(\d{2})")


def name_of(day: date) -> str:
    """mqtt_reading_20261123."""
    return f"mqtt_reading_{day:%Y%m%d}"


def existing() -> dict[date, str]:
    """The day partitions that are there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'mqtt_reading'::regclass"
        )
        names = [row[0] for row in cursor.fetchall()]
    found = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match:
            year, month, day = (int(part) for part in match.groups())
            found[date(year, month, day)] = name
    return found


def create_ahead(now: datetime) -> int:
    """Make the days around today that are missing; returns how many."""
    if connection.vendor != "postgresql":
        return 0
    today, there = now.astimezone(UTC).date(), existing()
    missing = [
        day for offset in range(-DAYS_BEHIND, DAYS_AHEAD + 1) if (day := today + timedelta(days=offset)) not in there
    ]
    for day in missing:
        create(day)
    return len(missing)


def create(day: date) -> None:
    """Make one day and take over what the default partition holds of it."""
    name = name_of(day)
    bounds = (f"{day} 00:00:00+00", f"{day + timedelta(days=1)} 00:00:00+00")
    with transaction.atomic(), connection.cursor() as cursor:
        # Fails at once instead of stopping the pipeline behind us when somebody reads for long.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        # A row that came to the default partition after the DELETE would make ATTACH refuse.
        cursor.execute("LOCK TABLE mqtt_reading_default IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE mqtt_reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM mqtt_reading_default WHERE time >= %s AND time < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved",
            bounds,
        )
        cursor.execute(f"ALTER TABLE mqtt_reading ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)


def drop_before(moment: datetime) -> dict[str, int]:
    """Drop whole days that ended before a moment; returns how many rows each had, by name."""
    dropped = {}
    for day, name in sorted(existing().items()):
        if datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) <= moment:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - our own name
                dropped[name] = int(cursor.fetchone()[0])
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                cursor.execute(f"DROP TABLE {name}")
    return dropped
