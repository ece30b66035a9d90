"""Typed readers of the environment: a bad value stops the start with one line that names it."""

import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import dj_database_url
from environs import EnvError, FileAwareEnv

T = TypeVar("T")

DATABASE_PATIENCE = 5
"""Seconds for PostgreSQL to let somebody in."""

env = FileAwareEnv()
"""Reads `X`, or the content of the file that `X_FILE` names."""


def stop(sentence: str) -> NoReturn:
    """End the process with one line and exit code 1."""
    sys.exit(f"Vedetta cannot start: {sentence}")


def read_file(path: Path) -> None:
    """Take what the environment does not say from a `.env` file, when there is one."""
    try:
        env.read_env(str(path), recurse=False)
    except OSError as error:
        stop(f"{path} cannot be read ({error.strerror}). Give it to the user that Vedetta runs as: chown USER {path}")


def _read(name: str, reader: Callable[[], T], expected: str) -> T:
    try:
        return reader()
    except (EnvError, ValueError) as error:
        stop(f"{name} must be {expected} ({error}).")


def text(name: str, default: str = "") -> str:
    """The variable's text without surrounding blanks; an empty variable counts as not set."""
    value = _read(name, lambda: env.str(name, default=""), "text in a readable file")
    return value.strip() or default


def flag(name: str, *, default: bool) -> bool:
    """on/off, true/false, yes/no or 1/0."""
    if not text(name):
        return default
    return _read(name, lambda: env.bool(name), "on or off")


