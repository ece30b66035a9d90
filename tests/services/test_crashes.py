"""kill -9 under load: nothing lost, and with a broker that keeps packet ids nothing doubled.

Payloads carry no time of their own, so that a second delivery would be a second reading.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from mqtt.models import CommittedPackets
from tests import servers
from tests.services.mqtt_processes import (
    Publisher,
    Start,
    create,
    let_leases_run_out,
    lost_and_doubled,
    values,
    wait_granted,
    wait_until_stored,
)
from tests.services.sessions import publish

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.mosquitto,
    pytest.mark.usefixtures("valkey"),
]

KILLS = 3
RATE = 3000


def kill_repeatedly(start: Start, broker: servers.Server, protocol: str, total: int) -> None:
    connection = create(broker, protocol=protocol)
    process = start("first")
    wait_granted(connection)
    with Publisher(broker.port, total, RATE, ("a/m/x", "a/m/y", "a/n/x")):
        for number in range(KILLS):
            time.sleep(random.uniform(0.2, 0.9))
            process.kill()
            let_leases_run_out()
            process = start(f"next-{number}")
    wait_until_stored(total)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(
    start: Start, own_broker: servers.Server, protocol: str
) -> None:
    total = 12_000
    kill_repeatedly(start, own_broker, protocol, total)
    assert lost_and_doubled(total) == (0, 0)


def test_with_a_broker_that_numbers_anew_nothing_is_lost(start: Start, tmp_path: Path) -> None:
    total = 6000
    with servers.running(servers.rumqttd(tmp_path / "rumqttd")) as broker:
        kill_repeatedly(start, broker, "3.1.1", total)
    lost, _ = lost_and_doubled(total)
    assert lost == 0


def test_a_packet_id_used_again_by_a_new_session_drops_no_reading(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker)
    process = start("one")
    wait_granted(connection)
    publish(own_broker.port, "a/m/x", "7")
    servers.wait_for(lambda: values() == [7], what="the first reading")
    assert CommittedPackets.objects.exists()
    own_broker.stop(kill=True)  # it saves nothing: our session and its ids are gone
    own_broker.start()
    servers.wait_for(lambda: not CommittedPackets.objects.exists(), what="the ids being forgotten")
    wait_granted(connection)
    # The new session brings the same id, topic and payload, and we die before it is stored.
    assert process.process
    os.kill(process.process.pid, signal.SIGSTOP)
    publish(own_broker.port, "a/m/x", "7")
    process.kill()
    let_leases_run_out()
    start("two")
    servers.wait_for(lambda: values() == [7, 7], what="the second reading")
    assert "(d1, q1, " in own_broker.log.read_text()  # it was marked as sent before
