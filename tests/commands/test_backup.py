"""Backups there and back, by the commands that people type, on SQLite and on PostgreSQL."""

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as settings_of_django
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mqtt.exceptions import BackupError
from mqtt.models import ClockMark, MqttWorker, Site
from mqtt.services.backup import archive, keys, making, restoring, sqlite
from mqtt.supervisor import prepare
from mqtt.supervisor.guards import take_folder
from tests import factories
from tests.commands.conftest import MakeConsole, python, run
from tests.console import Console
from tests.servers import wait_for

pytestmark = pytest.mark.database

FILL = """
from datetime import UTC, datetime, timedelta
from mqtt.encryption import encrypt
from mqtt.models import *
from tests import factories
site = factories.make_site(name="Mill", time_zone="Europe/Rome")
plant = factories.make_connection(name="Plant", site=site, client_id="original", password_token=encrypt("tr0mbone"),
    leased=False, status_context={"detail": "it’s\\t\\\\ \\n fine"})
factories.make_lease(plant, -1, session_open=True, session_client_id="original")
sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway(plant)), name="è NULL \\\\N")
start = datetime(2026, 11, 20, tzinfo=UTC)
for n in range(200):
    factories.make_reading(sensor, value=n / 7, time=start + timedelta(hours=n))
factories.make_reading(sensor, value=None, text="a\\tb\\nc", time=datetime(1999, 1, 1, tzinfo=UTC))
factories.make_undecoded(plant, payload=bytes(range(256)))
factories.make_command(plant)
"""
TELL = """
from mqtt.models import *
from mqtt.encryption import decrypt
plant = MqttConnection.objects.get(name="Plant")
print(Reading.objects.count(), sum(r.value or 0 for r in Reading.objects.all()) > 2842, plant.site.name,
    plant.status_context, bytes(UndecodedMessage.objects.get().payload) == bytes(range(256)),
    Reading.objects.get(value=None).text.split(), SensorDevice.objects.get().name, Command.objects.count())
"""
IDENTITY = """
from mqtt.models import *
from mqtt.encryption import decrypt
plant = MqttConnection.objects.get(name="Plant")
print(plant.client_id, decrypt(plant.password_token), ConnectionLease.objects.filter(session_open=True).count())
"""
ONE_MORE = """
from tests import factories
factories.make_connection(name="After", leased=False, client_id="after")
factories.make_site(name="After")
"""


@pytest.fixture(scope="session")
def filled(templates: MakeConsole) -> Console:
    console = templates("filled")
    run(console, "migrate", "-v0")
    return console


@pytest.fixture(scope="session")
def before(filled: Console) -> str:
    """What it holds."""
    return python(filled, FILL + TELL)


@pytest.fixture(scope="session")
def outdated(templates: MakeConsole) -> Console:
    """Not up to date with its tables."""
    console = templates("outdated")
    run(console, "migrate", "-v0", "mqtt", "0008")
    return console


@pytest.fixture
def original(make_console: MakeConsole, filled: Console, before: str) -> Console:
    return make_console("original", like=filled)


def back_up(console: Console, tmp_path: Path, **more: object) -> Path:
    run(console, "backup", "--to", str(tmp_path / "safe"), **more)
    (path,) = (tmp_path / "safe").iterdir()
    return path


def secret_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / f"passphrase-{len(text)}"
    path.write_text(f"{text}\n")
    return str(path)


