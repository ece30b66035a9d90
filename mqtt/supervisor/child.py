"""One child process: started, watched, started again after a pause that grows, and stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mqtt.supervisor.output import Output
from mqtt.supervisor.state import ChildPhase, ChildState, write_whole

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
GOOD_LIFE = 30.0
"""Seconds of life after which a death counts as a new trouble, and the pause is short again."""
END_WITH_PARENT = Path(__file__).with_name("end_with_parent.py")


def ending_with_us(command: list[str]) -> list[str]:
    """The command line of a process that ends when this one does, however that is ended."""
    return [sys.executable, "-I", "-S", str(END_WITH_PARENT), str(os.getpid()), *command]


def no_preparation() -> None:
    """Nothing to do before the process starts."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to know that it does its work. `is_ready` answers within half a second."""

    name: str
    command: list[str]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = no_preparation
    patience: float = 60.0
    """Seconds to become ready, before the process is taken for stuck and killed."""
    broken: tuple[str, ...] = ()
    """A line with one of these in it says that the process lives, but works no more: it is started again."""
    noise: tuple[str, ...] = ()
    """Lines with one of these in them are not shown: known to mean nothing here."""


class Child:
    """The process of a program, one after the other. All methods belong to the main thread.

    (Linux ends a process with the *thread* that started it: see end_with_parent.)
    """

    def __init__(self, program: Program, run_dir: Path, output: Output) -> None:
        self.program = program
        self.phase = ChildPhase.STOPPED
        self.restarts = 0
        self._pid_file = run_dir / f"{program.name}.pid"
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._is_broken = threading.Event()
        self._started = 0.0
        self._started_at: datetime | None = None
        self._last_exit: int | None = None
        self._pause = FIRST_PAUSE
        self._next_try = 0.0

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def state(self) -> ChildState:
        """What others may know."""
        pid = self._process.pid if self._process else None
        return ChildState(self.name, pid, self.phase, self._started_at, self.restarts, self._last_exit)

    @property
    def seconds_left(self) -> float | None:
        """Until the next try of a waiting child; None otherwise."""
        return max(0.0, self._next_try - time.monotonic()) if self.phase is ChildPhase.WAITING else None

    def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C in the terminal is for the supervisor to pass on."""
        self.program.before()
        self._process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            ending_with_us(self.program.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
            start_new_session=True,
        )
        assert self._process.stdout  # noqa: S101 - asked for above
        self._is_broken = threading.Event()
        alarm = (self.program.broken, self._is_broken)
        self._output.follow(self.name, self._process.stdout, self.program.noise, alarm)
        self._started = time.monotonic()
        self._started_at = datetime.now(UTC)
        self.phase = ChildPhase.STARTING
        try:
            write_whole(self._pid_file, f"{self._process.pid}\n")
        except OSError as error:  # a full disk: the process runs all the same
            self._output.say(f"{self._pid_file} cannot be written: {error.strerror}")

    def look_after(self) -> bool:
        """Notice a death, the end of a pause, or readiness; returns whether the state changed."""
        if self.phase is ChildPhase.WAITING:
            if time.monotonic() < self._next_try:
                return False
            self.restarts += 1
            try:
                self.start()
            except OSError as error:  # no room for another process: what runs goes on meanwhile
                self._wait(f"cannot be started ({error.strerror}) and is tried again")
            return True
        if self._process is None:
            return False
        if self._process.poll() is not None:
            self._died(self._process.returncode)
            return True
        if self._is_broken.is_set():
            self._is_broken.clear()
            self._process.kill()
        if self.phase is ChildPhase.STARTING:
            if self.program.is_ready():
                self.phase = ChildPhase.RUNNING
                return True
            if time.monotonic() - self._started > self.program.patience:
                self._output.say(f"{self.name} is not ready after {self.program.patience:g} s and is started again.")
                self._process.kill()
        return False

    def signal(self, number: signal.Signals) -> None:
        """Ask the process to end, or end it; nothing happens when it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def has_ended(self) -> bool:
        """Whether no process is left; the last one's remains are cleared away."""
        if self._process is not None:
            if self._process.poll() is None:
                return False
            self._last_exit = self._process.returncode
        self._process = None
        self.phase = ChildPhase.STOPPED
        self._pid_file.unlink(missing_ok=True)
        return True

    def _died(self, code: int) -> None:
        if time.monotonic() - self._started > GOOD_LIFE:
            self._pause = FIRST_PAUSE
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._last_exit, self._process = code, None
        self._pid_file.unlink(missing_ok=True)
        self._wait(f"{how} and is started again")

    def _wait(self, what: str) -> None:
        """Say what happened, and pause, ever longer, before the next try."""
        self._output.say(f"{self.name} {what} in {self._pause:g} s.")
        self._next_try = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self.phase = ChildPhase.WAITING
