"""What a thread of the mqtt process does between two tries while the database is away."""

from contextlib import suppress

from django.db import connection


def drop_connection() -> None:
    """Forget this thread's connection and the pool: the pool's own tries come ever more rarely, ours do not."""
    connection.close()
    close_pool = getattr(connection, "close_pool", None)  # only PostgreSQL has one
    if close_pool is not None:
        with suppress(KeyError):  # another thread was faster
            close_pool()
