"""Fixtures: real mqtt processes, and a message processor by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from mqtt.events import Event
from mqtt.models import Reading
from mqtt.services.pipeline import availability, message_processor
from tests import servers
from tests.factories import make_connection
from tests.mqtt_process import MqttProcess
from tests.services.mqtt_processes import Start
from tests.services.pipeline import Pipeline


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


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What would go to the channel layer."""
    sent: list[Event] = []
    monkeypatch.setattr(message_processor, "broadcast_event", sent.append)
    monkeypatch.setattr(availability, "broadcast_event", sent.append)
    return sent


@pytest.fixture
def pipeline(events: list[Event]) -> Iterator[Pipeline]:
    """Over a history without readings."""
    Reading.objects.all().delete()
    yield Pipeline(events, make_connection())
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE mqtt_reading")
