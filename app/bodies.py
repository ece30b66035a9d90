"""How large the body of a request may be, and what Daphne says before Django is asked.

Daphne reads a body to its end, onto the disk, before that: anybody could fill it without a login. Its own answers are
HTML without the headers that ours have.
"""

import json
from typing import Any

from daphne import http_protocol, ws_protocol

from app.middleware import CONTENT_POLICY

MAX_BODY = 4 * 1024 * 1024
"""Bytes; a connection with its certificates, the largest that anybody sends us, has some ten thousand."""

HEADERS = {
    "Content-Type": "application/json",
    "Content-Security-Policy": CONTENT_POLICY,
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
"""What every answer of ours carries too; in JSON for programs, who send most of what is wrong: a person can read it."""


def _refusal(status: str, sentence: str) -> bytes:
    """A whole answer, after which the connection ends."""
    body = json.dumps({"detail": sentence})
    headers = {**HEADERS, "Connection": "close", "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return "\r\n".join(lines).encode()


REFUSALS = {
    400: _refusal("400 Bad Request", "This is no request that HTTP/1.1 knows, or its headers are too long."),
    413: _refusal("413 Content Too Large", "The body is too large: at most 4 MB are taken."),
}
SENTENCES = {
    500: "The console could not answer; its log says why.",
    503: "The console did not answer in time; try again.",
}


class BoundedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """Hangs up on a body that is too large, by its announced length or as soon as it is."""

    _received = 0

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers are read; None: the body comes in chunks."""
        super().gotLength(length)
        if length is not None and length > MAX_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Some of the body."""
        self._received += len(data)
        if self._received > MAX_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Daphne's own answer, for what it does not pass on or what failed before anything was said."""
        sentence = SENTENCES.get(status, f"{body}.")
        headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": json.dumps({"detail": sentence}).encode()})

    def _refuse(self) -> None:
        channel: Any = self.channel
        if channel is not None and not channel.transport.disconnecting:
            channel.transport.write(REFUSALS[413])
            channel.loseConnection()


class HeadedSocket(ws_protocol.WebSocketProtocol):  # type: ignore[misc]
    """Whose refusal has headers too."""

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:  # noqa: N802, N803 - Autobahn's names
        """Instead of a socket."""
        headers = {**HEADERS, "Connection": "close", "Content-Length": "0"}
        super().sendHttpErrorResponse(code, reason, [*(responseHeaders or ()), *headers.items()])


def bound_bodies() -> None:
    """Let Daphne make such requests and sockets; it has no setting for it."""
    http_protocol.WebRequest = BoundedRequest
    ws_protocol.WebSocketFactory.protocol = HeadedSocket
