"""Runs a command that ends when its parent does, however the parent ends.

Started as a plain file, `python -I -S end_with_parent.py PARENT_PID COMMAND...`, and replaced by the command.
A program of its own, because code between fork and exec is not safe beside the supervisor's threads.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def ask_kernel() -> bool:
    """Linux: have the kernel kill this process, and what it is replaced by, with its parent."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)


def leave_a_watcher(parent: int) -> None:
    """Elsewhere: fork a process that kills the command when its parent is gone, and ends with the command."""
    command = os.getpid()
    if os.fork():
        return
    while os.getppid() == command:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(command, signal.SIGKILL)
            break
        time.sleep(0.5)
    os._exit(0)


def main(parent: int, command: list[str], kernel: bool = True) -> None:
    """Become `command`, bound to the process `parent`."""
    if not (kernel and ask_kernel()):
        leave_a_watcher(parent)
    if os.getppid() != parent:
        sys.exit(1)  # the parent ended before the kernel knew: nobody would ever stop us
    os.execvp(command[0], command)  # noqa: S606 - the supervisor's own commands, no shell


if __name__ == "__main__":
    # The variable is for tests, which try the other systems' way on Linux.
    main(int(sys.argv[1]), sys.argv[2:], kernel=not os.environ.get("VEDETTA_WATCHER"))
