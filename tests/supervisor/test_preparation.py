"""What `up` has done by another process: it stays small itself, and nothing of it is lost when it is stopped early."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.console import ROOT, environment
from tests.servers import PATIENCE, free_port, wait_for


def settings_of(data_dir: Path) -> dict[str, str]:
    """The environment of a console in this folder, on ports of its own."""
    ports = {"HTTP_PORT": free_port(), "EMBEDDED_BROKER_PORT": free_port()}
    return environment(DJANGO_SETTINGS_MODULE="app.settings", DATA_DIR=data_dir, **ports)


def started(data_dir: Path) -> "subprocess.Popen[str]":
    """`manage.py up` in an empty folder, not waited for."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        env=settings_of(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(data_dir: Path) -> list[str]:
    """The command lines of all that have this data folder in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"DATA_DIR={data_dir}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text())
    return found


def accounts(data_dir: Path) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(data_dir / "vedetta.sqlite3")) as database:
        return int(database.execute("select count(*) from auth_user").fetchone()[0])
    return 0


@pytest.mark.parametrize("stage", ["up.lock", "valkey.pid", "mqtt.pid"])
def test_stopped_at_any_moment_it_leaves_nobody_behind_and_tells_the_password_that_it_made(
    tmp_path: Path, stage: str
) -> None:
    data_dir = tmp_path / "data"
    process = started(data_dir)
    wait_for((data_dir / "run" / stage).exists, what=stage)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    assert processes_of(data_dir) == []
    assert said.count("password=") == accounts(data_dir), said
    assert "Traceback" not in said


def test_a_preparation_that_is_killed_is_told(tmp_path: Path) -> None:
    code = "from mqtt.supervisor import console, preparation;"
    code += "preparation.manage = lambda *_: ['sh', '-c', 'kill -9 $$']; console.Console().run()"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=settings_of(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert told.returncode == 1
    assert "SIGKILL" in told.stderr


def test_the_supervisor_itself_loads_neither_models_nor_pages(tmp_path: Path) -> None:
    code = "import sys, mqtt.supervisor.console; print(*sorted(sys.modules), sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env=settings_of(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.split("\n")
    assert "mqtt.supervisor.console" in loaded
    assert not {"mqtt.models", "django.contrib.auth.models", "django.template", "rest_framework"} & set(loaded)
