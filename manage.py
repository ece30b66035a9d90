#!/usr/bin/env python
"""Django's command line for Vedetta."""

import errno
import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

OPTIONS_OF_UP = ("DEMO", "LAN")
"""Options that change settings: in the environment before the settings are read, and so for the children too."""
STOPPED = 130
"""Exit code after Ctrl-C, as shells count it."""
NO_READER = 141
"""Exit code when whoever read our output has gone (`| head -1`), as shells count it."""


def main() -> None:
    """Run the command that the arguments name. Ctrl-C, or an output that nobody takes, is no reason for a traceback."""
    # A stream that was closed when we started is none at all, and the first file opened would get its number.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - to our end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    try:
        try:
            _run()
        finally:
            _flush()
    except KeyboardInterrupt:
        _leave(STOPPED, "Stopped.")
    except BrokenPipeError:
        if not _has_lost_its_reader():
            raise
        _leave(NO_READER)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _leave(1, f"{error.filename or 'What was written'} is not complete: {error.strerror}.")


def _run() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    is_up = sys.argv[1:2] == ["up"]
    for option in OPTIONS_OF_UP:
        if is_up and f"--{option.lower()}" in sys.argv:
            os.environ[option] = "on"
    if is_up:
        from mqtt.management.commands.up import Command  # it needs settings and no apps: these take 70 MB, for ever

        Command().run_from_argv(sys.argv)
        return
    from django.core.management import execute_from_command_line  # settings must be named first
    from django.db import OperationalError  # likewise

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if (
            sys.argv[1:2] == ["run_mqtt"] or "--traceback" in sys.argv
        ):  # the first waits for it, and must never get here
            raise
        _leave(1, f"The database cannot be used: {' '.join(str(error).split())}.")


def _flush() -> None:
    """Here and not when the interpreter ends, which can only complain and changes the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _leave(1, f"What was written is not complete: {error.strerror}.")


def _has_lost_its_reader() -> bool:
    """Whether it is our own output that broke, and not a link to a server."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream, 0)  # asks only for what is always told: that the other end is closed
    return bool(poll.poll(0))


def _leave(code: int, line: str = "") -> NoReturn:
    with suppress(OSError):
        print(line, end="\n" if line else "", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what still waits in it goes nowhere
    sys.exit(code)


if __name__ == "__main__":
    main()
