"""What a thread does between two tries of a database that is away."""

import gc
import sys
import weakref

import pytest
from django.db import OperationalError

from mqtt.services.database_outage import drop_connection

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
