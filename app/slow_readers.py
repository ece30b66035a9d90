"""Who reads slowly: Daphne keeps for a browser whatever we send, without bound, so we must know when to wait.

Twisted says when more than 64 KB wait for a socket and when all of it is gone. A WebSocket's scope carries that as
`reader`; the live hub leaves a slow reader alone and later sends what is newest.
"""

import socket
from collections.abc import Callable
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

KERNEL_BUFFER = 64 * 1024
"""Bytes that the system may keep for a socket besides; it would take megabytes before anybody noticed."""


@implementer(IPushProducer)
class Reader:
    """One browser, as its socket sees it."""

    def __init__(self) -> None:
        self.is_slow = False
        self.on_ready: Callable[[], None] | None = None
        """Called when everything that waited is sent."""

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The socket's buffer is full."""
        self.is_slow = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It is empty again."""
        self.is_slow = False
        if self.on_ready:
            self.on_ready()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The socket is closed."""


class WatchingServer(Server):  # type: ignore[misc]
    """Daphne, telling applications of WebSockets who reads slowly."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Once for each request and socket."""
        if scope["type"] == "websocket":
            scope["reader"] = reader = Reader()
            protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
            protocol.transport.unregisterProducer()  # the HTTP channel that the socket was before
            protocol.transport.registerProducer(reader, streaming=True)
        return super().create_application(protocol, scope)


def watch_readers() -> None:
    """Let Daphne's command start such a server."""
    CommandLineInterface.server_class = WatchingServer
