"""The children's lines, each with its name in front, on our own standard output."""

import os
import queue
import threading
from typing import IO

LONGEST_LINE = 4000
"""Bytes; a longer line continues on the next."""
MOST_WAITING = 5000
"""Lines kept for a reader that does not read. Beyond it lines are left out: no log may stop the console."""


Alarm = tuple[tuple[str, ...], threading.Event]
NO_ALARM: Alarm = ((), threading.Event())


def shown(raw: bytes) -> str:
    """A line that cannot move a terminal's cursor or colour it: a device may have chosen its text."""
    text = raw.decode(errors="replace").rstrip("\r\n")
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text)


class Output:
    """Takes lines from any thread and never makes them wait."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write, name="output", daemon=True)
        self._writer.start()

    def say(self, line: str) -> None:
        """Print a line of the supervisor's own, without a name in front."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def follow(self, name: str, stream: IO[bytes], noise: tuple[str, ...] = (), alarm: Alarm = NO_ALARM) -> None:
        """Print all lines of a child but the noisy ones, until its stream ends. The alarm's words set its event."""
        arguments = (name, stream, noise, alarm)
        threading.Thread(target=self._read, args=arguments, name=f"output-{name}", daemon=True).start()

    def close(self, seconds: float = 0.5) -> None:
        """Give what is still waiting a moment to be written."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._writer.join(seconds)

    def _read(self, name: str, stream: IO[bytes], noise: tuple[str, ...], alarm: Alarm) -> None:
        with stream:
            while raw := stream.readline(LONGEST_LINE):
                line = shown(raw)
                if not any(words in line for words in noise):
                    self.say(f"{name:<6} | {line}")
                if any(words in line for words in alarm[0]):
                    alarm[1].set()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._left_out:
                line, self._left_out = f"({self._left_out} lines left out)\n{line}", 0
            data = f"{line}\n".encode()
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                continue  # nobody reads any more: the console runs on, its lines are lost
