"""How long one client may keep the web process waiting, and how many may do so at once.

Twisted ends a connection that says nothing for a minute; one that sends a byte now and then it keeps for good, and a
thousand of those leave no room for anybody else.
"""

import resource
from typing import Any

from daphne import server
from twisted.web.http import HTTPChannel

from app.bodies import REFUSALS

REQUEST_TIME = 120
"""Seconds from the first byte of a request to the last of its body: enough for the largest body at 300 kbit/s."""
TAKING_TIME = 300
"""Seconds in which a client must take the piece of an answer that waits for it; a stalled export holds the database."""
MOST_WAITING = 256
"""Connections that have not sent a whole request, or have been answered; beyond it the one that waits longest goes.

A browser opens another without a word, and a request is whole within moments.
"""
MOST_FILES = 65_536

waiting: dict["BoundedChannel", None] = {}
"""Who waits, longest first."""


class BoundedChannel(HTTPChannel):  # type: ignore[misc]
    """One connection of a browser, a program or a proxy."""

    callLater: Any  # noqa: N815 - Twisted's name
    _limit: Any = None
    _is_asking = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Somebody came."""
        super().connectionMade()
        self._wait()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """The first of a request starts its time."""
        if self in waiting and not self._is_asking:
            self._is_asking = True
            self._allow(REQUEST_TIME)
        super().dataReceived(data)

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """The request is whole: now the client waits for us."""
        self._is_asking = False
        self._allow(None)
        waiting.pop(self, None)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - Twisted's name
        """The answer is written."""
        self._wait()
        super().requestDone(request)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """What waits for the client fills the socket's buffer."""
        self._allow(TAKING_TIME)
        super().pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client took all of it."""
        self._allow(None)
        super().resumeProducing()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """It is gone."""
        self._allow(None)
        waiting.pop(self, None)
        super().connectionLost(reason)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802 - Twisted's name; it hangs up without a word
        """A header beyond all measure."""
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's name; its answer has no header at all
        self.transport.write(REFUSALS[400])
        self.loseConnection()

    def _wait(self) -> None:
        waiting.pop(self, None)
        waiting[self] = None
        if len(waiting) > MOST_WAITING:
            longest = next(iter(waiting))
            del waiting[longest]
            longest.hang_up()

    def _allow(self, seconds: float | None) -> None:
        limit, self._limit = self._limit, None
        if limit is not None and limit.active():
            limit.cancel()
        if seconds is not None:
            self._limit = self.callLater(seconds, self.hang_up)

    def hang_up(self) -> None:
        """End it at once, whatever still waits in it."""
        self.transport.abortConnection()


class BoundedFactory(server.HTTPFactory):  # type: ignore[misc]
    """Makes such connections."""

    protocol = BoundedChannel


def bound_clients() -> None:
    """Let Daphne make them, and as many as the system allows; it has no setting for it."""
    server.HTTPFactory = BoundedFactory
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
