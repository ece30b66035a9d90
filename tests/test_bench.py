"""scripts/bench stays alive: its smoke version measures everything. Speeds are never asserted."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "decode", "ingest", "latency", "fanout", "browser", "crash", "memory", "scale", "pages", "start", "api", "history",
    "export",
)  # fmt: skip
PATIENCE = 1200

pytestmark = pytest.mark.system


def end_with_its_children(process: "subprocess.Popen[bytes]") -> None:
    """A bench that hangs is asked to clean up, and then ended with everything that it started."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    with contextlib.suppress(ProcessLookupError):  # its group has its own number: nobody else is in it
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one smoke run of all benches wrote."""
    folder = tmp_path_factory.mktemp("bench")
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"DATA_DIR": str(folder), "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "benchmarks", "--smoke"]
    output = folder / "output"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        code = process.wait(PATIENCE)
    finally:
        end_with_its_children(process)
    assert code == 0, output.read_text()[-8000:]
    return dict(json.loads((folder / "bench.json").read_text())["benches"])


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_measures_something(benches: dict[str, Any], name: str) -> None:
    rows = benches[name]["rows"]
    assert rows or (name == "browser" and not servers.CHROMIUM)
    assert all(any(isinstance(value, int | float) for value in row["figures"].values()) for row in rows)


def test_ingest_puts_the_console_beside_the_baselines(benches: dict[str, Any]) -> None:
    names = " ".join(row["name"] for row in benches["ingest"]["rows"])
    assert all(part in names for part in ("only counts", "seed's flow", "Vedetta, SQLite", "Vedetta, PostgreSQL"))


def test_latency_reaches_the_page_where_chromium_is_installed(benches: dict[str, Any]) -> None:
    probes = {row["name"]: row["figures"]["probes"] for row in benches["latency"]["rows"]}
    expected = ["to row", "to WebSocket frame", *(["to DOM"] if servers.CHROMIUM else [])]
    for end in expected:
        assert probes[f"SQLite, 100/s, {end}"] > 0


def test_a_kill_loses_nothing(benches: dict[str, Any]) -> None:
    (row,) = benches["crash"]["rows"]
    assert row["figures"]["lost"] == 0


def test_the_publisher_is_taken_by_the_broker_of_machines_without_mosquitto(tmp_path: Path) -> None:
    with servers.running(servers.rumqttd(tmp_path)) as broker:
        command = [sys.executable, "-m", "benchmarks.publisher", str(broker.port), "50"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["acknowledged"] == 50


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "benchmarks", "speed"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "latency" in done.stderr
