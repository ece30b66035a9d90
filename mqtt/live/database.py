"""The hub's own thread to the database: its connection stays open, and its rows wait for nobody's page.

Django's way from the event loop opens a connection for each call and shares one thread with all sockets that are just
being opened. On SQLite the opening alone takes as long as reading a row.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")


class HubDatabase:
    """Asks one question after another; belongs to one event loop."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that reads the database. What it raises is raised on, and the next call connects anew."""

        def answer() -> T:
            try:
                return question(*args, **kwargs)
            except BaseException:
                connection.close()
                raise

        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub")
        return await asyncio.get_running_loop().run_in_executor(self._thread, answer)

    async def close(self) -> None:
        """Give connection and thread back, after what is being asked."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, _close_own)
            thread.shutdown(wait=False)


def _close_own() -> None:
    connection.close()  # looked up by the thread that calls: each has its own
