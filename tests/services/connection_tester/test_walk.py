"""Each failing step ends with its own sentence, against real brokers and listeners that misbehave."""

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.reasons import REASONS, explain
from mqtt.services.connection_tester.walk import PATIENCE, Walk
from mqtt.services.sessions.connection_settings import ConnectionSettings, Filter
from tests import servers
from tests.certificates import Authority
from tests.listeners import closing, listening, saying, silent

AUTHORITY = Authority()
DYNAMIC_SECURITY = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")


def settings_for(port: int, **changed: Any) -> ConnectionSettings:
    """A plain connection to a loopback port."""
    values: dict[str, Any] = {
        "connection_id": 1, "host": "localhost", "port": port, "transport": "tcp", "websocket_path": "/mqtt",
        "protocol": "3.1.1", "username": "", "password": "", "client_id": "walker", "keepalive": 30,
        "ca_certificate": "", "client_certificate": "", "client_key": "", "tls_verify": True, "alpn": "",
        "filters": (Filter("#", 1),),
    }  # fmt: skip
    return ConnectionSettings(**values | changed)


def walk(settings: ConnectionSettings) -> list[dict[str, Any]]:
    """The steps of a whole walk; every reason must have a sentence that its facts fill."""
    told: list[list[dict[str, Any]]] = []
    good = Walk(settings, told.append, lambda: False).run()
    last = told[-1]
    assert good == all(step["state"] in {"ok", "warning"} for step in last)
    for step in last:
        assert not step["reason"] or step["reason"] in REASONS
        assert "%(" not in explain(step["reason"], step["context"])
    json.dumps(last)
    return last


