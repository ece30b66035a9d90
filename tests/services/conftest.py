"""Fixtures with real mqtt processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.mqtt_process import MqttProcess
from tests.services.mqtt_processes import Start


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[servers.Server]:
    """A broker that may be stopped."""
    with servers.running(servers.mosquitto(tmp_path / "mosquitto")) as server:
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts mqtt processes; none survives the test."""
    processes: list[MqttProcess] = []

    def run(name: str = "one") -> MqttProcess:
        processes.append(MqttProcess(tmp_path, name))
        return processes[-1].start()

    yield run
    for process in processes:
        process.kill()
