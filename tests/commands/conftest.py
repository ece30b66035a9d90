"""Consoles of one's own for commands that replace a whole database, on whichever database the tests run on."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.console import Console

SERVER = os.environ.get("DATABASE_URL", "")
"""Of PostgreSQL, when the tests run on it."""

MakeConsole = Callable[..., Console]


def run(console: Console, *words: str, code: int = 0, **settings: object) -> str:
    """A command that must end with this code; what it printed."""
    done = console.manage(*words, **settings)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def python(console: Console, code: str) -> str:
    """Run Python inside the console's settings; what it printed."""
    done = console.manage("shell", "--no-imports", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Makers:
    """Makes consoles with a database each, and takes the databases away again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[str] = []

    def __call__(self, name: str, like: Console | None = None) -> Console:
        """A console by its name: with an empty database, or a copy of another with all its data and keys."""
        settings: dict[str, object] = {}
        if SERVER:
            database = f"console_{uuid.uuid4().hex[:12]}"
            template = f" TEMPLATE {urlsplit(str(like.settings['DATABASE_URL'])).path[1:]}" if like else ""
            self._execute(f"CREATE DATABASE {database}{template}")
            self.made.append(database)
            settings["DATABASE_URL"] = urlunsplit(urlsplit(SERVER)._replace(path=f"/{database}"))
        if like:
            shutil.copytree(like.data_dir, self.folder / name)
        return Console(self.folder / name, settings=settings)

    def clear(self) -> None:
        for database in self.made:
            self._execute(f"DROP DATABASE {database} WITH (FORCE)")

    @staticmethod
    def _execute(statement: str) -> None:
        with psycopg.connect(SERVER, autocommit=True) as link:
            link.execute(statement)


@pytest.fixture
def make_console(tmp_path: Path) -> Iterator[MakeConsole]:
    makers = Makers(tmp_path)
    yield makers
    makers.clear()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeConsole]:
    """For what is made once and then copied."""
    makers = Makers(tmp_path_factory.mktemp("templates"))
    yield makers
    makers.clear()
