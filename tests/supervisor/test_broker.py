import signal
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from mqtt.encryption import decrypt
from mqtt.models import AuditEntry, MqttConnection
from mqtt.supervisor.broker import LARGEST_PAYLOAD, BrokerSettings, is_loopback
from mqtt.supervisor.child import Child
from mqtt.supervisor.embedded_connection import keep_embedded_connection
from mqtt.supervisor.output import Output
from mqtt.supervisor.programs import broker
from tests.servers import Server, free_port, running, wait_for

LOGIN = {"username": "device", "password": 'a "strange" \\ password'}


def start(folder: Path, settings: BrokerSettings) -> Server:
    command = [sys.executable, "-m", "iotcore", "--config", str(settings.write(folder)), "--log-level", "CRITICAL"]
    return Server(command, settings.port)


@pytest.fixture
def closed_broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker that asks for LOGIN."""
    with running(start(tmp_path, BrokerSettings("127.0.0.1", free_port(), **LOGIN))) as server:
        yield server.port


def connects(port: int, username: str | None = None, password: str | None = None) -> bool:
    """Whether the broker lets a client in."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    answered, accepted = threading.Event(), threading.Event()
    client.on_connect = lambda *arguments: (None if arguments[3].is_failure else accepted.set(), answered.set())
    client.on_disconnect = lambda *_: answered.set()
    client.username_pw_set(username, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert answered.wait(10)
    client.disconnect()
    client.loop_stop()
    return accepted.is_set()


def test_a_required_login_is_required(closed_broker: int) -> None:
    assert connects(closed_broker, **LOGIN)
    assert not connects(closed_broker)
    assert not connects(closed_broker, "device", "guessed")
    assert not connects(closed_broker, "somebody", LOGIN["password"])


def test_a_large_payload_passes(tmp_path: Path) -> None:
    with running(start(tmp_path, BrokerSettings("127.0.0.1", free_port()))) as server:
        received: list[int] = []
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_connect = lambda client, *_: client.subscribe("picture", 1)
        client.on_subscribe = lambda client, *_: client.publish("picture", b"x" * (LARGEST_PAYLOAD - 100), 1)
        client.on_message = lambda _client, _data, message: received.append(len(message.payload))
        client.connect("127.0.0.1", server.port)
        client.loop_start()
        wait_for(lambda: received, what="the payload")
        client.disconnect()
        client.loop_stop()
    assert received == [LARGEST_PAYLOAD - 100]


@pytest.mark.parametrize(
    "written",
    [BrokerSettings("127.0.0.1", 1883), BrokerSettings("0.0.0.0", 1884, **LOGIN), BrokerSettings("::1", 1885)],
)
def test_the_configuration_is_read_back_and_private(tmp_path: Path, written: BrokerSettings) -> None:
    assert BrokerSettings.read(tmp_path) is None
    path = written.write(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert BrokerSettings.read(tmp_path) == written


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.168.1.5", False), ("x", False)],
)
def test_only_this_machines_inner_addresses_need_no_login(host: str, loopback: bool, settings: object) -> None:
    assert is_loopback(host) is loopback
    settings.EMBEDDED_BROKER_HOST = host  # type: ignore[attr-defined]
    assert (BrokerSettings.from_settings().username == "") is loopback


@pytest.mark.database
@pytest.mark.django_db
class TestTheEmbeddedConnection:
    plain = BrokerSettings("127.0.0.1", 1883)
    lan = BrokerSettings("0.0.0.0", 1883, **LOGIN)

    def test_is_made_when_there_is_none(self) -> None:
        keep_embedded_connection(self.plain, None)
        made = MqttConnection.objects.get()
        assert (made.name, made.host, made.port, made.protocol) == ("Embedded broker", "127.0.0.1", 1883, "3.1.1")
        assert made.is_enabled
        assert [(one.topic_filter, one.qos) for one in made.subscriptions.all()] == [("#", 1)]
        assert AuditEntry.objects.get().actor == "Vedetta"

    def test_is_not_made_again_beside_others(self) -> None:
        MqttConnection(name="Ours", host="broker.example", port=8883).save(force_insert=True)
        keep_embedded_connection(self.plain, None)
        assert MqttConnection.objects.count() == 1

    def test_follows_login_and_port_and_goes_back(self) -> None:
        keep_embedded_connection(self.plain, None)
        keep_embedded_connection(self.lan, self.plain)
        followed = MqttConnection.objects.get()
        assert (followed.host, followed.username) == ("127.0.0.1", "device")
        assert decrypt(followed.password_token) == LOGIN["password"]

        keep_embedded_connection(BrokerSettings("127.0.0.1", 1999), self.lan)
        back = MqttConnection.objects.get()
        assert (back.port, back.username, back.password_token) == (1999, "", "")
        assert back.settings_revision > followed.settings_revision

    def test_follows_to_one_address_of_this_machine_and_back(self) -> None:
        one = BrokerSettings("192.168.1.5", 1883, **LOGIN)
        keep_embedded_connection(self.plain, None)
        keep_embedded_connection(one, self.plain)
        assert MqttConnection.objects.get().host == "192.168.1.5"
        keep_embedded_connection(self.plain, one)
        assert MqttConnection.objects.get().host == "127.0.0.1"

    def test_is_left_alone_when_nothing_changed(self) -> None:
        keep_embedded_connection(self.lan, None)
        before = MqttConnection.objects.get().settings_revision
        keep_embedded_connection(self.lan, self.lan)
        assert MqttConnection.objects.get().settings_revision == before
        assert AuditEntry.objects.count() == 1

    def test_of_a_restored_backup_follows_to_the_port_of_this_console(self) -> None:
        keep_embedded_connection(self.plain, None)
        MqttConnection(name="Ours", host="127.0.0.1", port=8883).save(force_insert=True)
        keep_embedded_connection(BrokerSettings("127.0.0.1", 1999), None)
        ports = MqttConnection.objects.values_list("name", "port").order_by("name")
        assert list(ports) == [("Embedded broker", 1999), ("Ours", 8883)]

    def test_other_connections_are_left_alone(self) -> None:
        keep_embedded_connection(self.plain, None)
        MqttConnection(name="Ours", host="127.0.0.1", port=8883, username="me").save(force_insert=True)
        keep_embedded_connection(self.lan, self.plain)
        assert MqttConnection.objects.get(name="Ours").username == "me"


def test_a_topic_that_ends_the_router_has_the_broker_started_again(tmp_path: Path) -> None:
    """rumqttd cuts the first byte off a topic's first letter; the next client must find a broker all the same."""
    settings = BrokerSettings("127.0.0.1", free_port())
    child = Child(broker(settings, settings.write(tmp_path)), tmp_path, Output())
    child.start()
    wait_for(lambda: child.look_after() and child.phase == "running", what="the broker")
    subscriber = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    subscriber.on_connect = lambda client, *_: client.subscribe("#")
    subscriber.on_subscribe = lambda client, *_: client.publish("é/x", "1")
    subscriber.connect("127.0.0.1", settings.port)
    subscriber.loop_start()
    wait_for(lambda: (child.look_after(), child.restarts > 0 and child.phase == "running")[1], what="a new broker")
    subscriber.loop_stop()
    assert connects(settings.port)
    child.signal(signal.SIGKILL)
    wait_for(child.has_ended, what="the end")
