"""The database or Valkey goes away under load and returns: nothing lost, nothing doubled, memory bounded."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.mqtt_process import MqttProcess
from tests.servers import PATIENCE, wait_for
from tests.services.mqtt_processes import (
    Publisher,
    Start,
    create,
    lost_and_doubled,
    wait_granted,
    wait_status,
    wait_until_stored,
)
from tests.services.outages import database_away

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.mosquitto,
    pytest.mark.usefixtures("valkey"),
]

TOTAL = 12_000
RATE = 2000
AWAY = 4.0
GROWTH = 40 * 1024
"""Kilobytes: what 8,000 messages with all that belongs to them would exceed, and a window of 1,000 does not."""


def resident(process: MqttProcess) -> int:
    """Kilobytes."""
    assert process.process
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_with_the_database_away_the_broker_keeps_what_comes(start: Start, own_broker: servers.Server) -> None:
    plant = create(own_broker)
    process = start("one")
    wait_granted(plant)
    with Publisher(own_broker.port, TOTAL, RATE) as publisher:
        wait_for(lambda: publisher.sent > TOTAL / 4, what="load")
        before = resident(process)
        with database_away():
            time.sleep(AWAY)
            assert resident(process) - before < GROWTH
            assert process.process
            assert process.process.poll() is None
    wait_until_stored(TOTAL)
    assert lost_and_doubled(TOTAL) == (0, 0)
    wait_status(plant, "connected")


def test_without_valkey_everything_is_stored(
    start: Start, own_broker: servers.Server, tmp_path: Path, settings: Any
) -> None:
    socket_path = tmp_path / "valkey.sock"
    settings.CHANNEL_URL = f"unix://{socket_path}"
    valkey = servers.valkey(socket_path)
    try:
        plant = create(own_broker)
        process = start("one")
        wait_granted(plant)
        with Publisher(own_broker.port, TOTAL, RATE) as publisher:
            wait_for(lambda: publisher.sent > TOTAL / 4, what="load")
            before = resident(process)
            valkey.kill()
            valkey.wait(PATIENCE)
            wait_for(lambda: publisher.sent > 3 * TOTAL / 4, what="load without Valkey")
            assert resident(process) - before < GROWTH
            socket_path.unlink(missing_ok=True)
            valkey = servers.valkey(socket_path)
        wait_until_stored(TOTAL)
        assert lost_and_doubled(TOTAL) == (0, 0)
        assert process.stop() == 0
    finally:
        valkey.kill()
        valkey.wait(PATIENCE)
