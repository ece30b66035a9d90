"""SQLite: the database's own way to copy itself, which sees one moment while others write."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from mqtt.exceptions import BackupError
from mqtt.services.backup.archive import BLOCK, Tell, Writer, members

MEMBER = "database.sqlite3"
OURS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mqtt_mqttconnection'"
BESIDE = ("-wal", "-shm")
"""What SQLite keeps next to its file."""


def database_path() -> Path:
    """The file of the configured database."""
    return Path(str(connection.settings_dict["NAME"]))


def size() -> int:
    """Bytes of the database, what is not yet in its main file included."""
    path = database_path()
    return sum(one.stat().st_size for one in (path, path.with_name(f"{path.name}-wal")) if one.exists())


def dump(writer: Writer, folder: Path, tell: Tell) -> None:
    """Copy the database as it is at this moment, then pack the copy."""
    draft = folder / f".copy-{os.getpid()}.sqlite3.part"
    try:
        draft.touch(mode=0o600)
        with closing(sqlite3.connect(database_path())) as source, closing(sqlite3.connect(draft)) as target:
            tell("copying", 0, size())
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        writer.add_file(MEMBER, draft, tell)
    finally:
        draft.unlink(missing_ok=True)


def load(path: Path, tell: Tell) -> Path | None:
    """Put an archive's database in place; returns where the one before it was put."""
    target = database_path()
    draft = target.with_name(f".{target.name}.restored")
    try:
        _unpack(path, draft, tell)
        connection.close()
        kept = _set_aside(target)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return kept


def _unpack(path: Path, draft: Path, tell: Tell) -> None:
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        with members(path) as found:
            for name, source in found:
                if name == MEMBER:
                    done = 0
                    _make_sure_of_room(source, draft.parent)
                    while block := source.read(BLOCK):
                        stream.write(block)
                        done += len(block)
                        tell("unpacking", done, 0)
        stream.flush()
        os.fsync(stream.fileno())
    with closing(sqlite3.connect(draft)) as copy:
        try:
            answer = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            if answer == "ok" and not copy.execute(OURS).fetchone():
                answer = "it holds none of our tables"
        except sqlite3.DatabaseError as error:
            answer = str(error)
    if answer != "ok":
        raise BackupError(f"The database inside {path} is damaged: {answer}.")


def _make_sure_of_room(source: IO[bytes], folder: Path) -> None:
    """Raise BackupError for what would fill the disk; the file says how large it is before it is read."""
    source.seek(0, os.SEEK_END)
    wanted, free = source.tell(), shutil.disk_usage(folder).free
    source.seek(0)
    if wanted > free:
        raise BackupError(
            f"The database inside takes {wanted // BLOCK:,} MB, and {folder} has room for {free // BLOCK:,} MB: "
            "make room, or point DATA_DIR at a larger disk."
        )


def _set_aside(target: Path) -> Path | None:
    """Move the present database away, with what lies beside it; only one without a single table is deleted."""
    if _is_empty(target):
        for suffix in ("", *BESIDE):
            target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
        return None
    folder = settings.DATA_DIR / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept: Path = folder / f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.sqlite3"
    with closing(sqlite3.connect(target)) as source, suppress(sqlite3.DatabaseError):
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("", *BESIDE):
        part = target.with_name(f"{target.name}{suffix}")
        if part.exists():
            shutil.move(part, kept.with_name(f"{kept.name}{suffix}"))
    return kept


def _is_empty(target: Path) -> bool:
    """Whether looking for a database is all that ever made this file."""
    if not target.exists() or not target.stat().st_size:
        return True
    with closing(sqlite3.connect(target)) as source:
        try:
            return not source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError:
            return False  # damaged, and somebody's
