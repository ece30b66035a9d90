"""While the database is away: what a thread of the mqtt process does between two tries, and since when it waits."""

import gc
import sqlite3
import time
from contextlib import suppress
from typing import Any

from django.db import connection

from mqtt.services import pressure

STALLS_AFTER = 5.0
"""Seconds without an answer to what was asked: that is away as well. SQLite raises an error only after twenty."""


SOON = 1.5
"""Seconds: load balancers wait for two and more, the pool of the pages for five."""


NEW_CONNECTION = 2
"""Seconds for a new connection where the server is known to be slow; no less is allowed."""


def ask_for_connection() -> None:
    """Raise OperationalError after SOON when the pool has no connection to give, instead of after its own patience."""
    pool = getattr(connection, "pool", None)  # only PostgreSQL has one
    if pool is None or connection.connection is not None:
        return
    with connection.wrap_database_errors:
        pool.open()
        pool.putconn(pool.getconn(timeout=SOON))


def ask_anew_if_stalled() -> None:
    """Raise OperationalError when the mqtt processes wait for PostgreSQL and we get no new connection either.

    A server that stands still, or a network that swallows everything, says nothing to who asks on an open connection.
    SQLite raises by itself, and goes on being read while a writer holds up the others.
    """
    if connection.vendor != "postgresql" or not any(one.database_away_seconds for one in pressure.read_all() or ()):
        return
    parameters = connection.get_connection_params() | {"connect_timeout": NEW_CONNECTION}
    with connection.wrap_database_errors:
        database: Any = connection  # the stubs leave psycopg out
        database.Database.connect(**parameters).close()


def drop_connection() -> None:
    """Forget this thread's connection, its last error, and the pool: its own tries come ever more rarely."""
    connection.close()
    close_pool = getattr(connection, "close_pool", None)  # only PostgreSQL has one
    if close_pool is not None:
        with suppress(KeyError):  # another thread was faster
            close_pool()
    # An error holds its frames and they hold the error: 20 kB with each try, which the mqtt process, that looks for
    # cycles rarely, kept for as long as the outage lasted.
    gc.collect()


DISK_FULL = "53100"
"""PostgreSQL's code for it."""


def is_disk_full(error: BaseException) -> bool:
    """Whether the database answers, and cannot write for want of room."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == DISK_FULL or getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def what_ails(error: BaseException) -> str:
    """The first half of a line in the log: a full disk is mended otherwise than a database that is away."""
    return "The database's disk is full" if is_disk_full(error) else "The database is away"


class DatabaseWatch:
    """For how long the database has not answered; one thread asks, any may look."""

    def __init__(self) -> None:
        self._since = 0.0
        self._has_failed = False

    def asking(self) -> None:
        """A question goes out."""
        if not self._since:
            self._since = time.monotonic()

    def answered(self) -> None:
        """All answers are in."""
        self._since, self._has_failed = 0.0, False

    def failed(self) -> None:
        """It said, or the network said, that it is away."""
        self._has_failed = True

    @property
    def away_seconds(self) -> float:
        """0: it answers."""
        since = self._since
        away = time.monotonic() - since if since else 0.0
        return away if self._has_failed or away > STALLS_AFTER else 0.0
