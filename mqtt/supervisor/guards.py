"""What would go wrong later, said before anything starts: one sentence each."""

import errno
import fcntl
import os
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from app.env import stop

JUST_STOPPED = 2.0
"""Seconds that a port may take to come free after the console before was killed."""


class FolderInUseError(Exception):
    """Another process holds the data folder; its text is that process's id."""


def lock_folder(data_dir: Path) -> IO[str]:
    """Hold the data folder for this process; the lock ends with the returned file. Stops with one line when held."""
    try:
        return take_folder(data_dir)
    except FolderInUseError as error:
        stop(f"it runs already in {data_dir} (process {error}). Stop that one, or set another DATA_DIR.")


def take_folder(data_dir: Path) -> IO[str]:
    """Hold the data folder. Raises FolderInUseError."""
    stream = (data_dir / "run" / "up.lock").open("a+")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.seek(0)
        pid = stream.read().strip() or "unknown"
        stream.close()
        raise FolderInUseError(pid) from error
    stream.truncate(0)
    stream.write(f"{os.getpid()}\n")
    stream.flush()
    return stream


@dataclass(frozen=True)
class Listener:
    """An address that is to be listened on, and the names of the settings it came from."""

    host: str
    port: int
    host_setting: str
    port_setting: str


def check_ports(listeners: list[Listener]) -> None:
    """Stop with one line when an address cannot be listened on, or two want the same."""
    with ExitStack() as held:
        for listener in listeners:
            probe = held.enter_context(_bound(listener))
            probe.listen(1)


def _bound(listener: Listener) -> socket.socket:
    end = time.monotonic() + JUST_STOPPED
    while True:
        try:
            return _bind(listener.host, listener.port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < end:
                time.sleep(0.1)
            else:
                _explain(listener, error)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    probe = socket.socket(family, kind, protocol)
    try:
        # As the servers do: a port whose old connections are still closing can be listened on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    except OSError:
        probe.close()
        raise
    return probe


def _explain(listener: Listener, error: OSError) -> NoReturn:
    if error.errno == errno.EADDRINUSE:
        stop(
            f"port {listener.port} of {listener.host} is taken already. "
            f"Stop what listens there, or set {listener.port_setting} to a free port."
        )
    if error.errno == errno.EACCES:
        stop(f"port {listener.port} needs more rights: set {listener.port_setting} to a port above 1023.")
    stop(f"{listener.host_setting} must be an address of this machine, not {listener.host!r} ({error.strerror}).")
