"""What becomes of a command whose output nobody takes, or which is stopped by Ctrl-C."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.console import ROOT, environment
from tests.servers import free_port, wait_for


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_whose_reader_has_gone_ends_a_command_without_a_word(tmp_path: Path, unbuffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "diffsettings"],
        env=environment(DATA_DIR=tmp_path, PYTHONUNBUFFERED=unbuffered),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_output_that_was_closed_before_the_start_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, str(ROOT / "manage.py"), "diffsettings"],
        env=environment(DATA_DIR=tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_to_a_full_disk_is_an_error_in_one_line(tmp_path: Path, unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "diffsettings"],
            env=environment(DATA_DIR=tmp_path, PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "What was written is not complete: No space left on device.\n")


def test_a_database_that_is_away_is_an_error_in_one_line(tmp_path: Path) -> None:
    settings = environment(DATA_DIR=tmp_path, DATABASE_URL=f"postgresql://ada@127.0.0.1:{free_port()}/console")
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "set_role", "ada", "viewer"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database cannot be used: ")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_a_command_with_one_word(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file.yaml")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "import_config", str(tmp_path / "file.yaml")],
        env=environment(DATA_DIR=tmp_path / "var"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    writer: list[int] = []

    def reads() -> bool:
        assert process.poll() is None, process.communicate()
        with suppress(OSError):  # nobody reads it yet
            writer.append(os.open(tmp_path / "file.yaml", os.O_WRONLY | os.O_NONBLOCK))
        return bool(writer)

    wait_for(reads, what="the command at its file")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    os.close(writer[0])
    assert (process.returncode, output) == (130, "Stopped.\n")
