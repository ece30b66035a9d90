import os
import socket
from pathlib import Path

import pytest

from mqtt.supervisor import guards
from mqtt.supervisor.guards import Listener, check_ports, lock_folder
from tests.servers import free_port


def listener(port: int, host: str = "127.0.0.1") -> Listener:
    return Listener(host, port, "HTTP_HOST", "HTTP_PORT")


def refusal(listeners: list[Listener]) -> str:
    with pytest.raises(SystemExit) as stopped:
        check_ports(listeners)
    return str(stopped.value)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "JUST_STOPPED", 0.0)


def test_a_folder_belongs_to_one_supervisor(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    first = lock_folder(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        lock_folder(tmp_path)
    assert str(os.getpid()) in str(stopped.value)
    first.close()
    lock_folder(tmp_path).close()


def test_free_ports_are_left_free() -> None:
    port = free_port()
    check_ports([listener(port)])
    check_ports([listener(port)])


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is taken" in refusal([listener(port)])


def test_two_servers_cannot_want_the_same_port() -> None:
    port = free_port()
    other = Listener("127.0.0.1", port, "EMBEDDED_BROKER_HOST", "EMBEDDED_BROKER_PORT")
    assert "EMBEDDED_BROKER_PORT" in refusal([listener(port), other])


@pytest.mark.parametrize("host", ["192.0.2.7", "no such host", "nothing.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    said = refusal([listener(free_port(), host)])
    assert "HTTP_HOST" in said
    assert host in said
