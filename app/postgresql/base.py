"""A connection to PostgreSQL whose commits are on the server's disk before they count."""

from typing import Any

from django.db.backends.postgresql import base

KEEP_COMMITS = b"""
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


class DatabaseWrapper(base.DatabaseWrapper):
    """What is acknowledged to a broker must survive a crash, also on a server that was set to be faster than safe.

    Whoever asks for less than `on` and more than `off`, or for more than `on`, keeps what was asked for.
    """

    def _configure_connection(self, connection: Any) -> bool:
        """Once for each connection to the server, by the pool or without one."""
        must_commit = bool(super()._configure_connection(connection))  # type: ignore[misc] # the stubs leave it out
        return connection.execute(KEEP_COMMITS).rowcount > 0 or must_commit
