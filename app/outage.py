"""While the database is away: one thread asks for it, everybody else is told at once instead of waiting in line."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

from mqtt.services.database_outage import ask_anew_if_stalled, drop_connection, is_disk_full
from mqtt.views.outage import database_away

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
ASK_EVERY = 1.0
NEEDS_NO_DATABASE = {"healthz", "readyz", "metrics"}
"""Names of the addresses that answer in any case, and say by themselves how the database is."""
TRY_AGAIN_LATER = 1013
"""A WebSocket's close code after which browsers come back."""


class Outage:
    """Whether the database is known to be away; for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = 0.0
        self._sound_until = 0.0

    @property
    def is_known(self) -> bool:
        """Whether asking now would be in vain."""
        return bool(self._since)

    def is_found(self) -> bool:
        """Whether it is away without a word; asks at most once in a while."""
        now = time.monotonic()
        if self._since or now < self._sound_until:
            return self.is_known
        try:
            ask_anew_if_stalled()
        except AWAY as error:
            self.note(error)
        else:
            self._sound_until = now + ASK_EVERY
        return self.is_known

    def note(self, error: BaseException) -> None:
        """Somebody asked in vain: from now on one thread asks for all."""
        with self._lock:
            if self._since:
                return
            self._since = time.monotonic()
        logger.warning("The database does not answer, pages say so: %s", str(error).strip())
        threading.Thread(target=self._wait, name="outage", daemon=True).start()

    def _wait(self) -> None:
        while not self._answers():
            time.sleep(ASK_EVERY)
        logger.warning("The database answers again, after %.1f s.", time.monotonic() - self._since)
        self._since = 0.0

    @staticmethod
    def _answers() -> bool:
        drop_connection()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except AWAY:
            return False
        finally:
            connection.close()
        return True


OUTAGE = Outage()


class DatabaseOutageMiddleware:
    """Answers 503 with what is wrong and what happens next, without the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Do not let a request wait for what is known to be away."""
        match = request.resolver_match
        if not (match and match.url_name in NEEDS_NO_DATABASE) and OUTAGE.is_found():
            return database_away(request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A view asked in vain."""
        if not isinstance(error, AWAY):
            return None
        if is_disk_full(error):  # it goes on answering who only reads
            logger.warning("The database cannot write, its disk is full: %s was not saved.", request.path)
            return database_away(request, is_full=True)
        OUTAGE.note(error)
        return database_away(request)


class CloseWhileAway:
    """Around the WebSockets: without the database nobody can be let in, and the browser shall come back."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket."""
        try:
            if OUTAGE.is_known:
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            else:
                await self._application(scope, receive, send)
        except AWAY as error:
            OUTAGE.note(error)
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
