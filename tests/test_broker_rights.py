"""The broker's configuration of docker-compose.yml on a real Mosquitto."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests import servers
from tests.console import ROOT

pytestmark = pytest.mark.mosquitto
USERS = ("vedetta", "device", "gateway-7")


class Somebody:
    """A logged-in client that subscribes to everything and keeps what it is given."""

    def __init__(self, port: int, user: str) -> None:
        self.user = user
        self.heard: set[tuple[str, bytes]] = set()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, f"client-{user}")
        self.client.username_pw_set(user, f"of-{user}")
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        subscribed: list[bool] = []
        self.client.on_subscribe = lambda *_: subscribed.append(True)
        self.client.on_message = lambda _client, _, message: self.heard.add((message.topic, message.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        servers.wait_for(lambda: subscribed, what=f"{user}'s subscription")

    def say(self, topic: str) -> None:
        """Publish the own name there; a broker that forbids it acknowledges all the same."""
        self.client.publish(topic, self.user, qos=1).wait_for_publish(5)

    def topics(self) -> set[str]:
        return {topic for topic, _ in self.heard}

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    passwords = tmp_path / "passwords"
    passwords.touch()
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, f"of-{user}"], check=True, capture_output=True)
    port = servers.free_port()
    text = (ROOT / "deploy" / "mosquitto.conf").read_text()
    for old, new in {
        "listener 1883": f"user root\nlistener {port} 127.0.0.1",
        "/mosquitto/data/passwords": str(passwords),
        "/mosquitto/config/mosquitto.acl": str(ROOT / "deploy" / "mosquitto.acl"),
        "/mosquitto/data/": f"{tmp_path}/",
    }.items():
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "mosquitto.conf"
    config.write_text(text)
    with servers.running(servers.Server([str(servers.MOSQUITTO), "-c", str(config)], port)):
        yield port


def test_the_console_hears_all_and_devices_do_not_hear_each_other(port: int) -> None:
    console, device, gateway = people = [Somebody(port, user) for user in USERS]
    for one in (device, gateway):
        one.say("hall/meter-1/power")
        one.say("gateway-7/power")
    console.say("hall/meter-1/set/valve")
    for topic in ("end/set/x", "gateway-7/end"):  # after these nothing more comes
        console.say(topic)
    servers.wait_for(lambda: "end/set/x" in device.topics(), what="the device's last message")
    servers.wait_for(lambda: "gateway-7/end" in gateway.topics(), what="the gateway's last message")
    servers.wait_for(lambda: "gateway-7/end" in console.topics(), what="the console's last message")
    said = {entry for entry in console.heard if entry[0].endswith("power")}
    assert said == {
        ("hall/meter-1/power", b"device"),
        ("gateway-7/power", b"device"),
        ("gateway-7/power", b"gateway-7"),
    }
    assert device.topics() == {"hall/meter-1/set/valve", "end/set/x"}
    assert gateway.topics() == {"gateway-7/power", "gateway-7/end"}
    for one in people:
        one.end()


def test_without_a_login_nobody_gets_in(port: int) -> None:
    done = subprocess.run(
        ["mosquitto_pub", "-p", str(port), "-t", "a", "-m", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "not authorised" in done.stderr.lower()
