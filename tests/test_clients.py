"""Clients that ask slowly, take slowly, or ask what Daphne answers by itself."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.http import Request

from app.bodies import HEADERS, MAX_BODY
from app.clients import MOST_WAITING, REQUEST_TIME, TAKING_TIME, BoundedChannel, waiting
from tests.servers import PATIENCE
from tests.web_process import web_running

ROOT = Path(__file__).resolve().parent.parent
ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /ws/sensors/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Origin: http://localhost\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    with web_running() as port:
        yield port


def said(port: int, request: bytes) -> str:
    """All that the server answers until it hangs up."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire, suppress(ConnectionResetError):
        wire.sendall(request)
        while piece := wire.recv(4096):
            answer += piece
    return answer.decode()


def is_gone(wire: socket.socket) -> bool:
    try:
        return wire.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HTTP/1.1\r\nX-Slow: ", b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1"],
)
def test_many_slow_clients_leave_room_for_others(web: int, begun: bytes) -> None:
    with ExitStack() as stack:
        slow = []
        for _ in range(MOST_WAITING + 20):
            wire = stack.enter_context(socket.create_connection(("127.0.0.1", web), timeout=PATIENCE))
            wire.sendall(begun)
            slow.append(wire)
        assert said(web, ASK).startswith("HTTP/1.1 200 ")
        assert all(is_gone(wire) for wire in slow[:20]), "who waited longest went"
        slow[-1].settimeout(0)
        with pytest.raises(BlockingIOError):
            slow[-1].recv(1)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X-One: more\r\n" * 600 + b"\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (UPGRADE, 403),
    ],
)
def test_what_daphne_answers_by_itself_carries_our_headers_and_no_page(web: int, request_: bytes, status: int) -> None:
    answer = said(web, request_)
    assert answer.startswith(f"HTTP/1.1 {status} ")
    for name, value in HEADERS.items():
        assert f"\r\n{name}: {value}\r\n" in answer
    assert "<" not in answer
    assert status == 403 or '{"detail": "' in answer


class Wire(StringTransport):
    """A transport that can be ended at once."""

    is_ended = False

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        self.is_ended = True

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's name
        """As a real one."""


@pytest.fixture
def connection() -> Iterator[tuple[BoundedChannel, Wire, Clock]]:
    channel, wire, clock = BoundedChannel(), Wire(), Clock()
    channel.callLater, channel.timeOut, channel.requestFactory = clock.callLater, None, Unanswered
    channel.makeConnection(wire)
    yield channel, wire, clock
    channel.connectionLost(None)
    assert channel not in waiting


class Unanswered(Request):
    """A request that takes its time."""

    def process(self) -> None:
        """Nothing yet."""


Connection = tuple[BoundedChannel, Wire, Clock]


def test_a_request_that_never_becomes_whole_is_cut_off_however_often_it_says_a_byte(connection: Connection) -> None:
    channel, wire, clock = connection
    channel.dataReceived(b"GET / HTTP/1.1\r\nX-Slow: ")
    for _ in range(REQUEST_TIME - 1):
        clock.advance(1)
        channel.dataReceived(b"a")
    assert not wire.is_ended
    clock.advance(1)
    assert wire.is_ended


def test_a_whole_request_may_be_answered_for_as_long_as_it_takes(connection: Connection) -> None:
    channel, wire, clock = connection
    channel.dataReceived(ASK)
    clock.advance(100 * TAKING_TIME)
    assert not wire.is_ended
    assert channel not in waiting


def test_who_takes_an_answer_may_take_long_and_who_takes_nothing_is_cut_off(connection: Connection) -> None:
    channel, wire, clock = connection
    channel.dataReceived(ASK)
    for _ in range(5):
        channel.pauseProducing()
        clock.advance(TAKING_TIME - 1)
        channel.resumeProducing()
    assert not wire.is_ended
    channel.pauseProducing()
    clock.advance(TAKING_TIME)
    assert wire.is_ended
