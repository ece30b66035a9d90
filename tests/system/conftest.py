"""The whole console for tests that look at it from outside."""

from collections.abc import Iterator

import pytest

from tests.console import Console, StartConsole


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One running console for all tests that leave it as they found it: url, ports, login, pids, paths."""
    running = Console(tmp_path_factory.mktemp("console") / "data").start()
    yield running
    running.stop()


@pytest.fixture
def start_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartConsole]:
    """Starts a console of the test's own: `start_console("--lan", LIVE_INTERVAL=0.5)`; stopped when the test ends."""
    started: list[Console] = []

    def start(*options: str, **settings: object) -> Console:
        console = Console(tmp_path_factory.mktemp("console") / "data", options, settings)
        started.append(console)
        return console.start()

    yield start
    for console in started:
        console.stop()
