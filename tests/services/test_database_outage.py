"""What a thread does between two tries of a database that is away."""

import gc
import sqlite3
import sys
import weakref
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from mqtt.services import database_outage
from mqtt.services.database_outage import ask_for_connection, drop_connection, what_ails

pytestmark = pytest.mark.django_db


def _raise() -> None:
    raise OperationalError("away")


def _failed_try() -> "weakref.ref[OperationalError]":
    """As libraries do it: the error knows the frame, and the frame goes on knowing the error."""
    try:
        _raise()
    except OperationalError:
        error = sys.exc_info()[1]
    assert isinstance(error, OperationalError)
    return weakref.ref(error)


def test_an_outage_piles_up_no_errors_where_cycles_are_looked_for_rarely() -> None:
    gc.disable()
    try:
        error = _failed_try()
        assert error() is not None
        drop_connection()
        assert error() is None
    finally:
        gc.enable()


def test_a_line_in_the_log_tells_a_full_disk_from_a_database_that_is_away() -> None:
    small = sqlite3.connect(":memory:")
    small.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as refused:
        small.executescript("CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(100000));")
    error = OperationalError(str(refused.value))
    assert what_ails(error) == "The database is away"
    error.__cause__ = refused.value
    assert what_ails(error) == "The database's disk is full"


def test_who_asks_for_readiness_does_not_wait_as_long_as_a_page_does(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = {"min_size": 1, "max_size": 1, "timeout": 3600.0}
    gone = {"ENGINE": "app.postgresql", "NAME": "x", "HOST": "/nowhere", "OPTIONS": {"pool": pool}}
    away: Any = ConnectionHandler({"default": {}, "gone": gone})["gone"]
    monkeypatch.setattr(database_outage, "connection", away)
    try:
        with pytest.raises(OperationalError):
            ask_for_connection()
    finally:
        away.close_pool()
