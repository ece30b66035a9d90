import errno
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mqtt.supervisor import child as child_module
from mqtt.supervisor.child import END_WITH_PARENT, Child, Program
from mqtt.supervisor.family import Family
from mqtt.supervisor.output import Output
from tests.console import is_alive
from tests.servers import wait_for

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
CRASH = [sys.executable, "-c", "raise SystemExit(3)"]


def program(command: list[str], is_ready: Callable[[], bool] = lambda: True, name: str = "thing") -> Program:
    return Program(name, command, is_ready)


def test_a_process_is_ready_when_its_check_says_so(tmp_path: Path) -> None:
    family = Family(tmp_path, Output())
    answer = [False]
    family.start([program(SLEEP, lambda: answer[0])])
    family.look_after()
    assert not family.is_ready()
    answer[0] = True
    family.look_after()
    assert family.is_ready("thing")
    assert int((tmp_path / "thing.pid").read_text()) == family.children[0].state.pid
    family.stop()
    assert not (tmp_path / "thing.pid").exists()


def test_a_process_that_says_it_is_broken_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "FIRST_PAUSE", 0.01)
    command = [sys.executable, "-c", "import time; print('thread panicked at', flush=True); time.sleep(60)"]
    child = Child(Program("thing", command, lambda: True, broken=("panicked at",)), tmp_path, Output())
    child.start()
    wait_for(lambda: child.look_after() and child.restarts > 0, what="a restart")
    assert child.state.last_exit == -9
    child.signal(signal.SIGKILL)
    wait_for(child.has_ended, what="the end")


def test_the_pause_before_the_next_try_grows_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(child_module, "LONGEST_PAUSE", 0.05)
    child = Child(program(CRASH), tmp_path, Output())
    child.start()
    pauses = []
    while child.restarts < 5:
        if child.look_after() and child.phase == "waiting":
            pauses.append(child._pause)  # the one after this
        time.sleep(0.005)
    wait_for(child.has_ended, what="the end")
    assert pauses == pytest.approx([0.02, 0.04, 0.05, 0.05, 0.05])
    assert child.state.last_exit == 3


def test_a_full_disk_and_a_machine_without_room_for_a_process_end_no_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(child_module, "FIRST_PAUSE", 0.01)
    output = Output()
    child = Child(program(CRASH), tmp_path, output)
    child.start()
    wait_for(lambda: child.look_after() and child.phase == "waiting", what="its end")

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_process(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as crowded:
        crowded.setattr(subprocess, "Popen", no_process)
        wait_for(lambda: child.look_after() and child.restarts == 1, what="a try in vain")
        assert child.phase == "waiting"
    monkeypatch.setattr(child_module, "write_whole", no_room)
    wait_for(lambda: child.look_after() and child.restarts == 2, what="the next try")
    assert child.phase == "starting"
    wait_for(child.has_ended, what="the end")
    output.close()
    said = capfd.readouterr().out
    assert "thing cannot be started (Resource temporarily unavailable) and is tried again in 0.0" in said
    assert "thing.pid cannot be written: No space left on device" in said


def test_a_long_life_makes_the_pause_short_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GOOD_LIFE", 0.0)
    child = Child(program(CRASH), tmp_path, Output())
    child._pause = 8.0
    child.start()
    wait_for(lambda: child.look_after() and child.phase == "waiting", what="the death")
    assert child.seconds_left is not None
    assert child.seconds_left <= child_module.FIRST_PAUSE


def test_a_process_that_never_becomes_ready_is_started_again(tmp_path: Path) -> None:
    child = Child(Program("thing", SLEEP, lambda: False, patience=0.05), tmp_path, Output())
    child.start()

    def round_() -> bool:
        child.look_after()
        return child.restarts == 1

    wait_for(round_, what="the second try")
    assert child.state.last_exit == -9
    child.signal(child_module.signal.SIGKILL)
    wait_for(child.has_ended, what="the end")


def test_what_was_started_last_is_stopped_first_and_the_deaf_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqtt.supervisor.family.TIME_TO_STOP", 3.0)
    monkeypatch.setattr("mqtt.supervisor.family.SERVERS_SHARE", 0.5)
    family = Family(tmp_path, Output())
    ended, ready = tmp_path / "ended", [tmp_path / "ready-1", tmp_path / "ready-2"]
    deaf_one = f"""
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({str(ready[0])!r}).touch()
time.sleep(60)
"""
    first = f"""
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path({str(ended)!r}).write_text(str(pathlib.Path("/proc/" + sys.argv[1]).exists()))
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(ready[1])!r}).touch()
time.sleep(60)
"""
    family.start([program([sys.executable, "-c", deaf_one], name="early")])
    deaf = family.children[0].state.pid
    family.start([program([sys.executable, "-c", first, str(deaf)], name="late")])
    wait_for(lambda: all(path.exists() for path in ready), what="the handlers of the two")
    family.stop()
    assert ended.read_text() == "True"
    assert all(child.state.last_exit is not None for child in family.children)
    assert family.children[0].state.last_exit == -9


@pytest.mark.parametrize("watcher", ["", "1"], ids=["kernel", "watcher"])
def test_a_command_ends_with_its_parent(tmp_path: Path, watcher: str) -> None:
    pid_file = tmp_path / "pid"
    command = f"import os, pathlib, time; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(60)"
    parent = f"""
import os, subprocess, sys, time
bound = [sys.executable, "-I", "-S", {str(END_WITH_PARENT)!r}, str(os.getpid())]
subprocess.Popen([*bound, sys.executable, "-c", {command!r}])
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], env={"VEDETTA_WATCHER": watcher})
    wait_for(lambda: pid_file.exists() and pid_file.read_text(), what="the command's start")
    pid = int(pid_file.read_text())
    assert is_alive(pid)
    process.kill()
    process.wait()
    wait_for(lambda: not is_alive(pid), what="the command's end")


def test_a_command_whose_parent_is_gone_already_does_not_start() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", str(END_WITH_PARENT), "1", "true"], check=False)
    assert done.returncode == 1
