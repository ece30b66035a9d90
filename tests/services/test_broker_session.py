"""One session against real brokers: what survives a reconnect, and what ends for good."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mqtt.services.mqtt_connection import link, reader
from mqtt.services.sessions import silence
from mqtt.services.sessions.connection_settings import Filter
from tests import servers
from tests.services.sessions import Running, make_settings, publish

BROKERS = [
    pytest.param(("mosquitto", "3.1.1"), marks=pytest.mark.mosquitto, id="mosquitto-3.1.1"),
    pytest.param(("mosquitto", "5"), marks=pytest.mark.mosquitto, id="mosquitto-5"),
    pytest.param(("rumqttd", "3.1.1"), marks=pytest.mark.mosquitto, id="rumqttd"),  # mosquitto_pub publishes
]


@pytest.fixture(params=BROKERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[servers.Server, str]]:
    """A broker of its own for each test, and the version to speak."""
    kind, protocol = request.param
    with servers.running(getattr(servers, kind)(tmp_path / kind)) as server:
        yield server, protocol


def test_what_was_not_acknowledged_comes_again_and_the_rest_does_not(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    settings = make_settings(port=server.port, protocol=protocol)
    with Running(settings) as first:
        first.wait_granted()
        for number in range(6):
            publish(server.port, "a/x", str(number))
        messages = first.take(6)
        first.session.acknowledge(messages[:3])
        first.session.stop(end_session=False)
        assert first.session.join(servers.PATIENCE)
    with Running(settings, is_kept=True, kept_filters=["a/#"]) as second:
        again = second.take(3)
        assert [one.payload for one in again] == [b"3", b"4", b"5"]
        assert all(one.queued for one in again)
        second.session.stop(end_session=True)


def test_an_acknowledgement_of_an_older_link_is_not_sent(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    settings = make_settings(port=server.port, protocol=protocol)
    with Running(settings) as first:
        first.wait_granted()
        publish(server.port, "a/x", "old")
        old = first.take(1)
    with Running(settings, is_kept=True) as second:
        second.take(1)
        second.session.acknowledge(old)
    with Running(settings, is_kept=True) as third:
        assert [one.payload for one in third.take(1)] == [b"old"]
        third.session.stop(end_session=True)


def test_ending_the_session_forgets_what_is_published_meanwhile(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    settings = make_settings(port=server.port, protocol=protocol)
    with Running(settings) as first:
        first.wait_granted()
        first.session.stop(end_session=True)
        report = first.wait("disabled")
        assert report.session_open is False
        assert report.kept_filters == ()
    publish(server.port, "a/x", "meanwhile")
    with Running(settings) as second:
        second.wait_granted()
        publish(server.port, "a/x", "now")
        assert [one.payload for one in second.take(1)] == [b"now"]
        second.session.stop(end_session=True)


def test_a_session_left_by_a_dead_process_is_ended_without_being_used(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    settings = make_settings(port=server.port, protocol=protocol)
    with Running(settings) as first:
        first.wait_granted()
    publish(server.port, "a/x", "meanwhile")
    second = Running(settings, is_kept=True)
    second.session.stop(end_session=True)
    with second:
        second.wait("disabled")
        assert second.session.join(servers.PATIENCE)
        assert not len(second.inbox)
    with Running(settings) as third:
        third.wait_granted()
        assert not len(third.inbox)
        third.session.stop(end_session=True)


def test_filters_removed_while_we_were_down_are_taken_back(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    both = make_settings(port=server.port, protocol=protocol, filters=(Filter("a/#", 1), Filter("b/#", 1)))
    with Running(both) as first:
        first.wait_granted()
    publish(server.port, "b/x", "waited")
    one = replace(both, filters=(Filter("a/#", 1),))
    with Running(one, is_kept=True, kept_filters=["a/#", "b/#"]) as second:
        second.wait_granted()
        waited = second.take(1)
        assert [(one.payload, one.unwanted) for one in waited] == [(b"waited", True)]
        second.session.acknowledge(waited)
        servers.wait_for(lambda: second.session.kept_filters == {"a/#"}, what="the UNSUBACK")
        publish(server.port, "b/x", "unwanted")
        publish(server.port, "a/x", "wanted")
        assert [(one.payload, one.unwanted) for one in second.take(1)] == [(b"wanted", False)]
        second.session.stop(end_session=True)


def test_another_client_id_ends_the_old_session(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    old = make_settings(port=server.port, protocol=protocol, client_id="old-id")
    new = make_settings(port=server.port, protocol=protocol, client_id="new-id")
    with Running(old) as first:
        first.wait_granted()
        first.session.stop(end_session=False)
        with Running(new, predecessor=first.session) as second:
            second.wait_granted()
            second.session.stop(end_session=True)
            second.wait("disabled")
    publish(server.port, "a/x", "meanwhile")
    with Running(old) as third:
        third.wait_granted()
        assert not len(third.inbox)
        third.session.stop(end_session=True)


def test_a_broker_that_dies_and_returns_is_found_again(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    with Running(make_settings(port=server.port, protocol=protocol)) as running:
        running.wait_granted()
        server.stop(kill=True)
        report = running.wait("disconnected")
        assert report.next_retry_at
        server.start()
        running.wait("connected")
        running.wait_granted()
        publish(server.port, "a/x", "back")
        assert running.take(1)[0].payload == b"back"


@pytest.mark.mosquitto  # rumqttd sends them with the first SUBSCRIBE only
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_resubscribing_brings_the_retained_messages_again(mosquitto: servers.Server, protocol: str) -> None:
    server = mosquitto
    publish(server.port, f"kept/{protocol}", "kept", "-r")
    settings = make_settings(port=server.port, protocol=protocol, filters=(Filter(f"kept/{protocol}", 1),))
    with Running(settings) as running:
        running.wait_granted()
        first = running.take(1)
        assert (first[0].payload, first[0].retain, first[0].queued) == (b"kept", True, False)
        running.session.acknowledge(first)
        running.session.resubscribe()
        assert running.take(1)[0].payload == b"kept"
        running.session.stop(end_session=True)


def test_thousands_of_messages_are_acknowledged_in_the_order_of_arrival(place: tuple[servers.Server, str]) -> None:
    server, protocol = place
    with Running(make_settings(port=server.port, protocol=protocol)) as running:
        running.wait_granted()
        publisher = threading.Thread(target=_publish_lines, args=(server.port, "a/x", 3000))
        publisher.start()
        seen: list[bytes] = []
        while len(seen) < 3000:
            batch = running.take(1)
            seen += [one.payload for one in batch]
            running.session.acknowledge(batch)
        publisher.join(servers.PATIENCE)
        assert seen == [str(number).encode() for number in range(3000)]
        running.session.stop(end_session=True)
        running.wait("disabled")


@pytest.mark.mosquitto
def test_a_broker_that_sends_more_than_can_be_stored_is_read_no_further_for_a_while(
    mosquitto: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_UNSTORED", 5)
    monkeypatch.setattr(reader, "READ_BYTES", 64)
    monkeypatch.setattr(link, "STORING", 60.0)
    settings = make_settings(port=mosquitto.port, filters=(Filter("much/#", 1),))
    with Running(settings) as running:
        running.wait_granted()
        publish(mosquitto.port, "much/x", "first")

        def has_acknowledged() -> bool:
            """Until an acknowledgement has gone out, storing counts as stopped and everything is read."""
            running.session.acknowledge(running.inbox.collect(0.1))
            return running.session._link is not None and running.session._link.acknowledged > 0

        servers.wait_for(has_acknowledged, what=f"an acknowledgement on one of {running.reports()}")
        _publish_lines(mosquitto.port, "much/x", 100)
        servers.wait_for(lambda: len(running.inbox) > 5)
        assert len(running.inbox) <= 5 + 64 // 8, "one read more at most"
        lines: list[bytes] = []
        while len(lines) < 100:
            batch = running.take(1)
            lines += [message.payload for message in batch]
            running.session.acknowledge(batch)
        assert len(set(lines)) == len(lines) == 100
        running.session.stop(end_session=True)
        running.wait("disabled")


def _publish_lines(port: int, topic: str, count: int) -> None:
    lines = "".join(f"{number}\n" for number in range(count))
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-q", "1", "-l"]
    subprocess.run(command, input=lines.encode(), check=True, timeout=servers.PATIENCE)


@pytest.mark.mosquitto
def test_birth_and_last_will_say_whether_we_are_there(mosquitto: servers.Server) -> None:
    watcher = make_settings(port=mosquitto.port, client_id="watcher", filters=(Filter("vedetta/told/status", 1),))
    told = make_settings(port=mosquitto.port, client_id="told")
    with Running(watcher) as watching:
        watching.wait_granted()
        with Running(told) as running:
            running.wait_granted()
            assert watching.take(1)[0].payload == b"online"
        assert watching.take(1)[0].payload == b"offline"
        with Running(told, is_kept=True) as running:
            running.wait_granted()
            assert watching.take(1)[0].payload == b"online"
            running.session.stop(end_session=True)
            running.wait("disabled")
        assert watching.take(1)[0].payload == b""
        watching.session.stop(end_session=True)


@pytest.mark.mosquitto
def test_a_silent_link_says_so_and_the_next_message_mends_it(
    mosquitto: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENT_AFTER", 0.3)
    settings = make_settings(port=mosquitto.port, filters=(Filter("silence/#", 1),))
    with Running(settings) as running:
        running.wait_granted()
        running.wait("silent", "silent")
        publish(mosquitto.port, "silence/x")
        running.wait("connected", "")


@contextmanager
def scripted(*answers: bytes) -> Iterator[int]:
    """A broker that answers CONNECT and SUBSCRIBE with these packets (MID stands for the packet id), then closes."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(servers.PATIENCE)
                try:
                    for answer in answers:
                        asked = peer.recv(4096)
                        mid = asked[2:4] if asked[:1] == b"\x82" else b"\0\0"
                        peer.sendall(answer.replace(b"MID", mid))
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


