"""Does the port answer an HTTP upgrade to MQTT over WebSocket?"""

import base64
import re
import secrets
import socket

from mqtt.exceptions import ReasonError

LONGEST_HEAD = 16_384
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r?\n")


def upgrade(wire: socket.socket, host: str, path: str, seconds: float) -> None:
    """Ask for a WebSocket that speaks MQTT. Raises ReasonError with what the other side said instead."""
    wire.settimeout(seconds)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    request = (
        f"GET {path or '/'} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    try:
        wire.sendall(request.encode())
        head = _head(wire)
    except TimeoutError:
        raise ReasonError("test_ws_no_answer", seconds=round(seconds)) from None
    except OSError:
        head = b""
    check_answer(head, path)


def check_answer(head: bytes, path: str) -> None:
    """Raise ReasonError unless the head of an HTTP answer grants the upgrade."""
    found = STATUS_LINE.match(head)
    if found is None:
        raise ReasonError("test_ws_not_http")
    status = int(found[1])
    if status == 101:
        return
    if status in {301, 302, 303, 307, 308}:
        location = re.search(rb"\r?\nLocation: *([^\r\n]{0,300})", head, re.IGNORECASE)
        there = location[1].decode("latin-1") if location else "?"
        raise ReasonError("test_ws_moved", location="".join(sign for sign in there if sign.isprintable()))
    if status == 404:
        raise ReasonError("test_ws_not_found", path=path)
    if status in {401, 403}:
        raise ReasonError("test_ws_forbidden", status=status)
    raise ReasonError("test_ws_refused", status=status, path=path)


def _head(wire: socket.socket) -> bytes:
    """What comes up to the empty line that ends an HTTP head, or until it cannot be one any more."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
        more = wire.recv(2048)
        if not more:
            break
        head += more
        if not b"HTTP/".startswith(head[:5]) and not head.startswith(b"HTTP/"):
            break
    return head
