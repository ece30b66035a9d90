"""Progress of long work: one line on a terminal, a line now and then in a log, nothing for what is quick."""

import sys
import time

EVERY = 0.5
QUIET = 2.0
"""Seconds before the first word on a terminal."""
IN_A_LOG = 15.0
"""Seconds before the first line, and between two, where no terminal can overwrite them."""


class Progress:
    """Call it as often as you like with what is done, how much, and of how much (0: not known)."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._due = time.monotonic() + (QUIET if self._is_terminal else IN_A_LOG)
        self._is_open = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say it, if it is time again."""
        now = time.monotonic()
        if now < self._due:
            return
        share = f" {done * 100 // total} %" if total else f" {done:,}" if done else ""
        self._due = now + (EVERY if self._is_terminal else IN_A_LOG)
        if self._is_terminal:
            sys.stderr.write(f"\r\033[K{what}{share} ...")
            self._is_open = True
        else:
            sys.stderr.write(f"{what}{share} ...\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Leave the terminal a clean line."""
        if self._is_open:
            sys.stderr.write("\r\033[K")
            self._is_open = False
