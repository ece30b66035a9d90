"""What must be in place before the children start: tables, static files, the first account and connection."""

import logging
import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from app.env import stop
from mqtt.encryption import encrypt

BACKUPS_KEPT = 5
DATABASE_PATIENCE = 5
"""Seconds for PostgreSQL to answer the first time."""


def check_keys() -> None:
    """Stop with one line when secrets could not be stored later."""
    try:
        encrypt("trial")
    except ImproperlyConfigured as error:
        stop(str(error))


def check_database() -> None:
    """Stop with one line when the database cannot be reached: the pool would only say that it waited."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        if connection.vendor == "postgresql":
            parameters = {**connection.get_connection_params(), "connect_timeout": DATABASE_PATIENCE}
            parameters.pop("pool", None)
            psycopg.connect(**parameters).close()
        else:
            connection.ensure_connection()
    except (psycopg.Error, DatabaseError) as error:
        stop(f"the database of DATABASE_URL cannot be used: {' '.join(str(error).split())}")


def migrate() -> int:
    """Bring the tables up to date, after a copy of a SQLite file that holds data; returns how many steps it took."""
    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if steps:
        if executor.loader.applied_migrations and connection.vendor == "sqlite":
            back_up(Path(str(settings.DATABASES["default"]["NAME"])), settings.DATA_DIR / "backups")
        call_command("migrate", interactive=False, verbosity=0)
    return len(steps)


def back_up(database: Path, folder: Path) -> Path:
    """Copy a SQLite file as it is at this moment, also while it is written to; keeps the newest few copies."""
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"{database.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.sqlite3"
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    for old in sorted(folder.glob(f"{database.stem}-*.sqlite3"))[:-BACKUPS_KEPT]:
        old.unlink()
    return copy


def collect_static() -> bool:
    """Gather and compress the static files when one of them, or the way to store them, changed; returns whether."""
    stamp = settings.STATIC_ROOT / "collected"
    wanted = _static_digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(wanted)
    return True


def _static_digest() -> str:
    digest = sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def make_first_account() -> str:
    """Make ADMIN_USERNAME an administrator when there is no account yet; returns a password that was made up, or ""."""
    users = get_user_model()
    if users.objects.exists():
        return ""
    generated = "" if settings.ADMIN_PASSWORD else secrets.token_urlsafe(12)
    with transaction.atomic():
        user = users.objects.create_superuser(settings.ADMIN_USERNAME, password=settings.ADMIN_PASSWORD or generated)
        user.groups.add(Group.objects.get(name="administrator"))
    return generated
