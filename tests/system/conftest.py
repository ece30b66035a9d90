"""The whole console for tests that look at it from outside."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import chromium, open_page
from tests.console import Console, StartConsole, made_once


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One running console for all tests that leave it as they found it: url, ports, login, pids, paths."""
    running = Console(tmp_path_factory.mktemp("console") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, closed with its file: its loop must not meet that of another file's async test."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    """A page that is logged in, and of which the browser must not complain."""
    opened, complaints = open_page(browser, console)
    yield opened
    opened.context.close()
    assert not complaints


@pytest.fixture(scope="module")
def device(console: Console) -> Iterator[mqtt.Client]:
    """A device that publishes to the console's broker."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="browser-test-device")
    client.connect("127.0.0.1", console.broker_port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


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
