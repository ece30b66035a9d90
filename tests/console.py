"""The real console, started by `manage.py up` as its users do, on free ports and in a data folder of its own."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mqtt.supervisor.state import ChildState, read_state
from tests.servers import PATIENCE, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
READY = re.compile(
    r"^Vedetta is ready: (?P<url>\S+)  user=(?P<user>\S+)(?:  password=(?P<password>\S+))?$", re.MULTILINE
)
PREPARE = """
import django
django.setup()
from mqtt.supervisor import prepare
prepare.migrate()
prepare.collect_static()
"""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")


def environment(**settings: object) -> dict[str, str]:
    """A bare environment with these settings, whatever the developer or the test run has set."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        name: str(value) for name, value in settings.items()
    }


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def run_up(data_dir: Path, *options: str, **settings: object) -> "subprocess.CompletedProcess[str]":
    """`manage.py up` to its end, for starts that are refused."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up", *options],
        env=environment(
            **{"DATA_DIR": data_dir, "HTTP_PORT": free_port(), "EMBEDDED_BROKER_PORT": free_port()} | settings
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Console:
    """One console. `pids` are its children's; `password` is the one it printed, when it made one."""

    data_dir: Path
    options: tuple[str, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)
    http_port: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)
    url: str = ""
    username: str = ""
    password: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def output(self) -> str:
        """Everything it printed so far, all its starts included."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def children(self) -> dict[str, ChildState]:
        """Its children by name, as the overview sees them."""
        return {child.name: child for child in read_state(self.data_dir / "run")}

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.data_dir / "vedetta.sqlite3"

    def pid(self, name: str) -> int:
        """The process id of broker, valkey, mqtt, web or demo, as its pid file says."""
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    def pids(self) -> dict[str, int]:
        """All children that have a pid file."""
        return {path.stem: int(path.read_text()) for path in (self.data_dir / "run").glob("*.pid")}

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """A child that stands still, outside of any transaction: SQLite's one writer would hold up all the others."""
        pid = self.pid(name)

        def stands_still() -> bool:
            os.kill(pid, signal.SIGSTOP)
            with closing(sqlite3.connect(self.database, timeout=1)) as database, suppress(sqlite3.OperationalError):
                database.execute("BEGIN IMMEDIATE")
                return True
            os.kill(pid, signal.SIGCONT)
            return False

        try:
            wait_for(stands_still, what=f"a moment in which {name} writes nothing")
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def start(self, seconds: float = PATIENCE) -> "Console":
        """Start it and wait until it says that it is ready."""
        before = len(READY.findall(self.output))
        ports = {"HTTP_PORT": self.http_port, "EMBEDDED_BROKER_PORT": self.broker_port}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up", *self.options],
                env=environment(**{"DATA_DIR": self.data_dir} | ports | self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

        def is_ready() -> bool:
            assert self.process
            assert self.process.poll() is None, f"the console ended:\n{self.output}"
            return len(READY.findall(self.output)) > before

        wait_for(is_ready, seconds, "the console's ready line")
        found = list(READY.finditer(self.output))[-1]
        self.url, self.username = found["url"], found["user"]
        self.password = found["password"] or self.password
        return self

    def manage(self, *words: str, **settings: object) -> "subprocess.CompletedProcess[str]":
        """A management command on the console's data folder."""
        ports = {"HTTP_PORT": self.http_port, "EMBEDDED_BROKER_PORT": self.broker_port}
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            env=environment(**{"DATA_DIR": self.data_dir} | ports | self.settings | settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> float:
        """Send a signal and wait for the end; returns the seconds it took."""
        assert self.process
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(PATIENCE)
        return time.monotonic() - began

    def kill_child(self, name: str) -> int:
        """kill -9 one child and wait until another process has its place; returns the new process id."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)

        def is_back() -> bool:
            child = self.children.get(name)
            return child is not None and child.state == "running" and child.pid not in {None, old}

        wait_for(is_back, what=f"{name} started again")
        return self.pid(name)

    @property
    def _log(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.log")


def made_once(shared: Path) -> Path:
    """A data folder with tables and collected static files, for consoles whose very first start is not the matter."""
    folder = shared / "prepared"
    if not folder.exists():
        own = shared / f"prepared-{os.getpid()}"
        own.mkdir(parents=True)
        settings = environment(DATA_DIR=own, DJANGO_SETTINGS_MODULE="app.settings")
        subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=settings, check=True)
        try:
            own.rename(folder)
        except OSError:  # another worker was quicker
            shutil.rmtree(own)
    return folder


StartConsole = Callable[..., Console]