ACCEPTED = b"\x20\x02\x00\x00"


def test_a_session_taken_over_by_another_client_says_so_in_mqtt_5() -> None:
    taken = b"\xe0\x01\x8e"
    with scripted(b"\x20\x03\x00\x00\x00", taken) as port, Running(make_settings(port=port, protocol="5")) as running:
        report = running.wait("error", "taken_over")
        assert report.reason
        assert report.reason.wait >= 60


def test_a_refused_filter_is_named_and_the_others_work() -> None:
    filters = (Filter("a/#", 1), Filter("secret/#", 1), Filter("b", 1))
    with (
        scripted(ACCEPTED, b"\x90\x05MID\x01\x80\x00") as port,
        Running(make_settings(port=port, filters=filters)) as run,
    ):
        report = run.wait_granted()
        assert report.status == "connected"
        assert report.reason
        assert dict(report.reason.context) == {"count": 1, "total": 3}
        answers = {
            one.topic_filter: (one.granted_qos, one.reason.code if one.reason else "") for one in report.answers or ()
        }
        assert answers == {"a/#": (1, ""), "secret/#": (None, "filter_refused"), "b": (0, "filter_qos_lowered")}


def test_when_every_filter_is_refused_somebody_must_mend_it() -> None:
    with scripted(ACCEPTED, b"\x90\x03MID\x80") as port, Running(make_settings(port=port)) as running:
        running.wait("error", "filters_refused")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(2, "client_id_rejected"), (3, "server_unavailable"), (4, "bad_credentials"), (5, "not_authorised")],
)
def test_refusals_of_mqtt_3_are_told_apart(code: int, reason: str) -> None:
    with scripted(bytes([0x20, 2, 0, code])) as port, Running(make_settings(port=port, username="ada")) as running:
        report = running.wait_failure()
        assert report.reason
        assert report.reason.code == reason


