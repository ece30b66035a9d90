import json
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.publish import multiple

from mqtt.supervisor.broker import BrokerSettings
from mqtt.supervisor.reserved import Place, Reservation, take
from tests.servers import free_port, running, wait_for
from tests.supervisor.test_broker import LOGIN, start

LONG = tuple((f"a/{'x' * 30}/{number}", 1) for number in range(200))


def heard(port: int, client_id: str) -> list[bytes]:
    """What the broker has for this client, who asks for nothing."""
    received: list[bytes] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    client.username_pw_set(**LOGIN)
    client.on_message = lambda _client, _data, message: received.append(message.payload)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(lambda: b"last" in received, what="the messages")
    client.disconnect()
    client.loop_stop()
    return received


def publish(port: int, *payloads: str) -> None:
    messages = [("a/b", payload, 1, False) for payload in payloads]
    multiple(messages, hostname="127.0.0.1", port=port, auth=dict(LOGIN))  # type: ignore[arg-type]


@pytest.mark.parametrize("filters", [(("a/#", 1),), (("a/b", 1), *LONG)])
def test_what_is_published_before_the_client_comes_waits_for_it(
    tmp_path: Path, filters: tuple[tuple[str, int], ...]
) -> None:
    broker = BrokerSettings("127.0.0.1", free_port(), **LOGIN)
    place = Place("plant", filters)
    assert not take(broker, place)
    with running(start(tmp_path, broker)) as server:
        assert take(broker, place)
        publish(server.port, "first", "last")
        assert heard(server.port, "plant") == [b"first", b"last"]


def test_a_login_that_the_broker_refuses_is_an_error_and_no_endless_try(tmp_path: Path) -> None:
    broker = BrokerSettings("127.0.0.1", free_port(), **LOGIN)
    guess = BrokerSettings(broker.host, broker.port, "device", "guessed")
    with running(start(tmp_path, broker)), pytest.raises((OSError, EOFError)):
        take(guess, Place("plant", (("#", 1),)))


def test_the_place_is_taken_as_soon_as_the_broker_listens(tmp_path: Path) -> None:
    broker = BrokerSettings("127.0.0.1", free_port())
    (tmp_path / "places.json").write_text(json.dumps([["plant", [["a/#", 1]]]]))
    Reservation(broker, tmp_path / "places.json")()
    with running(start(tmp_path, broker)) as server:
        wait_for(lambda: "reservation" not in {one.name for one in threading.enumerate()}, what="the place")
        publish(server.port, "last")
        assert heard(server.port, "plant") == [b"last"]


@pytest.mark.parametrize("content", [None, "", "[[]]", "{"])
def test_a_missing_or_broken_file_is_no_trouble(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "places.json").write_text(content)
    Reservation(BrokerSettings("127.0.0.1", free_port()), tmp_path / "places.json")()
    wait_for(lambda: "reservation" not in {one.name for one in threading.enumerate()}, what="the end")
