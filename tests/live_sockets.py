"""WebSocket clients for tests: the whole ASGI application, cookies and Origin included."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from app.asgi import application
from tests.servers import PATIENCE


def _headers(user: Any, origin: str | None, language: str) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", b"testserver"), (b"accept-language", language.encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    if user is not None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
    return headers


class Socket(WebsocketCommunicator):
    """A page's socket with helpers to read until something is seen."""

    has_read = False

    async def read(self, seconds: float = PATIENCE) -> str:
        """The next frame."""
        message = await self.receive_output(seconds)
        assert message["type"] == "websocket.send", message
        self.has_read = True
        return str(message["text"])

    async def until(self, text: str, seconds: float = PATIENCE) -> str:
        """The first frame that holds the text."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.read(seconds)
                if text in frame:
                    return frame

    async def settle(self, seconds: float = 0.4) -> list[str]:
        """All frames until it is quiet for so long; what a page is sent first is waited for."""
        frames = [] if self.has_read else [await self.read()]
        while not await self.receive_nothing(seconds, 0.02):
            frames.append(await self.read())
        return frames


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that nothing announces."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - the hub tells nobody
            await asyncio.sleep(0.01)


async def connect(
    path: str, user: Any, origin: str | None = "http://testserver", language: str = "en"
) -> tuple[Socket, bool, int | None]:
    """A socket, whether it was let in, and the close code if not."""
    headers = await database_sync_to_async(_headers)(user, origin, language)
    socket = Socket(application, path, headers=headers)
    is_in, code = await socket.connect(timeout=PATIENCE)
    return socket, is_in, code


@contextlib.asynccontextmanager
async def open_page(path: str, user: Any, language: str = "en") -> AsyncIterator[Socket]:
    """A socket that was let in, closed at the end."""
    socket, is_in, code = await connect(path, user, language=language)
    assert is_in, code
    try:
        yield socket
    finally:
        # Not `disconnect`: that passes over a consumer that never ends.
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(PATIENCE):
            await socket.future