def test_a_backup_is_put_back_on_another_machine_as_a_console_of_its_own(
    original: Console, before: str, make_console: MakeConsole, tmp_path: Path
) -> None:
    path = back_up(original, tmp_path, BACKUP_PASSPHRASE="correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = make_console("other")
    said = run(other, "restore", str(path), "--passphrase-file", secret_file(tmp_path, "correct horse"))
    assert "1 connections, with new client ids" in said
    assert "stood here before" not in said, "there was only the file that looking for a database makes"
    told, identity = python(other, TELL + IDENTITY + ONE_MORE).splitlines()  # keys go on where they were
    assert told == before
    client_id, password, sessions = identity.split()
    assert client_id.startswith("vedetta-")
    assert (password, sessions) == ("tr0mbone", "0")
    original_password = (original.data_dir / "broker_password").read_text()
    assert (other.data_dir / "broker_password").read_text() == original_password


def test_a_backup_goes_back_over_later_data_as_the_same_console(original: Console, before: str, tmp_path: Path) -> None:
    path = back_up(original, tmp_path)
    python(original, ONE_MORE)
    refused = run(original, "restore", str(path), "--same", code=1)
    assert "--replace" in refused
    said = run(original, "restore", str(path), "--same", "--replace")
    assert "with their client ids" in said
    told = python(original, f"{TELL}{IDENTITY}print(MqttConnection.objects.count())")
    assert told.splitlines() == [before, "original tr0mbone 1", "1"]
    if "DATABASE_URL" not in original.settings:
        assert len(list((original.data_dir / "backups").glob("replaced-*.sqlite3"))) == 1


MIGRATE = "from mqtt.supervisor import prepare; print(prepare.migrate())"


def test_a_database_with_data_is_backed_up_before_its_tables_change_and_can_go_back(
    make_console: MakeConsole, outdated: Console
) -> None:
    console = make_console("console", like=outdated)
    changed, again = python(console, f"{MIGRATE}\n{MIGRATE}").splitlines()
    assert int(changed) > 0
    assert again == "0"
    (path,) = (console.data_dir / "backups").glob("before-update-*.tar.gz")
    assert ("mqtt", "0009_commands") not in archive.read_manifest(path).migrations
    assert list((console.data_dir / "backups").iterdir()) == [path]
    run(console, "restore", str(path))
    assert python(console, "from mqtt.models import *; print(Command.objects.count())") == "0"


@pytest.mark.django_db(transaction=True)
class TestRefusals:
    """None of them touches the database."""

    def test_a_wrong_passphrase_or_none(self, tmp_path: Path, settings: Any) -> None:
        path = making.make_backup(tmp_path, passphrase="right")
        with pytest.raises(CommandError, match="not the one"):
            call_command("restore", path, passphrase_file=secret_file(tmp_path, "wrong"))
        with pytest.raises(CommandError, match="--without-keys"):
            call_command("restore", path)
        output = StringIO()
        settings.BACKUP_PASSPHRASE = "right"
        call_command("restore", path, "--dry-run", stdout=output)
        assert "with its keys" in output.getvalue()

    def test_a_damaged_or_foreign_file(self, tmp_path: Path) -> None:
        whole = making.make_backup(tmp_path).read_bytes()
        files = {"cut": whole[:-2000], "short": whole[:100], "foreign": b"no archive", "empty": b""}
        for name, data in files.items():
            path = tmp_path / f"{name}.tar.gz"
            path.write_bytes(data)
            with pytest.raises(CommandError, match=f"{name}.tar.gz"):
                call_command("restore", path, "--replace")
        with pytest.raises(CommandError, match="There is no file"):
            call_command("restore", tmp_path / "missing")

    def test_data_that_nobody_said_may_go_and_a_process_that_runs(self, tmp_path: Path) -> None:
        factories.make_connection()
        path = making.make_backup(tmp_path)
        with pytest.raises(CommandError, match="--replace"):
            call_command("restore", path)
        now = timezone.now()
        MqttWorker.objects.create(holder="x", started_at=now, expires_at=now + timedelta(hours=1))
        with pytest.raises(CommandError, match="stop the console first"):
            call_command("restore", path, "--replace")
        with take_folder(settings_of_django.DATA_DIR), pytest.raises(CommandError, match="The console is running"):
            call_command("restore", path, "--replace")

    def test_an_update_without_room_for_its_backup(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
        with pytest.raises(SystemExit, match="BACKUP_BEFORE_UPDATE=off"):
            prepare._back_up()

    def test_a_database_of_a_newer_version(self) -> None:
        recorder = MigrationRecorder(connection)
        recorder.record_applied("mqtt", "9999_from_tomorrow")
        try:
            with pytest.raises(SystemExit, match="9999_from_tomorrow") as refused:
                prepare.refuse_newer()
            assert "\n" not in str(refused.value)
        finally:
            recorder.record_unapplied("mqtt", "9999_from_tomorrow")


@pytest.mark.django_db(transaction=True)
class TestMaking:
    def test_the_newest_are_kept_and_others_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "vedetta-notes.txt").write_text("mine")
        made = [making.make_backup(tmp_path, keep=2) for _ in range(3)]
        other = making.make_backup(tmp_path, kind="before-update", keep=1)
        assert {one.name for one in tmp_path.iterdir()} == {made[1].name, made[2].name, other.name, "vedetta-notes.txt"}
        assert [one.path for one in making.made(tmp_path)] == [made[2], made[1]]
        assert making.made(tmp_path / "missing") == []

    def test_all_are_kept_while_the_clock_is_in_doubt(self, tmp_path: Path) -> None:
        ClockMark.objects.create(pk=1, newest_received_at=timezone.now() + timedelta(days=1))
        made = [making.make_backup(tmp_path, keep=1) for _ in range(2)]
        assert all(one.exists() for one in made)

    def test_a_disk_without_room_is_not_filled(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
        with pytest.raises(BackupError, match="not enough room"):
            making.make_backup(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_what_fails_leaves_nothing_half_done(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(archive.Writer, "finish", broken)
        with pytest.raises(BackupError, match="No space left"):
            making.make_backup(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_it_sees_one_moment_while_others_write(self, tmp_path: Path) -> None:
        stopping = threading.Event()

        def write_pairs() -> None:
            while not stopping.is_set():
                with transaction.atomic():
                    factories.make_site(), factories.make_site()
            connection.close()

        writer = threading.Thread(target=write_pairs)
        writer.start()
        try:
            wait_for(lambda: Site.objects.count() > 10, what="some pairs")
            counts = [sites_in(making.make_backup(tmp_path / "safe"), tmp_path) for _ in range(3)]
        finally:
            stopping.set()
            writer.join()
        assert counts == sorted(counts)
        assert counts[0] > 10
        assert all(count % 2 == 0 for count in counts)


def sites_in(path: Path, folder: Path) -> int:
    """How many sites a backup holds."""
    archive.check(path)
    with archive.members(path) as found:
        for name, stream in found:
            if name == sqlite.MEMBER:
                (folder / "copy.sqlite3").write_bytes(stream.read())
                with closing(sqlite3.connect(folder / "copy.sqlite3")) as copy:
                    return int(copy.execute("SELECT count(*) FROM mqtt_site").fetchone()[0])
            if name.startswith("tables/mqtt_site/"):
                return stream.read().count(b"\n")
    return 0


def test_keys_open_with_their_passphrase_alone() -> None:
    locked = keys.lock({"credentials_key": "k"}, "p")
    assert "k" not in locked.values()
    assert keys.unlock(locked, "p") == {"credentials_key": "k"}
    for other in ({**locked, "salt": "AAAA"}, {"token": "x"}, locked):
        with pytest.raises(BackupError):
            keys.unlock(other, "q")


def test_a_backup_of_the_other_database_or_a_newer_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for vendor, migrations, word in (("oracle", [], "is of oracle"), ("", [("mqtt", "9999_x")], "newer version")):
        path = tmp_path / f"{word.split()[0]}.tar.gz"
        manifest = archive.Manifest(vendor or connection.vendor, "2.0", "2026-11-25T00:00:00+00:00", migrations)
        with archive.writing(path, manifest):
            pass
        with pytest.raises(BackupError, match=word):
            restoring.look(path, "")