def ending(steps: list[dict[str, Any]]) -> tuple[str, str, str]:
    """Name, state and reason of the step at which the walk ended."""
    step = [step for step in steps if step["state"] != "waiting"][-1]
    return step["name"], step["state"], step["reason"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only a second for messages, which mostly do not come, but for brokers as long as they need."""
    for name in ("tls", "connect", "subscribe"):
        monkeypatch.setitem(PATIENCE, name, servers.PATIENCE)
    monkeypatch.setitem(PATIENCE, "message", 1.0)
    monkeypatch.setattr("mqtt.services.connection_tester.walk.WHOLE", servers.PATIENCE)


@pytest.fixture
def _unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody will answer."""
    for name in ("tls", "connect"):
        monkeypatch.setitem(PATIENCE, name, 1.0)
    monkeypatch.setattr("mqtt.services.connection_tester.walk.SECOND_LOOK", 1.0)


@pytest.fixture
def _answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message will come."""
    monkeypatch.setitem(PATIENCE, "message", servers.PATIENCE)


@contextlib.contextmanager
def publishing(port: int, topic: str, payload: bytes, retain: bool = False) -> Iterator[None]:
    """A device that publishes four times a second, or once when the broker shall keep it."""
    client = PahoClient(CallbackAPIVersion.VERSION2, client_id="device")
    client.connect("127.0.0.1", port)
    client.loop_start()
    ended = threading.Event()

    def publish() -> None:
        while not ended.is_set():
            client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)
            if retain:
                return
            ended.wait(0.25)

    thread = threading.Thread(target=publish)
    thread.start()
    if retain:
        thread.join()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


@pytest.mark.usefixtures("_answered")
def test_a_working_connection_ends_with_devices_found(broker: servers.Server) -> None:
    with publishing(broker.port, "hall/meter", b'{"temperature": 21.5, "humidity": 40}'):
        steps = walk(settings_for(broker.port, filters=(Filter("hall/#", 1),)))
    assert [step["name"] for step in steps] == ["name", "tcp", "connect", "subscribe", "message"]
    assert {step["state"] for step in steps} == {"ok"}
    last = steps[-1]
    assert last["reason"] == "test_message_ok"
    assert (last["context"]["devices"], last["context"]["values"]) == (1, 2)
    assert last["context"]["topic"] == "hall/meter"
    assert abs(last["context"]["received_us"] / 1e6 - time.time()) < 60


def test_a_name_that_leads_nowhere_ends_the_walk() -> None:
    steps = walk(settings_for(1883, host="no-such-broker.invalid"))
    assert ending(steps)[:2] == ("name", "failed")
    assert [step["state"] for step in steps[1:]] == ["waiting"] * 4


def test_a_closed_port_ends_the_walk() -> None:
    assert ending(walk(settings_for(servers.free_port()))) == ("tcp", "failed", "test_tcp_refused_here")


@pytest.mark.parametrize(
    ("behave", "changed", "end"),
    [
        (silent, {}, ("connect", "failed", "no_connack")),
        (closing, {}, ("connect", "failed", "closed_early")),
        (silent, {"protocol": "5"}, ("connect", "failed", "no_connack_v5")),
        (silent, {"transport": "tls"}, ("tls", "failed", "test_tls_timeout")),
        (silent, {"transport": "ws"}, ("connect", "failed", "test_ws_no_answer")),
        (saying(b"HTTP/1.1 404 Not Found\r\n\r\n"), {"transport": "ws"}, ("connect", "failed", "test_ws_not_found")),
    ],
)
@pytest.mark.usefixtures("_unanswered")
def test_a_listener_that_is_no_broker_is_explained(
    behave: Any, changed: dict[str, Any], end: tuple[str, str, str]
) -> None:
    with listening(behave) as port:
        assert ending(walk(settings_for(port, **changed))) == end


def test_version_5_at_a_broker_that_speaks_only_3_is_told_apart_from_silence(
    broker: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATIENCE, "connect", 1.0)
    steps = walk(settings_for(broker.port, protocol="5"))
    assert ending(steps) == ("connect", "failed", "test_connect_old_version")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.mosquitto
def test_silence_after_a_good_subscription_is_a_warning(mosquitto: servers.Server, protocol: str) -> None:
    steps = walk(settings_for(mosquitto.port, protocol=protocol, filters=(Filter("nobody/publishes/here", 1),)))
    assert ending(steps) == ("message", "warning", "test_message_none")


@pytest.mark.mosquitto
def test_kept_messages_alone_are_no_proof_of_life(tmp_path: Path) -> None:
    with servers.running(servers.mosquitto(tmp_path)) as server, publishing(server.port, "a/b", b"4.2", retain=True):
        steps = walk(settings_for(server.port))
    assert ending(steps) == ("message", "warning", "test_message_retained")


@pytest.mark.mosquitto
@pytest.mark.usefixtures("_answered")
def test_messages_that_nobody_understands_are_a_warning(tmp_path: Path) -> None:
    with servers.running(servers.mosquitto(tmp_path)) as server, publishing(server.port, "a/b", b"\xff\xfe\x00"):
        steps = walk(settings_for(server.port))
    assert ending(steps) == ("message", "warning", "test_message_undecoded")


def test_no_filter_means_nothing_to_hear(broker: servers.Server) -> None:
    assert ending(walk(settings_for(broker.port, filters=()))) == ("subscribe", "failed", "test_subscribe_none")


@pytest.mark.mosquitto
@pytest.mark.usefixtures("_answered")
def test_a_shared_subscription_is_tested_without_taking_its_share(mosquitto: servers.Server) -> None:
    with publishing(mosquitto.port, "hall/meter", b"1"):
        steps = walk(settings_for(mosquitto.port, filters=(Filter("$share/console/hall/#", 1),)))
    assert steps[3]["context"]["filter"] == "hall/#"
    assert ending(steps) == ("message", "ok", "test_message_ok")


@pytest.fixture(scope="module")
def login_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("login")
    salt = b"123456789012"
    digest = hashlib.pbkdf2_hmac("sha512", b"right", salt, 101)
    encoded = [base64.b64encode(part).decode() for part in (salt, digest)]
    (folder / "passwords").write_text(f"anna:$7$101${encoded[0]}${encoded[1]}\n")
    (folder / "rights").write_text("user anna\ntopic readwrite allowed/#\n")
    extra = f"allow_anonymous false\npassword_file {folder}/passwords\nacl_file {folder}/rights"
    with servers.running(servers.mosquitto(folder, extra)) as server:
        yield server


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize(
    ("username", "password", "codes"),
    [
        ("anna", "wrong", {"bad_credentials", "not_authorised"}),
        ("nobody", "right", {"bad_credentials", "not_authorised"}),
        ("", "", {"credentials_missing", "not_authorised"}),
    ],
)
def test_a_refused_login_is_explained(
    login_server: servers.Server, protocol: str, username: str, password: str, codes: set[str]
) -> None:
    steps = walk(settings_for(login_server.port, protocol=protocol, username=username, password=password))
    name, state, reason = ending(steps)
    assert (name, state) == ("connect", "failed")
    assert reason in codes


@pytest.mark.mosquitto
def test_the_password_stands_in_no_step(login_server: servers.Server) -> None:
    steps = walk(settings_for(login_server.port, username="anna", password="a-very-secret-word"))
    assert "a-very-secret-word" not in json.dumps(steps)


@pytest.mark.mosquitto
def test_a_filter_that_is_granted_but_not_readable_ends_with_what_to_check(login_server: servers.Server) -> None:
    anna = {"username": "anna", "password": "right", "filters": (Filter("forbidden/#", 1),)}
    assert ending(walk(settings_for(login_server.port, **anna))) == ("message", "warning", "test_message_none")


@pytest.mark.mosquitto
@pytest.mark.skipif(not DYNAMIC_SECURITY.exists(), reason="Mosquitto comes without its dynamic security plugin here")
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.usefixtures("_answered")
def test_a_refused_filter_is_told_beside_those_that_were_granted(tmp_path: Path, protocol: str) -> None:
    allowed = [{"acltype": "subscribePattern", "topic": "allowed/#", "allow": True}]
    (tmp_path / "security.json").write_text(
        json.dumps(
            {
                "defaultACLAccess": {
                    "publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True,
                },
                "groups": [{"groupname": "everybody", "roles": [{"rolename": "reader"}]}],
                "roles": [{"rolename": "reader", "acls": allowed}],
                "clients": [],
                "anonymousGroup": "everybody",
            }
        )
    )  # fmt: skip
    extra = f"plugin {DYNAMIC_SECURITY}\nplugin_opt_config_file {tmp_path}/security.json"
    filters = (Filter("allowed/#", 1), Filter("secret/#", 0))
    with servers.running(servers.mosquitto(tmp_path, extra)) as server:
        with publishing(server.port, "allowed/x", b"1"):
            steps = walk(settings_for(server.port, filters=filters, protocol=protocol))
        none = walk(settings_for(server.port, filters=(Filter("secret/#", 1),), protocol=protocol))
    answers = {step["context"]["filter"]: step["state"] for step in steps if step["name"] == "subscribe"}
    assert answers == {"allowed/#": "ok", "secret/#": "failed"}
    assert steps[-1]["state"] == "ok"
    assert ending(none)[:2] == ("subscribe", "failed")
    assert ending(none)[2] in {"filter_refused", "filter_not_authorised"}


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = AUTHORITY.issue("localhost", days=12).write(folder, "server")
    with servers.running(servers.mosquitto(folder, f"certfile {cert}\nkeyfile {key}")) as server:
        yield server


@pytest.mark.mosquitto
def test_a_certificate_that_ends_soon_is_a_warning_and_the_walk_goes_on(tls_server: servers.Server) -> None:
    with_tls = {"transport": "tls", "ca_certificate": AUTHORITY.certificate}
    steps = walk(settings_for(tls_server.port, **with_tls))
    assert (steps[2]["state"], steps[2]["reason"]) == ("warning", "test_tls_expiring")
    assert steps[2]["context"]["days"] in {11, 12}
    assert ending(steps) == ("message", "warning", "test_message_none")


@pytest.mark.mosquitto
def test_an_unchecked_certificate_is_a_warning(tls_server: servers.Server) -> None:
    steps = walk(settings_for(tls_server.port, transport="tls", tls_verify=False))
    assert (steps[2]["state"], steps[2]["reason"]) == ("warning", "test_tls_unchecked")
    assert steps[3]["state"] == "ok"


@pytest.mark.mosquitto
def test_an_unknown_issuer_ends_the_walk(tls_server: servers.Server) -> None:
    steps = walk(settings_for(tls_server.port, transport="tls"))
    assert ending(steps) == ("tls", "failed", "test_tls_unknown_issuer")


@pytest.mark.mosquitto
def test_plain_mqtt_on_a_tls_port_is_told_to_use_tls(tls_server: servers.Server) -> None:
    assert ending(walk(settings_for(tls_server.port))) == ("connect", "failed", "test_connect_wants_tls")


@pytest.mark.mosquitto
def test_a_client_certificate_without_its_key_is_found_before_the_broker_is_asked(tls_server: servers.Server) -> None:
    own = AUTHORITY.issue(subject="console")
    foreign = AUTHORITY.issue(subject="other").key
    steps = walk(settings_for(tls_server.port, transport="tls", client_certificate=own.certificate, client_key=foreign))
    assert ending(steps) == ("tls", "failed", "tls_own_certificate")


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_websockets_walk_the_same_way(tmp_path: Path, transport: str) -> None:
    tls = AUTHORITY.issue("localhost").write(tmp_path, "server") if transport == "wss" else None
    with servers.running(servers.rumqttd_with(tmp_path, "ws", tls)) as server:
        steps = walk(settings_for(server.port, transport=transport, ca_certificate=AUTHORITY.certificate))
    assert ending(steps) == ("message", "warning", "test_message_none")
    assert ("tls" in [step["name"] for step in steps]) is (transport == "wss")


def test_version_5_at_a_broker_that_speaks_it(tmp_path: Path) -> None:
    with servers.running(servers.rumqttd_with(tmp_path, "v5")) as server:
        steps = walk(settings_for(server.port, protocol="5"))
    assert ending(steps) == ("message", "warning", "test_message_none")


def test_a_walk_that_is_stopped_says_so(broker: servers.Server) -> None:
    told: list[list[dict[str, Any]]] = []
    assert not Walk(settings_for(broker.port), told.append, lambda: True).run()
    assert told[-1][0]["reason"] == "test_interrupted"


@pytest.mark.mosquitto
def test_the_running_session_is_left_alone(mosquitto: servers.Server) -> None:
    lost = threading.Event()
    client = PahoClient(CallbackAPIVersion.VERSION2, client_id="walker", clean_session=False)
    client.on_disconnect = lambda *_: lost.set()
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    try:
        walk(settings_for(mosquitto.port))
        assert not lost.is_set()
    finally:
        client.disconnect()
        client.loop_stop()