def integer(name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number within bounds, both included."""
    value = _read(name, lambda: int(text(name, str(default))), f"a whole number, not {text(name)!r}")
    if not lowest <= value <= highest:
        stop(f"{name} must be between {lowest} and {highest}, not {value}.")
    return value


def number(name: str, default: float, lowest: float, highest: float) -> float:
    """A decimal number within bounds, both included."""
    value = _read(name, lambda: float(text(name, str(default))), f"a number, not {text(name)!r}")
    if not lowest <= value <= highest:
        stop(f"{name} must be between {lowest} and {highest}, not {value}.")
    return value


def words(name: str) -> list[str]:
    """A list written with commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def hosts(name: str, default: list[str]) -> list[str]:
    """Names and addresses as browsers ask for them, without scheme and port; `*` stands for all."""
    plain = re.compile(r"[^/:\s]+|\[[0-9a-fA-F:.]+\]")
    return _each(
        name, plain.fullmatch, "names without scheme and port, such as console.example.com or [fd00::5]", default
    )


def origins(name: str) -> list[str]:
    """Schemes with names, as browsers say where a form came from."""
    plain = re.compile(r"https?://[^/\s]+")
    return _each(name, plain.fullmatch, "origins such as https://console.example.com")


def addresses(name: str) -> list[str]:
    """IP addresses of single machines."""

    def is_address(word: str) -> bool:
        with suppress(ValueError):
            return str(ip_address(word)) == word  # as it is compared
        return False

    return _each(name, is_address, "addresses of single machines, such as 10.0.0.5")


def _each(name: str, is_right: Callable[[str], object], expected: str, default: list[str] | None = None) -> list[str]:
    found = words(name)
    if wrong := next((word for word in found if not is_right(word)), ""):
        stop(f"{name} must be {expected}, not {wrong!r}.")
    return found or list(default or [])


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of a closed list."""
    value = text(name, default)
    if value not in allowed:
        stop(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def channel_layer(kind: str, url: str) -> dict[str, Any]:
    """Channels' two layers over Redis; why the first is ours: docs/adr/0007-libraries.md."""
    config: dict[str, Any] = {"hosts": [url], "prefix": "vedetta"}
    if kind == "pubsub":
        return {"BACKEND": "app.pubsub_layer.PubSubLayer", "CONFIG": config}
    # A process that reads nothing for a minute is gone, and what waits for it is of no use any more.
    config |= {"capacity": 2000, "expiry": 60, "group_expiry": 3600}
    return {"BACKEND": "app.queue_layer.QueueLayer", "CONFIG": config}


def time_zone() -> str:
    """TIME_ZONE, else the system's zone, else UTC."""
    name = text("TIME_ZONE")
    if name:
        if name not in available_timezones():
            stop(f"TIME_ZONE must be a zone like Europe/Rome, not {name!r}.")
        return name
    local = Path("/etc/localtime")
    parts = local.resolve().parts if local.is_symlink() else ()
    guess = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"
    return guess if guess in available_timezones() and ZoneInfo(guess) else "UTC"


def folder(name: str, default: Path) -> Path:
    """A folder that is made when missing, readable by its owner only."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "run").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        stop(f"{name} ({path}) is not a folder that can be written: {error.strerror}.")
    return path


def path(name: str) -> Path | None:
    """A path that need not exist yet, or nothing."""
    value = text(name)
    return Path(value).expanduser().resolve() if value else None


def kept_secret(name: str, path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """The variable, else the secret kept at `path`, which is made once with mode 0600.

    Several processes may ask at once: the first link wins and all read the same secret.
    """
    given = text(name)
    if given:
        return given
    if not path.exists():
        try:
            handle, draft = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "w") as stream:
                stream.write(make())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first; its secret is the one to use
            finally:
                Path(draft).unlink()
        except OSError as error:
            stop(f"{name} cannot be kept in {path}: {error.strerror}.")
    try:
        secret = path.read_text().strip()
    except OSError as error:
        stop(f"{name} cannot be read from {path}: {error.strerror}.")
    if not secret:
        stop(f"{name} cannot be read from {path}: the file is empty. Put the secret back, or delete the file.")
    return secret


def url(name: str, schemes: tuple[str, ...]) -> str:
    """An address that begins with one of the schemes, or nothing."""
    value = text(name)
    if value and urlsplit(value).scheme not in schemes:
        # The value may hold a password, and this line ends up in logs.
        stop(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    with suppress(ValueError):
        urlsplit(value).port  # noqa: B018 - reading it is the check
        return value
    stop(f"{name} has no port that there is.")


def database(name: str, data_dir: Path, *, pooled: bool) -> dict[str, Any]:
    """Django's DATABASES entry: PostgreSQL, or SQLite in WAL with full sync.

    `pooled`: for many short requests. Threads that keep a connection for themselves have no use for a pool, which
    says only after its patience that the server is away.
    """
    url = text(name, f"sqlite:///{data_dir / 'vedetta.sqlite3'}")
    scheme = urlsplit(url).scheme
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        stop(f"{name} must begin with sqlite:/// or postgresql://{f', not {scheme}' if scheme else ''}.")
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError):
        # The error may quote a part of the password.
        stop(f"{name} cannot be understood. Write / : @ ? # and % in a password as %2F %3A %40 %3F %23 %25.")
    if config["NAME"] in {"", ":memory:"} and "service" not in config.get("OPTIONS", {}):
        example = (
            f"sqlite:///{data_dir / 'vedetta.sqlite3'}" if scheme == "sqlite" else f"{scheme}://user@host:5432/vedetta"
        )
        stop(f"{name} names no database; write it like {example}.")
    if scheme == "sqlite":
        _make_private(Path(str(config["NAME"])))
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # WAL lets pages read while readings are written; FULL keeps a commit through a power cut.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-16000;",
        }
    else:
        config["ENGINE"] = "app.postgresql"
        given = config.get("OPTIONS")
        options = {"connect_timeout": DATABASE_PATIENCE, **(given if isinstance(given, dict) else {})}
        if pooled:
            options["pool"] = {"min_size": 1, "max_size": 16, "timeout": DATABASE_PATIENCE}
        config["OPTIONS"] = options
        config["CONN_MAX_AGE"] = 0  # the pool keeps the connections, or their threads do
    return config


def _make_private(database: Path) -> None:
    """Make a missing SQLite file with mode 0600; what SQLite puts next to it gets the same."""
    with suppress(OSError):  # SQLite will say what is wrong, when somebody asks for it
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o600))


def _addresses() -> list[tuple[int, str]]:
    """The addresses of this machine that its way out leads through, with their families."""
    found = []
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # Connecting a datagram socket sends nothing; it only asks which address would be used.
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            found.append((int(family), str(probe.getsockname()[0])))
    return found


def own_address() -> str:
    """The address under which others most probably reach this machine; loopback when it has no network."""
    return next((address for _, address in _addresses()), "127.0.0.1")


def own_names() -> list[str]:
    """This machine's host names and addresses, for ALLOWED_HOSTS when it listens to everybody."""
    name = socket.gethostname()
    found = {"localhost", "127.0.0.1", "[::1]", name, socket.getfqdn(), f"{name}.local"}
    found.update(f"[{address}]" if family == socket.AF_INET6 else address for family, address in _addresses())
    with suppress(OSError):  # a name that does not resolve adds no address
        resolved = socket.getaddrinfo(name, None, socket.AF_INET)
        found.update(str(info[4][0]) for info in resolved)
    return sorted(found)


def socket_path(data_dir: Path) -> Path:
    """Where the embedded Valkey listens: in the data folder, unless that path is too long for a Unix socket."""
    path = data_dir / "run" / "valkey.sock"
    if len(str(path)) <= 100:
        return path
    place = Path(tempfile.gettempdir()) / f"vedetta-{sha256(str(data_dir).encode()).hexdigest()[:12]}"
    return place / "valkey.sock"
