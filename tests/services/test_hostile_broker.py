"""What a broker may send to a session: nothing of it is held beyond bounds, and nothing ends the session's thread."""

import contextlib
import random
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.exceptions import UndecodableError
from mqtt.messages import InboundMessage
from mqtt.services.mqtt_connection import bounded_client, client
from mqtt.services.mqtt_connection.packets import KEPT_OF_LONG, MAX_PACKET_BYTES
from mqtt.services.pipeline.inbox import PATIENCE, Inbox
from mqtt.services.sessions import clearing, link_reasons
from mqtt.services.sessions.connection_settings import Filter
from mqtt.topics import is_own_status
from tests import servers
from tests.listeners import Behaviour, listening, saying, silent
from tests.servers import wait_for
from tests.services.sessions import Running, make_settings

CONNACK = b"\x20\x02\x00\x00"
CONNACK_5 = b"\x20\x03\x00\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"


def packet(head: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    left, length = len(body), bytearray()
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
        if not left:
            return bytes([head]) + bytes(length) + body


def publication(payload: bytes, qos: int = 0, mid: int = 1, topic: bytes = b"a/b") -> bytes:
    number = mid.to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, len(topic).to_bytes(2, "big"), topic, number, payload)


def broker(*packets: bytes, connack: bytes = CONNACK) -> Behaviour:
    """Accepts, and then sends these whatever it is told."""

    def behave(wire: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wire.recv(4096)
            wire.sendall(connack)
            for one in packets:
                wire.sendall(one)
            while wire.recv(65536):
                pass

    return behave


def ended_by(behave: Behaviour, **fields: object) -> str:
    """The reason code with which a session leaves such a broker."""
    with listening(behave) as port, Running(make_settings(port=port, **fields)) as running:
        report = running.wait("error")
        return report.reason.code if report.reason else ""


def test_a_message_that_is_too_long_is_cut_and_the_link_goes_on() -> None:
    size = 5 * MAX_PACKET_BYTES
    with (
        listening(broker(publication(b"x" * size, qos=1, mid=7), publication(b"1", qos=1, mid=8))) as port,
        Running(make_settings(port=port)) as running,
    ):
        long, short = running.take(2)
        assert (long.topic, long.mid, long.size, short.payload) == ("a/b", 7, size, b"1")
        assert len(long.payload) <= KEPT_OF_LONG


def test_a_topic_that_no_database_takes_is_mended() -> None:
    with (
        listening(broker(publication(b"1", topic=b"a\0b/\xff\xed\xa0\x80"))) as port,
        Running(make_settings(port=port)) as running,
    ):
        (message,) = running.take(1)
        assert message.topic == "a\ufffdb/" + "\ufffd" * 4


def test_properties_without_end_do_not_end_the_link_of_all() -> None:
    one = b"\x26\x00\x01k\xff\xff" + b"v" * 65_535
    count = MAX_PACKET_BYTES // len(one) + 1
    length = packet(0, one * count)[1:5]  # as a packet's, so a property's
    long = packet(0x32, b"\x00\x03a/b\x00\x07", length, one * count, b"1")
    short = packet(0x32, b"\x00\x03a/b\x00\x08\x002")
    with (
        listening(broker(long, short, connack=CONNACK_5)) as port,
        Running(make_settings(port=port, protocol="5")) as running,
    ):
        first, second = running.take(2)
        assert (first.topic, first.mid, first.payload, second.payload) == ("a/b", 7, b"", b"2")


def test_a_message_without_a_topic_does_not_end_the_link_for_ever(tmp_path: Path) -> None:
    """rumqttd passes it on, and would send it again with each new link."""
    with servers.running(servers.rumqttd(tmp_path)) as real:
        settings = make_settings(port=real.port, filters=(Filter("#", 1),))
        with Running(settings) as running, socket.create_connection(("127.0.0.1", real.port)) as device:
            running.wait_granted()
            device.sendall(packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x06device"))
            device.sendall(publication(b"1", qos=1, topic=b"") + publication(b"2", qos=1, mid=2))
            nameless, named = (one for one in running.take(3) if not is_own_status(one.topic))
            assert (nameless.topic, nameless.payload, named.payload) == ("\ufffd", b"1", b"2")


def test_a_broker_that_answers_only_some_filters_grants_only_these() -> None:
    def behave(wire: socket.socket) -> None:
        wire.recv(4096)
        wire.sendall(CONNACK)
        mid = wire.recv(4096)[2:4]
        wire.sendall(packet(0x90, mid, b"\x01"))
        silent(wire)

    filters = (Filter("a/#", 1), Filter("b/#", 1))
    with listening(behave) as port, Running(make_settings(port=port, filters=filters)) as running:
        answers = running.wait_granted().answers or ()
        assert [(one.granted_qos, one.reason is None) for one in answers] == [(1, True), (None, False)]


@pytest.mark.parametrize(("expiry", "code"), [(0, "session_short"), (link_reasons.SHORT_SESSION, "")])
def test_a_broker_that_soon_forgets_our_session_is_noted(expiry: int, code: str) -> None:
    connack = packet(0x20, b"\x00\x00\x05\x11", expiry.to_bytes(4, "big"))
    with (
        listening(broker(connack=connack)) as port,
        Running(make_settings(port=port, protocol="5")) as running,
    ):
        report = running.wait("connected")
        assert (report.reason.code if report.reason else "") == code


def test_garbage_in_place_of_a_connack_is_no_broker() -> None:
    assert ended_by(saying(b"\x20\xff\xff\xff\xff\xff")) == "protocol_refused"


def test_a_broker_that_never_answers_says_so_whatever_the_keepalive() -> None:
    settings = make_settings(keepalive=5)
    reason = link_reasons.of_disconnect(link_reasons.KEEPALIVE_TIMEOUT, "", settings, by_broker=False, was_up=False)
    assert (reason.code, reason.context["seconds"]) == ("no_connack", 5)


def test_the_reason_of_a_cut_message_tells_its_true_size() -> None:
    message = InboundMessage(1, "a", b"x" * 3_000_000, 0, retain=False, received_us=0, cut=100)
    with pytest.raises(UndecodableError) as refusal:
        decode(message, Memory())
    assert refusal.value.context["size"] == 3_000_000 + 100


def test_a_packet_that_is_too_long_and_no_message_ends_the_link() -> None:
    assert ended_by(broker(packet(0x90, b"\x00\x01", b"\x01" * 2 * MAX_PACKET_BYTES))) == "not_mqtt"


def test_answers_that_the_broker_does_not_read_end_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_client, "MOST_UNSENT", 100)
    assert ended_by(broker(b"\xc0\x00" * 5000)) == "sends_too_much"


def test_a_second_connack_ends_the_link() -> None:
    assert ended_by(broker(CONNACK)) == "not_mqtt"


def test_a_broker_without_a_window_is_left_alone_when_nothing_more_can_be_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flood = b"".join(publication(b"1", qos=1, mid=one + 1) for one in range(100))
    with listening(broker(flood)) as port:
        running = Running(make_settings(port=port))
        monkeypatch.setattr(running.inbox, "_max_messages", 10)
        with running:
            report = running.wait("error")
            assert report.reason
            assert report.reason.code == "sends_too_much"
            assert len(running.inbox) == 10 * PATIENCE
            assert running.session.counters.dropped == 0


def test_long_topics_count_for_the_bound_of_the_inbox() -> None:
    inbox = Inbox(max_bytes=100_000)
    taken = [
        inbox.put(InboundMessage(1, "t" * 60_000, b"", 0, retain=False, received_us=0, mid=one)) for one in range(3)
    ]
    assert taken == [True, True, False]


def dripping(say: Callable[[], bytes]) -> Behaviour:
    def behave(wire: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wire.recv(4096)
            while True:
                wire.sendall(say())
                time.sleep(0.05)

    return behave


@pytest.mark.parametrize("transport", ["ws", "tls"])
def test_a_handshake_without_end_is_ended(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "OPENING_TIMEOUT", 0.5)
    drip = b"x" if transport == "ws" else b"\x16\x03\x03\x3f\x00\x02"
    before = threading.active_count()
    with listening(dripping(lambda: drip)) as port, Running(make_settings(port=port, transport=transport)) as running:
        running.wait("connecting")
        running.wait("error" if transport == "ws" else "disconnected")
    wait_for(lambda: threading.active_count() <= before + 1, what="the end of its threads")


def test_a_slow_broker_reads_our_last_acknowledgements_before_we_hang_up() -> None:
    left: list[bytes] = []

    def behave(wire: socket.socket) -> None:
        wire.recv(4096)
        wire.sendall(CONNACK + publication(b"1", qos=1, mid=7))
        wait_for(lambda: wire.recv(4096, socket.MSG_PEEK).endswith(b"\xe0\x00"), what="DISCONNECT")
        wire.sendall(publication(b"2", qos=1, mid=8))
        hung_up = select.poll()
        hung_up.register(wire, select.POLLRDHUP)
        if not hung_up.poll(200):
            left.append(wire.recv(4096))

    with listening(behave) as port, Running(make_settings(port=port)) as running:
        running.session.acknowledge(running.take(1))
        running.session.stop(end_session=False)
        assert running.session.join(servers.PATIENCE)
    assert left, "we hung up"
    assert b"\x40\x02\x00\x07" in left[0]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_no_garbage_ends_a_session(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "LONGEST", 0.0)  # nobody stores here, and each SUBSCRIBE would wait for that
    dice = random.Random(7)
    heads = [0x20, 0x30, 0x32, 0x34, 0x36, 0x40, 0x50, 0x62, 0x70, 0x90, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0, 0x00]
    links: list[int] = []

    def behave(wire: socket.socket) -> None:
        links.append(1)
        with contextlib.suppress(OSError):
            wire.recv(4096)
            if dice.random() < 0.7:
                wire.sendall(CONNACK if protocol == "3.1.1" else CONNACK_5)
                wire.recv(4096)
            for _ in range(dice.randrange(1, 5)):
                wire.sendall(packet(dice.choice(heads), dice.randbytes(dice.choice((0, 1, 2, 3, 5, 40)))))

    with listening(behave) as port, Running(make_settings(port=port, protocol=protocol)) as running:
        wait_for(lambda: running.session.retry_now() or len(links) >= 40, what="forty links")
        assert not running.session.is_finished
        assert not running.session.has_failed
