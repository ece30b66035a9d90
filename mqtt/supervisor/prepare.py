"""What must be in place before the children start: tables, static files, the first account and connection."""

import logging
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from app.env import stop
from mqtt.encryption import encrypt
from mqtt.exceptions import BackupError
from mqtt.services.backup.making import make_backup

BACKUPS_KEPT = 5


def say_nothing(_line: str) -> None:
    """For who does not listen."""


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
            psycopg.connect(**connection.get_connection_params()).close()
        else:
            connection.ensure_connection()
    except (psycopg.Error, DatabaseError) as error:
        stop(f"the database of DATABASE_URL cannot be used: {' '.join(str(error).split())}")


def migrate(say: Callable[[str], None] = say_nothing) -> int:
    """Bring the tables up to date, after a backup when they hold data; returns how many steps it took.

    Stops with one line when the backup cannot be made.
    """
    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if steps:
        if executor.loader.applied_migrations and settings.BACKUP_BEFORE_UPDATE:
            say("The tables change: a backup is made first ...")
            say(f"Backup before the update: {_back_up()}")
        call_command("migrate", interactive=False, verbosity=0)
    return len(steps)


def refuse_newer() -> None:
    """Stop with one line when the tables were changed by a version that this one does not know."""
    loader = MigrationExecutor(connection).loader
    newer = sorted(name for app, name in loader.applied_migrations if (app, name) not in loader.disk_migrations)
    if newer:
        stop(
            f"its database was updated by a newer version ({newer[-1]}). Take that version again, or restore a backup "
            f"from before the update (in {settings.DATA_DIR / 'backups'}) with manage.py restore --same --replace FILE."
        )


def _back_up() -> Path:
    try:
        return make_backup(
            settings.DATA_DIR / "backups",
            passphrase=settings.BACKUP_PASSPHRASE,
            kind="before-update",
            keep=BACKUPS_KEPT,
        )
    except BackupError as error:
        stop(f"{error} Make room, or go on without a backup with BACKUP_BEFORE_UPDATE=off.")


def collect_static() -> bool:
    """Gather and compress the static files when one of them, or the way to store them, changed; returns whether."""
    stamp = settings.STATIC_ROOT / "collected"
    wanted = _static_digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=["*.py", "*.pyc"])
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
    try:
        users(username=settings.ADMIN_USERNAME).clean_fields(exclude={"password"})
    except ValidationError as error:
        stop(f"ADMIN_USERNAME cannot be the name of an account: {' '.join(error.messages)}")
    generated = "" if settings.ADMIN_PASSWORD else secrets.token_urlsafe(12)
    with transaction.atomic():
        user = users.objects.create_superuser(settings.ADMIN_USERNAME, password=settings.ADMIN_PASSWORD or generated)
        user.groups.add(Group.objects.get(name="administrator"))
    return generated
