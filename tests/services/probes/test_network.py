import socket
import time

import pytest

from mqtt.exceptions import ReasonError
from mqtt.services.probes.network import Address, dial, is_address, look_up
from tests.listeners import listening, silent
from tests.servers import PATIENCE, free_port


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("no-such-broker.invalid", {"dns_unknown", "dns_failed"}),  # the second without any network
        ("two..dots", {"test_name_invalid"}),
        ("x" * 70 + ".invalid", {"test_name_invalid"}),
    ],
)
def test_a_name_that_leads_nowhere_is_explained(host: str, code: set[str]) -> None:
    with pytest.raises(ReasonError) as caught:
        look_up(host, 1883, PATIENCE)
    assert caught.value.code in code
    assert caught.value.context["host"] == host


def test_name_servers_that_stay_silent_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> list[object]:
        time.sleep(0.3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(ReasonError) as caught:
        look_up("slow.example", 1883, 0.05)
    assert caught.value.code == "dns_failed"


def test_a_name_gives_its_addresses() -> None:
    assert "127.0.0.1" in {address.text for address in look_up("localhost", 1883, PATIENCE)}


@pytest.mark.parametrize(("host", "so"), [("10.0.0.1", True), ("[::1]", True), ("broker", False), ("10.0.0", False)])
def test_an_address_is_told_from_a_name(host: str, so: bool) -> None:
    assert is_address(host) is so


def test_a_listening_port_answers() -> None:
    with listening(silent) as port:
        wire, address = dial(look_up("127.0.0.1", port, PATIENCE), PATIENCE)
        wire.close()
    assert address.text == "127.0.0.1"


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    with listening(silent) as port:
        first = Address(socket.AF_INET, ("127.0.0.1", free_port()), "127.0.0.1")
        wire, address = dial([first, *look_up("127.0.0.1", port, PATIENCE)], PATIENCE)
        wire.close()
    assert address.sockaddr[1] == port


def test_a_closed_port_is_refused_and_named() -> None:
    port = free_port()
    with pytest.raises(ReasonError) as caught:
        dial(look_up("127.0.0.1", port, PATIENCE), PATIENCE)
    assert caught.value.code == "test_tcp_refused_here"
    assert caught.value.context == {"port": port}


def test_a_port_behind_a_silent_firewall_times_out() -> None:
    # A listener whose queue is full drops further handshakes, as a firewall does.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(ReasonError) as caught:
            dial([Address(socket.AF_INET, full.getsockname(), "127.0.0.1")], 0.5)
        for one in waiting:
            one.close()
    assert caught.value.code == "test_tcp_timeout"


def test_an_address_without_a_way_is_unreachable() -> None:
    with pytest.raises(ReasonError) as caught:
        dial([Address(socket.AF_INET6, ("2001:db8::1", 1883, 0, 0), "2001:db8::1")], 0.5)
    # A machine that has IPv6 sends into the void instead.
    assert caught.value.code in {"unreachable", "test_tcp_timeout"}
