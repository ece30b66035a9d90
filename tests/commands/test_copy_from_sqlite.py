"""The move from SQLite to PostgreSQL 18, with everything that a console holds."""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.commands.conftest import python, run
from tests.commands.test_backup import FILL, IDENTITY, ONE_MORE, TELL
from tests.console import Console
from tests.environment import FOLDER
from tests.servers import start_postgresql


@pytest.fixture(scope="module")
def server() -> str:
    """PostgreSQL 18, the one of the tests or one of our own."""
    return os.environ.get("DATABASE_URL") or start_postgresql(FOLDER / "moving")


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """An empty database."""
    name = f"moved_{abs(hash(request.node.name))}"
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@pytest.fixture
def old(tmp_path: Path) -> Console:
    """A console on SQLite, whatever the tests run on."""
    console = Console(tmp_path / "data")
    run(console, "migrate", "-v0")
    return console


def test_everything_is_there_afterwards_and_goes_on(old: Console, url: str) -> None:
    before = python(old, FILL + TELL)
    moved = Console(old.data_dir, settings={"DATABASE_URL": url})
    said = run(moved, "copy_from_sqlite")
    assert "201  mqtt_reading" in said
    days = "from mqtt.services.jobs.partitions import existing; print(len(existing()))"
    told, identity, partitions = python(moved, TELL + IDENTITY + ONE_MORE + days).splitlines()
    assert (told, identity) == (before, "original tr0mbone 1")
    assert int(partitions) >= 9
    assert "--replace" in run(moved, "copy_from_sqlite", code=1)
    run(moved, "copy_from_sqlite", "--replace")
    assert python(moved, TELL) == before
    assert python(old, TELL) == before


def test_a_file_of_another_version_or_none_is_refused(tmp_path: Path, url: str) -> None:
    target = Console(tmp_path / "target", settings={"DATABASE_URL": url})
    older = Console(tmp_path / "older")
    run(older, "migrate", "-v0", "mqtt", "0002")
    assert "another version" in run(target, "copy_from_sqlite", str(older.database), code=1)
    (tmp_path / "text").write_text("no database at all, only a long text " * 100)
    assert "is no SQLite database" in run(target, "copy_from_sqlite", str(tmp_path / "text"), code=1)
    assert "There is no file" in run(target, "copy_from_sqlite", str(tmp_path / "missing"), code=1)


def test_on_sqlite_it_says_what_to_set_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    with pytest.raises(CommandError, match="DATABASE_URL=postgresql"):
        call_command("copy_from_sqlite")
