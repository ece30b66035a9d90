"""Archives that are none of ours, damaged or made to harm: refused in a line, and nothing is touched."""

import gzip
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from mqtt.exceptions import BackupError
from mqtt.models import Site
from mqtt.services.backup import archive, making, sqlite
from tests import factories

pytestmark = pytest.mark.database


def packed(path: Path, *infos: tuple[tarfile.TarInfo, bytes]) -> Path:
    """An archive of these members, whatever they say of themselves."""
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for info, data in infos:
            stream.write(info.tobuf() + data + bytes(-len(data) % 512))
        stream.write(bytes(1024))
    return path


def member(name: str, data: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def said_by(**fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A manifest that says something else."""
    manifest = archive.Manifest(connection.vendor, "1.0", "2026-11-25T00:00:00+00:00", [])
    return member(archive.MANIFEST, json.dumps({**asdict(manifest), **fields}).encode())


WHOLE = member(archive.LAST, b'{"members": 2}')
HOSTILE: dict[str, Callable[[], list[tuple[tarfile.TarInfo, bytes]]]] = {
    "a manifest without end": lambda: [member(archive.MANIFEST, b"[" + b" " * archive.MOST_SAID)],
    "a manifest that is nested deeply": lambda: [member(archive.MANIFEST, b"[" * 1_000_000)],
    "a header that asks for all memory": lambda: [member("x", type=tarfile.XHDTYPE, size=10**12)],
    "a link out of it": lambda: [said_by(), member("x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), WHOLE],
    "a device": lambda: [said_by(), member("x", type=tarfile.CHRTYPE), WHOLE],
    "holes": lambda: [said_by(), member("x", type=tarfile.GNUTYPE_SPARSE), WHOLE],
    "more members than any backup": lambda: [said_by(), *[member("x")] * archive.MOST_MEMBERS, WHOLE],
    "an end that is no JSON": lambda: [said_by(), member(archive.LAST, b"{")],
    "an end of another type": lambda: [said_by(), member(archive.LAST, b"[1]")],
    "a version that steers the terminal": lambda: [said_by(version="1\x1b[2J"), WHOLE],
    "a time that is none": lambda: [said_by(created_at="2026-13-45T00:00:00"), WHOLE],
    "a vendor that is no text": lambda: [said_by(vendor=[]), WHOLE],
    "migrations of another shape": lambda: [said_by(migrations=[["mqtt"]]), WHOLE],
    "tables that are none": lambda: [said_by(tables=[7]), WHOLE],
    "keys that are a list": lambda: [said_by(keys=[1]), WHOLE],
    "a word that nobody knows": lambda: [said_by(spell="x"), WHOLE],
    "no object": lambda: [member(archive.MANIFEST, b"7")],
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_line_and_touches_nothing(what: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "hostile.tar.gz", *HOSTILE[what]())
    with pytest.raises(CommandError, match=r"hostile.tar.gz") as refused:
        call_command("restore", path, "--replace", "--without-keys")
    assert "\n" not in str(refused.value)


@pytest.mark.django_db(transaction=True)
def test_a_byte_that_turned_round_on_the_disk_is_noticed(tmp_path: Path) -> None:
    path = making.make_backup(tmp_path)
    whole = path.read_bytes()
    content, noticed = gzip.decompress(whole), 0
    for place in range(20, len(whole), len(whole) // 200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:  # which sentence depends on what the byte stood for
            call_command("restore", path, "--dry-run")
        except CommandError:
            noticed += 1
        else:  # a repetition may point to another place at which the same stands
            assert gzip.decompress(path.read_bytes()) == content
    assert noticed > 190


@pytest.mark.django_db
def test_a_database_that_does_not_fit_the_disk_or_our_tables_stays_outside(tmp_path: Path, monkeypatch: Any) -> None:
    if connection.vendor != "sqlite":
        return  # its file
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as foreign:
        foreign.execute("CREATE TABLE mine (x)")
    path = packed(tmp_path / "foreign.tar.gz", said_by(), member(sqlite.MEMBER, other.read_bytes()), WHOLE)
    target = tmp_path / "stays.sqlite3"
    target.write_bytes(b"what stood there")
    monkeypatch.setattr(sqlite, "database_path", lambda: target)
    with pytest.raises(BackupError, match="none of our tables"):
        sqlite.load(path, archive.tell_nobody)
    monkeypatch.setattr(sqlite.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(BackupError, match="make room"):
        sqlite.load(path, archive.tell_nobody)
    assert target.read_bytes() == b"what stood there"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.django_db(transaction=True)
def test_tables_that_do_not_fit_leave_postgresql_as_it_was(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite's file is looked at before it is put in place
    factories.make_site(name="Stays")
    applied = list(MigrationRecorder(connection).applied_migrations())
    said = said_by(tables=[{"name": "mqtt_site", "columns": ["nothing"]}], migrations=applied)
    path = packed(tmp_path / "other.tar.gz", said, member("tables/mqtt_site/000000", b"1\n"), WHOLE)
    with pytest.raises(CommandError, match="does not fit our tables") as refused:
        call_command("restore", path, "--replace")
    assert "\n" not in str(refused.value)
    assert Site.objects.get().name == "Stays"
