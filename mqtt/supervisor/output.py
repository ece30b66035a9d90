"""The children's lines, each with its name in front, on our own standard output and in a log file that rotates."""

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

LONGEST_LINE = 4000
"""Bytes; a longer line continues on the next."""
MOST_WAITING = 5000
"""Lines kept for a reader that does not read. Beyond it lines are left out: no log may stop the console."""
LOG_SIZE = 5_000_000
"""Bytes of one log file."""
LOG_FILES = 6
"""Files kept: 30 MB, some weeks of an installation with troubles."""


Alarm = tuple[tuple[str, ...], threading.Event]
NO_ALARM: Alarm = ((), threading.Event())


def shown(raw: bytes) -> str:
    """A line that cannot move a terminal's cursor or colour it: a device may have chosen its text."""
    text = raw.decode(errors="replace").rstrip("\r\n")
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text)


class Output:
    """Takes lines from any thread and never makes them wait."""

    def __init__(self, descriptor: int = 1) -> None:
        self._targets = [Target("output", lambda line: write_all(descriptor, line))]

    def keep(self, path: Path) -> None:
        """Write the lines from now on into this file too, beside which older ones lie as `.1`, `.2` and so on."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # delay: a file that cannot be opened is met when a line is written, where it stops nobody.
        file = LogFile(path, maxBytes=LOG_SIZE, backupCount=LOG_FILES - 1, encoding="utf-8", delay=True)
        self._targets.append(Target("log", lambda line: file.emit(logging.makeLogRecord({"msg": line})), file.close))

    def say(self, line: str, kept: str | None = None) -> None:
        """Print a line of the supervisor's own, without a name in front; `kept` goes into the file instead of it."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        self._put(line, f"{'up':<6} | {now} {line if kept is None else kept}")

    def follow(self, name: str, stream: IO[bytes], noise: tuple[str, ...] = (), alarm: Alarm = NO_ALARM) -> None:
        """Print all lines of a child but the noisy ones, until its stream ends. The alarm's words set its event."""
        arguments = (name, stream, noise, alarm)
        threading.Thread(target=self._read, args=arguments, name=f"output-{name}", daemon=True).start()

    def close(self, seconds: float = 0.5) -> None:
        """Give what is still waiting a moment to be written."""
        for target in self._targets:
            target.close(seconds)

    def _read(self, name: str, stream: IO[bytes], noise: tuple[str, ...], alarm: Alarm) -> None:
        with stream:
            while raw := stream.readline(LONGEST_LINE):
                line = shown(raw)
                if not any(words in line for words in noise):
                    named = f"{name:<6} | {line}"
                    self._put(named, named)
                if any(words in line for words in alarm[0]):
                    alarm[1].set()

    def _put(self, printed: str, kept: str) -> None:
        for target, line in zip(self._targets, (printed, kept), strict=False):  # there may be no file
            target.put(line)


class Target:
    """One place that lines go to, with a queue and a thread: a terminal that stands still does not hold up the file."""

    def __init__(self, name: str, write: Callable[[str], None], end: Callable[[], None] = lambda: None) -> None:
        self._write = write
        self._end = end
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have the line written, or count it where too many wait."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def close(self, seconds: float) -> None:
        """Write what waits, for this long at most."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._left_out:
                line, self._left_out = f"({self._left_out} lines left out)\n{line}", 0
            self._write(line)
        self._end()


class LogFile(RotatingFileHandler):
    """Rotates by size; a disk that is full or a folder that is gone costs lines, never the console."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """The line was printed as well: that has to do."""
        with contextlib.suppress(OSError):
            self.close()
        self.stream = None  # opened again for the next line


def write_all(descriptor: int, line: str) -> None:
    """Write a whole line, or give it up where nobody reads any more."""
    data = f"{line}\n".encode()
    with contextlib.suppress(OSError):  # the console runs on, its lines are lost
        while data:
            data = data[os.write(descriptor, data) :]
