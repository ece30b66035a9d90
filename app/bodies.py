"""How large the body of a request may be.

Daphne reads a body to its end, onto the disk, before Django is asked: anybody could fill it without a login.
"""

from typing import Any

from daphne import http_protocol

MAX_BODY = 4 * 1024 * 1024
"""Bytes; a connection with its certificates, the largest that anybody sends us, has some ten thousand."""

SENTENCE = b'{"detail":"The body is too large."}'
REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(SENTENCE), SENTENCE)
)
"""In JSON for programs, who send most of what is large; a person can read it too."""


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

    def _refuse(self) -> None:
        channel: Any = self.channel
        if channel is not None and not channel.transport.disconnecting:
            channel.transport.write(REFUSAL)
            channel.loseConnection()


def bound_bodies() -> None:
    """Let Daphne make such requests; it has no setting for it."""
    http_protocol.WebRequest = BoundedRequest
