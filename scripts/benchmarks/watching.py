"""Open live pages as plain WebSocket clients in a process of their own, and read what they saw."""

import json
import subprocess
import sys
from typing import Any, Self

from benchmarks.console import Console
from benchmarks.stores import ROOT


class Watching:
    """`clients` WebSockets on one page while the block runs; `seen` is their report afterwards."""

    def __init__(self, console: Console, clients: int, path: str = "/ws/sensors/") -> None:
        self.command = [
            sys.executable,
            "-m",
            "benchmarks.watchers",
            str(console.web_port),
            console.cookie,
            str(clients),
            path,
        ]
        self.clients = clients
        self.seen: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self.clients:
            self._process = subprocess.Popen(
                self.command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert self._process.stdout is not None
            if self._process.stdout.readline().strip() != "ready":
                self._process.wait()
                raise RuntimeError("the WebSocket clients could not connect")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            output, _error = self._process.communicate()
            self.seen = json.loads(output)
