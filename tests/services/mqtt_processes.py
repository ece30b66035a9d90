"""What tests with real mqtt processes share: a connection, its status, what is stored, a steady publisher."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from mqtt.models import ConnectionLease, MqttConnection, Reading, TopicSubscription
from mqtt.services import connections
from mqtt.services.audit import Actor
from mqtt.services.connections import Secrets
from tests import servers
from tests.mqtt_process import MqttProcess
from tests.servers import PATIENCE, wait_for

ACTOR = Actor(None, "test", "command")
Start = Callable[[str], MqttProcess]


def create(broker: servers.Server, *filters: str, **fields: object) -> MqttConnection:
    values = {
        "name": "Plant",
        "host": "127.0.0.1",
        "port": broker.port,
        "client_id": "plant",
        "reads_statistics": False,
        **fields,
    }
    rows = [TopicSubscription(topic_filter=one) for one in filters or ("a/#",)]
    return connections.create_connection(ACTOR, MqttConnection(**values), rows, Secrets())


def status(connection: MqttConnection) -> str:
    return MqttConnection.objects.with_effective_status().get(pk=connection.pk).effective_status


def wait_status(connection: MqttConnection, wanted: str) -> None:
    wait_for(lambda: status(connection) == wanted, what=f"status {wanted}")


def let_leases_run_out() -> None:
    """What nine seconds do, for tests that are not about the waiting."""
    ConnectionLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def wait_granted(connection: MqttConnection) -> None:
    asked = connection.subscriptions.filter(is_active=True)
    wait_for(lambda: not asked.filter(granted_qos=None).exists(), what="answers to the filters")


def values() -> list[float | None]:
    return sorted(Reading.objects.values_list("value", flat=True))


class Publisher:
    """Numbers 0, 1, 2 ... at QoS 1 in a thread, so many a second; a payload is nothing but its number."""

    def __init__(self, port: int, total: int, rate: float, topics: tuple[str, ...] = ("a/m/x",)) -> None:
        self.total = total
        self.sent = 0
        self._port, self._rate = port, rate
        self._topics = [topic.encode() for topic in topics]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._acknowledged = 0

    def __enter__(self) -> "Publisher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def end(self) -> None:
        """One more, or those on their way, and no others: whatever was to happen meanwhile has happened."""
        self.total = self.sent + 1

    def wait(self) -> None:
        """Until the broker has acknowledged everything."""
        self._thread.join(PATIENCE)
        assert self._acknowledged >= self.total, "the broker did not take everything"

    def _run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as link:
            link.sendall(b"\x10\x15\x00\x04MQTT\x04\x02\x00\x3c\x00\x09publisher")
            assert link.recv(4)[:1] == b"\x20"
            reader = threading.Thread(target=self._read, args=(link,), daemon=True)
            reader.start()
            began = time.monotonic()
            while self.sent < self.total:
                due = min(self.total, int((time.monotonic() - began) * self._rate) + 1)
                if due > self.sent:
                    link.sendall(b"".join(self._packet(number) for number in range(self.sent, due)))
                    self.sent = due
                time.sleep(0.005)
            reader.join(PATIENCE)

    def _packet(self, number: int) -> bytes:
        topic = self._topics[number % len(self._topics)]
        mid = (number % 65535 + 1).to_bytes(2, "big")
        body = len(topic).to_bytes(2, "big") + topic + mid + str(number).encode()
        assert len(body) < 128
        return bytes([0x32, len(body)]) + body

    def _read(self, link: socket.socket) -> None:
        received = 0
        while received < 4 * self.total:
            received += len(link.recv(65536))
            self._acknowledged = received // 4


def lost_and_doubled(total: int) -> tuple[int, int]:
    """How many of 0 .. total - 1 are not stored, and how many too many are."""
    found = Counter(Reading.objects.values_list("value", flat=True))
    return total - len(found), sum(found.values()) - len(found)


def wait_until_stored(total: int) -> None:
    """Until every number was stored at least once, and what waits in the broker had time to come."""
    distinct = Reading.objects.values("value").distinct()
    wait_for(lambda: distinct.count() >= total, what=f"{total} readings (now {distinct.count()})")
    before = -1
    while before != (now := Reading.objects.count()):
        before = now
        time.sleep(0.5)
