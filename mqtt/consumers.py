"""The WebSocket of a page: who may open it, what the browser may ask, and how events reach its viewer.

A consumer joins no group of its own: the hub receives each event once and calls the handlers here.
"""

import json
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language_from_request

from mqtt.events import Event, TailHeard
from mqtt.fragments import parse_row_id
from mqtt.live import FORBIDDEN, LOGGED_OUT, MOST_ROWS, Viewer, change_of, current_hub
from mqtt.pages import REGISTRY
from mqtt.permissions import OPERATE, TAIL, VIEW, can
from mqtt.watching import Watching

logger = logging.getLogger(__name__)

NOT_FOUND = 4404
LONGEST_QUERY = 4000
LONGEST_MESSAGE = 20_000
MOST_MESSAGES = 200
"""Messages of one browser in ten seconds: far above what a page sends; more only cost all the others."""
TOO_MANY = 4429


class MqttConsumer(AsyncWebsocketConsumer):
    """One open page."""

    channel_layer_alias = "none"  # a channel of its own for each browser would only cost the layer

    viewer: Viewer
    reader: Any = None
    """The socket as app/slow_readers.py sees it; only Daphne has one."""
    watching: Watching | None = None
    """The live tail that this page shows, if any."""
    window, received = 0.0, 0
    """Since when, and how many messages of this browser are counted."""
    ignored = 0
    """How many messages of this browser made no sense."""

    async def connect(self) -> None:
        """Let in who may see the page, and send its current state first."""
        self.hub = current_hub()
        viewer = await database_sync_to_async(self._open)()
        if isinstance(viewer, int):
            await self.close(viewer)
            return
        self.viewer = viewer
        self.reader = self.scope.get("reader")
        if self.reader:
            self.reader.on_ready = self.hub.wake
        await self.accept()
        await self.hub.join(self)

    def _open(self) -> Viewer | int:
        """The viewer of this socket, or the code to close it with."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return LOGGED_OUT
        if not can(user, VIEW):
            return FORBIDDEN
        kwargs = self.scope["url_route"]["kwargs"]
        page = REGISTRY.get((kwargs["page"], "pk" in kwargs))
        query = self.scope.get("query_string", b"")
        if page is None or len(query) > LONGEST_QUERY:
            return NOT_FOUND
        shown = page.show(user, QueryDict(query), kwargs.get("pk", 0))
        if shown is None:
            return NOT_FOUND
        session = self.scope.get("session")
        return Viewer(
            user=user,
            session_key=getattr(session, "session_key", None) or "",
            language=language_of(self.scope),
            shown=shown,
            can_operate=can(user, OPERATE),
        )

    @property
    def is_slow(self) -> bool:
        """Whether the browser has not yet read what it was sent: it gets nothing more until then."""
        return self.reader is not None and self.reader.is_slow

    async def disconnect(self, code: int) -> None:
        """The page is gone."""
        await self.hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What the page asks, as {"action": …}: show (with query or ids), tail (with filter), pause, resume."""
        now = time.monotonic()
        if now - self.window > 10:
            self.window, self.received = now, 0
        self.received += 1
        if self.received > MOST_MESSAGES:
            if self.received == MOST_MESSAGES + 1:
                await self.close(TOO_MANY)
            return
        try:
            self._obey(text_data)
        except (ValueError, TypeError, RecursionError) as error:
            self.ignored += 1
            if self.ignored in {1, 10, 100} or self.ignored % 1000 == 0:
                logger.warning("%s messages of a browser made no sense, the last one: %.200s", self.ignored, error)
        self.hub.wake()

    def _obey(self, text: str | None) -> None:
        if text is None or len(text) > LONGEST_MESSAGE:
            raise ValueError("not a short text")
        message = json.loads(text)
        if not isinstance(message, dict):
            raise TypeError("not an object")
        action, query, ids = message.get("action"), message.get("query"), message.get("ids")
        if query is not None and (not isinstance(query, str) or len(query) > LONGEST_QUERY):
            raise TypeError("query is not a short text")
        (query or "").encode()  # half a surrogate pair is no text for a database
        rows = None
        if ids is not None:
            rows = [row for name in ids[:MOST_ROWS] if isinstance(name, str) and (row := parse_row_id(name))]
        if action == "show":
            self.viewer.ask(query, rows)
        elif action == "tail":
            self._watch(message.get("filter"))
        elif action == "pause":
            self.viewer.paused = True
        elif action == "resume":
            self.viewer.paused = False
            self.viewer.everything()
            self.viewer.ask(query, rows)
        else:
            raise ValueError("unknown action")

    def _watch(self, topic_filter: Any) -> None:
        """Watch the raw messages of a filter, where the page and the right are there."""
        if not isinstance(topic_filter, str) or self.viewer.shown.page.name != "tail":
            raise TypeError("no live tail here")
        if can(self.viewer.user, TAIL):
            self.watching = Watching(self.viewer.shown.connection_id, topic_filter)
            self.hub.watch_tails()

    # ---- called by the hub

    def status_update(self, event: Event) -> None:
        """A connection, devices, a test, a command or a site changed: the page marks what of it it shows."""
        self.viewer.note(change_of(event))

    availability_changed = test_changed = command_changed = site_changed = status_update

    def tail_heard(self, event: TailHeard) -> None:
        """Raw messages of a live tail."""
        if self.watching:
            self.watching.take(event)

    async def deliver(self, frames: list[str]) -> None:
        """Send frames as they are."""
        for frame in frames:
            await self.send(text_data=frame)


def language_of(scope: Any) -> str:
    """The language of the page that opened the socket: its cookie, else what the browser asks for."""
    request = HttpRequest()
    request.COOKIES = dict(scope.get("cookies", {}))
    headers = dict(scope.get("headers", []))
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return get_language_from_request(request)
