"""Making a backup: enough room, one archive with everything, the oldest ones deleted."""

import shutil
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from mqtt.exceptions import BackupError
from mqtt.services import clock
from mqtt.services.backup import keys, postgresql, sqlite
from mqtt.services.backup.archive import Manifest, Tell, tell_nobody, writing
from mqtt.services.backup.made import SUFFIX, made

ROOM = {"sqlite": 1.6, "postgresql": 0.6}
"""Bytes that are needed for each byte of the database: SQLite's copy and its archive, PostgreSQL's archive alone."""
ABANDONED = 6 * 3600
"""Seconds after which a half-made backup is nobody's any more."""


def make_backup(
    folder: Path, *, passphrase: str = "", kind: str = "vedetta", keep: int = 0, tell: Tell = tell_nobody
) -> Path:
    """Write an archive into a folder and delete all but the newest `keep` of its kind (0: none). Raises BackupError.

    The keys are in it only with a passphrase.
    """
    now = datetime.now(UTC)
    path = folder / f"{kind}-{now:%Y%m%d-%H%M%S-%f}{SUFFIX}"
    is_postgresql = connection.vendor == "postgresql"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_remains(folder)
        check_room(folder)
        with transaction.atomic() if is_postgresql else nullcontext():
            if is_postgresql:
                postgresql.snapshot()
            manifest = _manifest(now, passphrase)
            with writing(path, manifest) as writer:
                if is_postgresql:
                    postgresql.dump(writer, manifest, tell)
                else:
                    sqlite.dump(writer, folder, tell)
    except OSError as error:
        raise BackupError(f"The backup cannot be written to {folder}: {error.strerror or error}.") from error
    for old in made(folder, kind)[keep:] if keep and not _is_clock_in_doubt() else ():
        old.path.unlink(missing_ok=True)
    return path


def _is_clock_in_doubt() -> bool:
    """Then the newest may look like the oldest, and all are kept."""
    try:
        return clock.doubt() is not None
    except DatabaseError:  # an older database, saved before its tables change: it has noted nothing
        return False


def _clear_remains(folder: Path) -> None:
    """What a backup left behind that was killed, such as by a power cut; one that is under way is left alone."""
    for draft in folder.glob(".*.part"):
        if time.time() - draft.stat().st_mtime > ABANDONED:
            draft.unlink(missing_ok=True)


def check_room(folder: Path) -> None:
    """Raise BackupError rather than fill the disk that the console lives on."""
    size = (postgresql if connection.vendor == "postgresql" else sqlite).size()
    needed, free = int(size * ROOM[connection.vendor]), shutil.disk_usage(folder).free
    if needed > free:
        raise BackupError(
            f"There is not enough room for a backup in {folder}: it needs about {_megabytes(needed)}, "
            f"{_megabytes(free)} are free."
        )


def _manifest(now: datetime, passphrase: str) -> Manifest:
    is_postgresql = connection.vendor == "postgresql"
    return Manifest(
        vendor=connection.vendor,
        version=settings.VERSION,
        created_at=now.isoformat(timespec="seconds"),
        migrations=sorted(MigrationRecorder(connection).applied_migrations()),
        keys=keys.lock(keys.current_keys(), passphrase) if passphrase else None,
        tables=postgresql.tables() if is_postgresql else [],
        partitions=postgresql.partitions() if is_postgresql else [],
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
