import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.exceptions import ReasonError
from mqtt.reasons import REASONS
from mqtt.services.probes.websocket import check_answer, upgrade
from tests.listeners import closing, listening, saying, silent


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (silent, "test_ws_no_answer"),
        (closing, "test_ws_not_http"),
        (saying(bytes.fromhex("20020005")), "test_ws_not_http"),
        (saying(b"HTTP/1.1 404 Not Found\r\n\r\n"), "test_ws_not_found"),
        (saying(b"HTTP/1.1 302 Found\r\nLocation: https://b.example/mqtt\r\n\r\n"), "test_ws_moved"),
        (saying(b"HTTP/1.1 403 Forbidden\r\n\r\n"), "test_ws_forbidden"),
        (saying(b"HTTP/1.0 200 OK\r\n\r\n<html>"), "test_ws_refused"),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), ""),
    ],
)
def test_what_a_web_server_says_instead_is_explained(behave: object, code: str) -> None:
    with listening(behave) as port, socket.create_connection(("127.0.0.1", port)) as wire:  # type: ignore[arg-type]
        if not code:
            upgrade(wire, "localhost", "/mqtt", 0.5)
            return
        with pytest.raises(ReasonError) as caught:
            upgrade(wire, "localhost", "/mqtt", 0.5)
    assert caught.value.code == code


@given(st.one_of(st.binary(), st.binary().map(lambda tail: b"HTTP/1.1 " + tail)))
def test_any_answer_is_granted_or_explained(head: bytes) -> None:
    try:
        check_answer(head, "/mqtt")
    except ReasonError as error:
        assert error.code in REASONS  # noqa: PT017 - both ends are good, anything else is not caught
    else:
        assert b" 101" in head
