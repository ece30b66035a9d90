"""`up` has everything prepared by a process that ends again: Django with all its pages would stay in memory."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

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
    """One run of `manage.py prepare --for-up`. All methods belong to the main thread; `wake` is called from another."""

    def __init__(self, output: Output, wake: Callable[[], None]) -> None:
        self.is_checked = False
        """The console may start; the tables are looked at next."""
        self.password = ""
        """Of the first account, where one was made up."""
        self._output = output
        self._wake = wake
        self._process: subprocess.Popen[str] | None = None
        self._listener = threading.Thread(target=self._hear, name="preparation", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            ending_with_us(manage("prepare", "--for-up")),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on
        )
        self._listener.start()

    def is_over(self) -> bool:
        """Whether everything is in its place. Where it failed it has said why, and this process ends with its code."""
        if self._process is None or self._listener.is_alive():
            return False
        code = self._process.wait()
        if code < 0:
            stop(f"what prepares it was ended by {signal.Signals(-code).name}. Is there memory enough?")
        if code:
            sys.exit(code)
        return True

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
        self._listener.join(TIME_TO_STOP)

    def _hear(self) -> None:
        """Pass on what it says, to its end."""
        assert self._process  # noqa: S101 - started before this thread
        assert self._process.stdout  # noqa: S101 - asked for above
        with self._process.stdout as lines:
            for line in lines:
                text = line.rstrip()
                if text == CHECKED:
                    self.is_checked = True
                    self._wake()
                elif text.startswith(PASSWORD):
                    self.password = text.removeprefix(PASSWORD)
                else:
                    self._output.say(text)
        self._wake()
