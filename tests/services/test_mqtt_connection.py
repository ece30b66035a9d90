"""Links over every transport, and the reason for each way they fail."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mqtt.messages import InboundMessage
from mqtt.services.mqtt_connection.link import Link, LinkListener
from mqtt.services.sessions.connection_settings import Filter, tls_context
from tests import certificates, servers
from tests.servers import wait_for
from tests.services.sessions import Running, make_settings, publish

pytestmark = pytest.mark.mosquitto


@dataclass
class Secured:
    """Mosquitto with every kind of listener; ports by name."""

    ports: dict[str, int]
    authority: certificates.Authority
    client: certificates.Issued
    stranger: certificates.Issued


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    authority = certificates.Authority()
    authority_file = folder / "authority.pem"
    authority_file.write_text(authority.certificate)
    here = ("localhost", "127.0.0.1")
    made = {
        "tls": authority.issue(*here),
        "expired": authority.issue(*here, days=-2),
        "future": authority.issue(*here, days=10, begins=2),
        "name": authority.issue("other.example"),
        "self": authority.issue(*here, by_itself=True),
    }
    names = ["ws", "tls", "wss", "expired", "future", "name", "self", "mutual", "login"]
    ports = {name: servers.free_port() for name in names}
    password_file = folder / "passwords"
    password_file.touch(0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(password_file), "ada", "secret"], check=True)
    lines = []
    for name, port in ports.items():
        lines += [f"listener {port} 127.0.0.1", f"allow_anonymous {'false' if name == 'login' else 'true'}"]
        if name == "login":
            lines.append(f"password_file {password_file}")
        if name in ("ws", "wss"):
            lines.append("protocol websockets")
        if name not in ("ws", "login"):
            certificate, key = made.get(name, made["tls"]).write(folder, name)
            lines += [f"certfile {certificate}", f"keyfile {key}"]
        if name == "mutual":
            lines += [f"cafile {authority_file}", "require_certificate true"]
    server = servers.mosquitto(folder, "\n".join(lines))
    # This line must stand before the first listener.
    config = folder / "mosquitto.conf"
    config.write_text("per_listener_settings true\n" + config.read_text())
    with servers.running(server):
        ports["tcp"] = server.port
        yield Secured(ports, authority, authority.issue(subject="client"), certificates.Authority().issue("x.example"))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize("transport", ["tcp", "ws", "tls", "wss"])
def test_messages_arrive_over_every_transport_and_version(secured: Secured, transport: str, protocol: str) -> None:
    settings = make_settings(
        port=secured.ports[transport],
        transport=transport,
        protocol=protocol,
        ca_certificate=secured.authority.certificate,
        client_id=f"v-{transport}-{protocol}",
        filters=(Filter(f"{transport}/#", 1), Filter("other", 0)),
    )
    with Running(settings) as running:
        answers = running.wait_granted().answers or ()
        assert [(one.topic_filter, one.granted_qos) for one in answers] == [(f"{transport}/#", 1), ("other", 0)]
        publish(secured.ports["tcp"], f"{transport}/x", "21.5")
        message = running.take(1)[0]
        assert (message.topic, message.payload, message.qos, message.queued) == (f"{transport}/x", b"21.5", 1, False)
        running.session.stop(end_session=True)
        running.wait("disabled")


FAILURES: list[tuple[str, dict[str, Any], str, str]] = [
    ("expired", {}, "error", "tls_expired"),
    ("future", {}, "error", "tls_not_yet_valid"),
    ("name", {}, "error", "tls_wrong_name"),
    ("self", {}, "error", "tls_self_signed"),
    ("tls", {"ca_certificate": ""}, "error", "tls_unknown_issuer"),
    ("tcp", {}, "disconnected", "tls_closed"),
    ("tls", {"transport": "tcp"}, "disconnected", "closed_early"),
    ("mutual", {}, "error", "tls_client_certificate"),
    ("tcp", {"transport": "ws"}, "error", "websocket_refused"),
    ("ws", {"transport": "ws", "websocket_path": "/elsewhere"}, "connected", ""),
    ("login", {"transport": "tcp"}, "error", "credentials_missing"),
    ("login", {"transport": "tcp", "username": "ada", "password": "wrong"}, "error", "not_authorised"),
    ("login", {"transport": "tcp", "protocol": "5", "username": "ada", "password": "wrong"}, "error", "not_authorised"),
    ("login", {"transport": "tcp", "username": "ada", "password": "secret"}, "connected", ""),
]


@pytest.mark.parametrize(("port", "fields", "status", "code"), FAILURES)
def test_each_failure_says_what_it_is(
    secured: Secured, port: str, fields: dict[str, Any], status: str, code: str
) -> None:
    values = {"transport": "tls", "ca_certificate": secured.authority.certificate, **fields}
    with Running(make_settings(port=secured.ports[port], **values)) as running:
        running.wait("connecting")
        report = running.wait(status)
        assert (report.reason.code if report.reason else "") == code


def test_a_client_certificate_opens_the_door_and_a_strange_one_does_not(secured: Secured) -> None:
    known = {"client_certificate": secured.client.certificate, "client_key": secured.client.key}
    strange = {"client_certificate": secured.stranger.certificate, "client_key": secured.stranger.key}
    base = {"port": secured.ports["mutual"], "transport": "tls", "ca_certificate": secured.authority.certificate}
    with Running(make_settings(**base, **known)) as running:
        running.wait("connected")
    with Running(make_settings(**base, **strange)) as running:
        running.wait("error", "tls_client_certificate")


def test_a_key_that_does_not_fit_its_certificate_says_so(secured: Secured) -> None:
    mixed = {"client_certificate": secured.client.certificate, "client_key": secured.stranger.key}
    with Running(make_settings(port=secured.ports["mutual"], transport="tls", **mixed)) as running:
        running.wait("error", "tls_own_certificate")


def test_a_broker_is_trusted_by_its_own_certificate_and_without_a_check(secured: Secured, tmp_path: Path) -> None:
    for fields in ({"tls_verify": False, "ca_certificate": ""}, {}):
        values = {"ca_certificate": secured.authority.certificate, "alpn": "mqtt", **fields}
        with Running(make_settings(port=secured.ports["tls"], transport="tls", **values)) as running:
            running.wait("connected")


def test_secrets_appear_neither_in_the_text_form_nor_on_disk(secured: Secured) -> None:
    settings = make_settings(
        password="very-secret",
        transport="tls",
        client_certificate=secured.client.certificate,
        client_key=secured.client.key,
    )
    assert "very-secret" not in repr(settings)
    assert "PRIVATE KEY" not in repr(settings)
    tls_context(settings)


def test_a_port_where_nobody_listens_is_refused() -> None:
    with Running(make_settings(port=servers.free_port())) as running:
        report = running.wait("disconnected", "refused")
        assert report.next_retry_at
        assert report.retry_count == 1


def test_a_name_that_does_not_exist_is_an_error_of_the_settings() -> None:
    with Running(make_settings(host="no-such-host.invalid")) as running:
        reason = running.wait_failure(seconds=40).reason
        assert reason
        assert reason.code in ("dns_unknown", "dns_failed")


@pytest.mark.parametrize(("protocol", "code"), [("3.1.1", "no_connack"), ("5", "no_connack_v5")])
def test_a_server_that_never_answers_is_named_with_the_likely_cause(
    protocol: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqtt.services.mqtt_connection.link.CONNACK_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = make_settings(port=mute.getsockname()[1], protocol=protocol)
        with Running(settings) as running:
            running.wait("error", code)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x01", b"\xff" * 64, b""])
def test_what_is_no_broker_never_ends_the_thread(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.services.mqtt_connection.link.CONNACK_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(1024)
                    peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with Running(make_settings(port=server.getsockname()[1])) as running:
            reason = running.wait_failure().reason
            assert reason
            assert reason.code in ("closed_early", "protocol_refused", "no_connack", "link_lost")
        server.shutdown(socket.SHUT_RDWR)


class Heard(LinkListener):
    """Keeps the messages of a link."""

    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []

    def link_message(self, link: Link, message: InboundMessage) -> None:
        self.messages.append(message)


def _unheard(link: Link) -> bool:
    """A ping was sent an hour ago, and nothing came since; whether the link goes on."""
    paho = link._client
    paho._ping_t = paho._last_bytes_received = paho._last_msg_out = time.monotonic() - 3600
    return link.step(0)


def test_a_broker_that_waits_for_storing_may_be_silent_and_any_other_may_not(secured: Secured) -> None:
    heard = Heard()
    link = Link(make_settings(port=secured.ports["tcp"]), heard)
    link.open()
    link.wait_until_up(lambda: True)
    link.subscribe([Filter("kept/#", 1)])
    publish(secured.ports["tcp"], "kept/x", "1", "-r")  # found also when it came before the filter
    wait_for(lambda: link.step(0.1) and heard.messages, what="the message")
    assert _unheard(link), "it is not acknowledged: who is silent waits for us"
    wait_for(lambda: link.step(0.1) and not link._client._ping_t, what="the answer to a ping")
    link.acknowledge([heard.messages[0].mid])
    assert not _unheard(link)
    assert link.reason
    assert link.reason.code == "keepalive_timeout"
    link.close()
