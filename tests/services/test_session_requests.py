"""What decoders want published reaches the broker, once, and a broker that refuses is left in peace."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from mqtt.decoders.sparkplug.schema import Payload
from mqtt.messages import Request
from mqtt.services.sessions.link_reasons import Reason
from mqtt.services.sessions.reports import Counters
from mqtt.services.sessions.requests import MOST_WAITING, SessionRequests
from tests import servers
from tests.servers import PATIENCE, wait_for
from tests.services.mqtt_processes import Start, create, values, wait_granted
from tests.services.sessions import Running, make_settings

ASK = Request("spBv1.0/Plant/NCMD/press", b"again")


class SilentLink:
    """Takes everything and answers nothing."""

    is_up = True

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []

    def publish(self, mark: int, topic: str, _payload: bytes, **_: Any) -> None:
        self.sent.append((mark, topic))


def test_a_request_is_sent_once_and_counted() -> None:
    counters, link = Counters(), SilentLink()
    requests = SessionRequests(counters)
    requests.put([ASK, ASK])
    requests.send(link)  # type: ignore[arg-type]
    requests.send(link)  # type: ignore[arg-type]
    for mark, _ in link.sent:
        assert mark < 0
        requests.answered(mark, None)
    requests.answered(5, Reason("command_refused", is_error=True))  # a person's command
    requests.link_ended()
    assert (len(link.sent), counters.requests, counters.requests_refused) == (2, 2, 0)


@pytest.mark.parametrize("way", ["refused", "cut"])
def test_after_a_refusal_or_a_cut_link_nothing_is_asked_for_a_while(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counters, link = Counters(), SilentLink()
    requests = SessionRequests(counters)
    requests.put([ASK])
    requests.send(link)  # type: ignore[arg-type]
    if way == "cut":
        requests.link_ended()
    else:
        requests.answered(link.sent[0][0], Reason("command_not_authorised", is_error=True))
    requests.put([ASK])
    requests.send(link)  # type: ignore[arg-type]
    assert (len(link.sent), counters.requests_refused) == (1, 1)
    monkeypatch.setattr("mqtt.services.sessions.requests.REFUSED_PAUSE", 0.0)
    requests = SessionRequests(counters)
    requests.put([ASK])
    requests.send(link)  # type: ignore[arg-type]
    requests.answered(link.sent[1][0], Reason("command_refused", is_error=True))
    requests.put([ASK])
    requests.send(link)  # type: ignore[arg-type]
    assert len(link.sent) == 3


def test_requests_are_bounded_and_old_ones_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    counters, link = Counters(), SilentLink()
    requests = SessionRequests(counters)
    requests.put([ASK] * 1000)
    requests.send(link)  # type: ignore[arg-type]
    assert len(link.sent) == MOST_WAITING
    monkeypatch.setattr("mqtt.services.sessions.requests.PROMPT", -1.0)
    requests.put([ASK])
    requests.send(link)  # type: ignore[arg-type]
    assert counters.requests == MOST_WAITING


def test_a_session_without_a_link_asks_for_nothing() -> None:
    running = Running(make_settings(port=1))
    running.session.request([ASK])
    assert running.session.counters.requests == 0


@pytest.mark.mosquitto
def test_a_broker_that_refuses_is_counted(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    with (
        servers.running(servers.mosquitto(tmp_path / "strict", f"acl_file {rules}")) as broker,
        Running(make_settings(port=broker.port, protocol="5")) as running,
    ):
        running.wait("connected")
        wait_for(lambda: running.session.is_up, what="the link")
        running.session.request([ASK])
        wait_for(lambda: running.session.counters.requests_refused == 1, what="the refusal")


@pytest.mark.mosquitto
@pytest.mark.django_db(transaction=True)
@pytest.mark.database
@pytest.mark.usefixtures("valkey")
def test_a_sparkplug_node_whose_birth_was_missed_is_asked_to_say_it_again(
    start: Start, own_broker: servers.Server, tmp_path: Path
) -> None:
    connection = create(own_broker, "spBv1.0/#")
    start("one")
    wait_granted(connection)
    data = Payload(timestamp=1_790_000_000_000, seq=4)
    data.metrics.add(alias=9, datatype=10, double_value=2.5)
    (tmp_path / "data").write_bytes(data.SerializeToString())
    at_broker = ["-p", str(own_broker.port), "-q", "1"]
    node = ["mosquitto_sub", *at_broker, "-t", "spBv1.0/Plant/NCMD/#", "-C", "1", "-W", "20", "-F", "%r %x", "-d"]
    with subprocess.Popen(["stdbuf", "-oL", *node], stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout
        while "SUBACK" not in listening.stdout.readline():
            pass
        send = ["mosquitto_pub", *at_broker, "-t", "spBv1.0/Plant/NDATA/press", "-f", str(tmp_path / "data")]
        subprocess.run(send, check=True, timeout=PATIENCE)
        heard = listening.stdout.read()
    assert b"Node Control/Rebirth".hex() in heard
    wait_for(lambda: values() == [2.5], what="the reading")
