"""Who reads slowly: Daphne keeps for a browser whatever we send, without bound, so we must know when to wait.

Twisted says when more than 64 KB wait for a socket and when all of it is gone. A scope carries that as `reader`: the
live hub leaves a slow WebSocket alone and later sends what is newest, a long download waits until it is taken.
"""

import asyncio
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


@implementer(IPushProducer)
class Download:
    """Who takes a long answer. All of it runs in the server's one loop."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._is_watched = False
        self._taken = asyncio.Event()
        self._taken.set()

    async def ready(self) -> None:
        """Wait until what was written is on its way."""
        if not self._is_watched and self._protocol.channel is not None:
            self._protocol.registerProducer(self, True)
            self._is_watched = True
        await self._taken.wait()

    def release(self) -> None:
        """The answer is written, or nobody wants it any more."""
        if self._is_watched and self._protocol.channel is not None:
            self._protocol.unregisterProducer()
        self._is_watched = False

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The socket's buffer is full."""
        self._taken.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It is empty again."""
        self._taken.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The socket is closed."""
        self._taken.set()


class WatchingServer(Server):  # type: ignore[misc]
    """Daphne, telling applications who reads slowly, and cutting off an answer that failed half way."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Once for each request and socket."""
        if scope["type"] == "http":
            scope["reader"] = Download(protocol)
            answer_failure = protocol.handle_exception

            def fail(error: Exception) -> None:
                if protocol._response_started:  # noqa: SLF001 - Daphne would begin a second answer, and fail itself
                    protocol.loseConnection()
                else:
                    answer_failure(error)

            protocol.handle_exception = fail
        if scope["type"] == "websocket":
            scope["reader"] = reader = Reader()
            protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
            protocol.transport.unregisterProducer()  # the HTTP channel that the socket was before
            protocol.transport.registerProducer(reader, streaming=True)
        return super().create_application(protocol, scope)


def watch_readers() -> None:
    """Let Daphne's command start such a server."""
    CommandLineInterface.server_class = WatchingServer
