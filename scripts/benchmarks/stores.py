"""The database of one case, seen from outside: fresh, with the schema, and asked in plain SQL."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.packets import FIRST_VALUE
from tests import servers

ROOT = Path(__file__).resolve().parent.parent.parent
COUNT = "SELECT count(*), count(DISTINCT value) FROM mqtt_reading WHERE value >= %s"
NEWEST = "SELECT value FROM mqtt_reading WHERE sensor_id = %s ORDER BY time DESC LIMIT 1"
SENSOR = "SELECT id, name FROM mqtt_sensordevice WHERE key LIKE %s"
STATUS = "SELECT status, last_connected_at FROM mqtt_mqttconnection"


class Store:
    """One database: its URL for the console, a connection of our own for questions."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self._connection: Any = None

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one SELECT, seen in a transaction of its own."""
        if self._connection is None:
            self._connection = self._open()
        if self.kind == "SQLite":
            question = question.replace("%s", "?")
        return list(self._connection.execute(question, values).fetchall())

    def run(self, statement: str, *values: object) -> None:
        """One statement that changes something."""
        if self._connection is None:
            self._connection = self._open()
        if self.kind == "SQLite":
            statement = statement.replace("%s", "?")
        self._connection.execute(statement, values)

    def _open(self) -> Any:
        if self.kind == "SQLite":
            path = self.url.removeprefix("sqlite:///")
            return sqlite3.connect(path, isolation_level=None, timeout=20, check_same_thread=False)
        return psycopg.connect(self.url, autocommit=True)

    def close(self) -> None:
        """Let the database go."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def counted(self, first: int = FIRST_VALUE) -> tuple[int, int]:
        """Measured readings stored, and how many different ones."""
        rows, different = self.ask(COUNT, first)[0]
        return int(rows), int(different)

    def sensors(self, topic: str) -> dict[str, int]:
        """{name: primary key} of the sensors whose key lies below a topic."""
        return {str(name): int(pk) for pk, name in self.ask(SENSOR, f"{topic}%")}

    def newest(self, sensor: int) -> float:
        """The newest value in a sensor's history; 0 when there is none."""
        rows = self.ask(NEWEST, sensor)
        return float(rows[0][0] or 0) if rows else 0.0

    def link(self) -> tuple[str, object]:
        """The stored status of the one connection, and since when it was last up."""
        status, moment = self.ask(STATUS)[0]
        return str(status), moment


class Stores:
    """Makes fresh databases as copies of one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        self._postgresql = ""
        self._migrated: set[str] = set()

    def fresh(self, kind: str) -> Store:
        """An empty database with the schema."""
        self._number += 1
        return self._fresh_sqlite() if kind == "SQLite" else self._fresh_postgresql()

    def _fresh_sqlite(self) -> Store:
        template = self.folder / "template.sqlite3"
        self._migrate("SQLite", f"sqlite:///{template}")
        copy = self.folder / f"case-{self._number}.sqlite3"
        shutil.copyfile(template, copy)
        return Store("SQLite", f"sqlite:///{copy}")

    def _fresh_postgresql(self) -> Store:
        if not self._postgresql:
            self._postgresql = servers.start_postgresql(self.folder / "postgresql")
            self._administer("CREATE DATABASE template_bench")
        self._migrate("PostgreSQL", self._named("template_bench"))
        self._administer(f"CREATE DATABASE case_{self._number} TEMPLATE template_bench")
        return Store("PostgreSQL", self._named(f"case_{self._number}"))

    def _named(self, database: str) -> str:
        return self._postgresql.replace("/postgres?", f"/{database}?")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._postgresql, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _migrate(self, kind: str, url: str) -> None:
        if kind not in self._migrated:
            environment = {**os.environ, "DATA_DIR": str(self.folder / "template"), "DATABASE_URL": url}
            command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            self._migrated.add(kind)
