"""The whole console for tests that look at it from outside."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import Console, StartConsole, made_once


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One running console for all tests that leave it as they found it: url, ports, login, pids, paths."""
    running = Console(tmp_path_factory.mktemp("console") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all workers."""
    own = tmp_path_factory.getbasetemp()
    return made_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture
def start_console(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[StartConsole]:
    """Starts a console of the test's own: `start_console("--lan", LIVE_INTERVAL=0.5)`; stopped when the test ends."""
    started: list[Console] = []

    def start(*options: str, **settings: object) -> Console:
        console = Console(tmp_path_factory.mktemp("console") / "data", options, settings)
        shutil.copytree(prepared, console.data_dir)
        started.append(console)
        return console.start()

    yield start
    for console in started:
        console.stop()
