import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.demo.device import Publication
from mqtt.demo.fleet import BRIDGE, TOWER, Client, fleet
from mqtt.demo.link import Broker, Link
from mqtt.demo.seed import seed_demo
from mqtt.demo.simulation import run
from mqtt.models import MqttConnection, Site
from tests import servers

ROOT = Path(__file__).resolve().parents[2]


class Ear:
    """A plain client that keeps what it hears."""

    def __init__(self, port: int) -> None:
        self.heard: list[MQTTMessage] = []
        self._paho = PahoClient(CallbackAPIVersion.VERSION2, client_id="ear")
        self._paho.on_message = lambda _client, _data, message: self.heard.append(message)
        self._paho.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._paho.connect("127.0.0.1", port)
        self._paho.loop_start()

    def payloads(self, topic: str) -> list[bytes]:
        return [bytes(message.payload) for message in self.heard if message.topic == topic]

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


@pytest.fixture
def ear(broker: servers.Server) -> Iterator[Ear]:
    ear = Ear(broker.port)
    yield ear
    ear.close()


def _one(name: str) -> list[Client]:
    return [client for client in fleet() if client.name == name]


def test_a_fleet_has_sixty_sensors_on_three_gateways_of_two_sites() -> None:
    gateways, sensors, sites = set(), set(), set()
    for client in fleet():
        for device in client.devices:
            for message in device.measure(time.time()):
                if message.topic.endswith("/dataloggers/telemetry"):
                    telemetry = json.loads(message.payload)
                    gateways.add(telemetry["serial_number_gateway"])
                    sites.add(message.topic.split("/")[0])
                    for logger in telemetry["dataloggers"]:
                        for one in logger["devices"]:
                            for data in one["data"]:
                                count = len(data["value"]) if isinstance(data["value"], list) else 1
                                names = (f"{data['type']}.{axis}" for axis in range(count))
                                sensors.update((one["serial_number_device"], name) for name in names)
    assert len(gateways) == 3
    assert sites == {TOWER, BRIDGE}
    assert len(sensors) >= 60


def test_client_names_and_topics_of_wills_are_unique() -> None:
    clients = fleet()
    wills = [will.topic for client in clients if (will := client.devices[0].will())]
    assert len({client.name for client in clients}) == len(clients)
    assert len(set(wills)) == len(wills) >= 8


def test_a_gateway_that_goes_offline_leaves_its_will_and_returns(broker: servers.Server, ear: Ear) -> None:
    [client] = _one("ponte-gateway-1")
    client.away_every, client.away_for = 2, 1
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=([client], Broker("127.0.0.1", broker.port), stopping, 10.0))
    thread.start()
    try:
        status = f"{BRIDGE}/gateway/1/status"

        def said() -> list[str]:
            return [json.loads(payload)["status"] for payload in ear.payloads(status)]

        servers.wait_for(lambda: "offline" in said(), what="the will")
        servers.wait_for(lambda: "online" in said()[said().index("offline") :], what="the return")
    finally:
        stopping.set()
        thread.join(servers.PATIENCE)


def test_devices_survive_a_broker_that_is_away_and_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Publication] = []
    publish = Link.publish

    def note(link: Link, message: Publication) -> None:
        if not link.is_up:
            kept.append(message)
        publish(link, message)

    monkeypatch.setattr(Link, "publish", note)
    telemetry = f"{TOWER}/gateway/1/dataloggers/telemetry"
    server = servers.rumqttd(tmp_path).start()
    stopping = threading.Event()
    [client] = _one("torre-gateway-1")
    thread = threading.Thread(target=run, args=([client], Broker("127.0.0.1", server.port), stopping, 20.0))
    thread.start()
    try:
        with closing(Ear(server.port)) as ear:
            servers.wait_for(lambda: ear.payloads(telemetry), what="telemetry")
        server.stop(kill=True)
        kept.clear()
        servers.wait_for(lambda: kept, what="a message without a link")
        server.start()
        with closing(Ear(server.port)) as ear:
            servers.wait_for(lambda: ear.payloads(telemetry), what="telemetry again")
    finally:
        stopping.set()
        thread.join(servers.PATIENCE)
        server.stop()


def test_the_command_ends_at_once_on_sigterm_and_the_broker_publishes_its_wills(
    broker: servers.Server, ear: Ear
) -> None:
    command = [sys.executable, "manage.py", "demo_devices", "--port", str(broker.port), "--speed", "5"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        servers.wait_for(lambda: len({message.topic for message in ear.heard}) > 40, what="forty topics")
        process.send_signal(signal.SIGTERM)
        assert process.wait(servers.PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    servers.wait_for(lambda: b"Offline" in ear.payloads("tele/floodlights/LWT"), what="a will")


@pytest.mark.parametrize(("option", "value"), [("--speed", "nan"), ("--speed", "0"), ("--port", "99999")])
def test_the_command_refuses_what_cannot_be(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=f"{option} must be"):
        call_command("demo_devices", option, value)


@pytest.mark.django_db
def test_seeding_twice_keeps_what_somebody_changed() -> None:
    connection = MqttConnection(name="Embedded broker", host="127.0.0.1")
    connection.save(force_insert=True)
    seed_demo()
    Site.objects.filter(topic_prefix=f"{TOWER}/").update(contact="somebody else")
    MqttConnection(name="A broker of theirs", host="127.0.0.1", port=1884).save(force_insert=True)
    seed_demo()
    assert Site.objects.count() == 2
    assert Site.objects.get(topic_prefix=f"{TOWER}/").contact == "somebody else"
    assert MqttConnection.objects.get(pk=connection.pk).site == Site.objects.get(name="Torre Civica")
    assert MqttConnection.objects.get(name="A broker of theirs").site is None
