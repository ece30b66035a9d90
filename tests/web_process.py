"""The web process as a child of a test, on a port of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mqtt.supervisor.programs import accepts
from tests.servers import PATIENCE, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def web_running() -> Iterator[int]:
    """Its port; it is stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "app.web", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "app.asgi:application"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(lambda: accepts("127.0.0.1", port), what="the web server")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
