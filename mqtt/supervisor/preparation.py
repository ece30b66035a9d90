"""`up` has everything prepared by a process that ends again: Django with all its pages would stay in memory."""

import signal
import subprocess
import sys

from app.env import stop
from mqtt.supervisor.child import ending_with_us
from mqtt.supervisor.output import Output
from mqtt.supervisor.programs import manage

CHECKED = "checked"
"""The line which says that nothing stands against the start."""
PASSWORD = "password="  # noqa: S105 - a mark
"""Begins the line that carries the first account's password."""
TIME_TO_STOP = 3.0
"""Seconds that a preparation may take to leave off."""


class Preparation:
    """One run of `manage.py prepare --for-up`. Where it fails it has said why, and this process ends with its code."""

    def __init__(self, output: Output) -> None:
        self.password = ""
        """Of the first account, where one was made up."""
        self._output = output
        self._process: subprocess.Popen[str] | None = None

    def check(self) -> None:
        """Start it, and wait until it says that the console may start; it goes on with the tables."""
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            ending_with_us(manage("prepare", "--for-up")),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on
        )
        self._go_on(self._hear(self._process, until=CHECKED))

    def finish(self) -> None:
        """Wait until everything is in its place."""
        if self._process:
            self._go_on(self._hear(self._process))

    def leave_off(self) -> None:
        """End it where it still runs; a password that it has made is heard all the same."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(TIME_TO_STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._hear(self._process)

    @staticmethod
    def _go_on(code: int) -> None:
        if code < 0:
            stop(f"what prepares it was ended by {signal.Signals(-code).name}. Is there memory enough?")
        if code:
            sys.exit(code)

    def _hear(self, process: "subprocess.Popen[str]", until: str | None = None) -> int:
        """Pass on what it says, up to one line or its end; returns its exit code, 0 while it runs."""
        for line in process.stdout or ():
            text = line.rstrip()
            if text == until:
                return 0
            if text.startswith(PASSWORD):
                self.password = text.removeprefix(PASSWORD)
            else:
                self._output.say(text)
        return process.wait()
