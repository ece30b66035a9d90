"""How long the whole console takes to start and stop: `manage.py up`, in an empty folder and once more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.report import Report, middle
from benchmarks.stores import ROOT
from tests import servers

READY = "Vedetta is ready"
PATIENCE = 60.0


def measure(bench: Bench) -> Report:
    """The first start makes everything; the later ones are what a person waits for."""
    report = bench.report("start", "Seconds of manage.py up until it is ready, and of SIGTERM until all is stopped")
    folder = bench.folder / "start"
    first = up_and_down(folder)
    report.add("first start", until_ready=first[0], until_stopped=first[1])
    if bench.options.smoke:
        return report
    later = [up_and_down(folder) for _ in range(bench.options.runs)]
    report.add(
        "later starts", until_ready=middle([up for up, _ in later]), until_stopped=middle([down for _, down in later])
    )
    return report


def up_and_down(folder: Path) -> tuple[float, float]:
    """Seconds to ready, seconds to stopped."""
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "HTTP_PORT": str(servers.free_port()),
        "EMBEDDED_BROKER_PORT": str(servers.free_port()),
    }
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            ready = wait_until_ready(process) - begun
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return ready, time.monotonic() - begun


def wait_until_ready(process: "subprocess.Popen[str]") -> float:
    """When the line came. Raises RuntimeError with what was said instead."""
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if READY in line:
            return time.monotonic()
    raise RuntimeError("".join(said[-20:]))