def test_waiting_after_refused_credentials_is_long_and_can_be_cut_short() -> None:
    with scripted(bytes([0x20, 2, 0, 4])) as port, Running(make_settings(port=port, username="ada")) as running:
        report = running.wait("error", "bad_credentials")
        assert report.next_retry_at
        assert (report.next_retry_at - report.at).total_seconds() > 240
        running.session.retry_now()
        running.wait("connecting")
        assert running.wait("error", "bad_credentials").retry_count == 2


def test_a_broker_that_always_closes_soon_raises_the_suspicion_of_a_second_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mqtt.services.sessions.retries.LONGEST_WAIT", 0.0)

    def serve(server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(ACCEPTED)
                peer.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        with Running(make_settings(port=server.getsockname()[1])) as running:
            running.wait("error", "closed_again")
        server.shutdown(socket.SHUT_RDWR)


def test_stopping_does_not_wait_for_the_next_try() -> None:
    with Running(make_settings(port=servers.free_port())) as running:
        running.wait("disconnected")
        running.session.stop(end_session=False)
        assert running.session.join(servers.PATIENCE)


def test_ending_a_session_whose_broker_is_away_keeps_trying_and_says_so() -> None:
    with Running(make_settings(port=servers.free_port()), is_kept=True) as running:
        running.wait("disconnected")
        running.session.stop(end_session=True)
        report = running.wait("disabled", "session_not_ended")
        assert report.session_open is None
        running.session.resume()
        running.wait("disconnected")
