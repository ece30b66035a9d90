"""Does the connection tests that pages ask for: runs in the mqtt process, each test in a thread of its own."""

import logging
import threading
import time
from typing import Any

from django.db import connection as database
from django.db.models.functions import Now

from mqtt.encryption import SecretUnreadableError
from mqtt.enums import StepState, TaskState
from mqtt.events import ConnectionTestChanged
from mqtt.models import ConnectionTest
from mqtt.services.broadcast import broadcast_event
from mqtt.services.connection_tester.steps import Found, Step
from mqtt.services.connection_tester.walk import Walk
from mqtt.services.connections import TEST_PATIENCE
from mqtt.services.sessions.connection_settings import ConnectionSettings

logger = logging.getLogger(__name__)

AT_ONCE = 3
"""Tests that one process runs side by side; further ones wait, or another process takes them."""


class _GoneError(Exception):
    """The test was deleted, with its connection, while it ran."""


class ConnectionTester:
    """Claims queued tests. `start_queued` is called at every wake-up and every round of the mqtt service."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start_queued(self) -> int:
        """Claim as many queued tests as may run now and start them; returns how many. Never blocks on a broker."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        room = AT_ONCE - len(self._threads)
        if room <= 0 or self._stopping.is_set():
            return 0
        # An older request is one that nobody watches any more.
        waiting = ConnectionTest.objects.filter(state=TaskState.QUEUED, requested_at__gt=Now() - TEST_PATIENCE)
        started = 0
        for pk in waiting.order_by("requested_at").values_list("pk", flat=True)[:room]:
            if ConnectionTest.objects.filter(pk=pk, state=TaskState.QUEUED).update(state=TaskState.RUNNING) == 1:
                thread = threading.Thread(target=self._run, args=(pk,), name=f"test-{pk}", daemon=True)
                self._threads.append(thread)
                thread.start()
                started += 1
        return started

    def stop(self, seconds: float = 1.0) -> None:
        """Break off what runs; each test says that it was interrupted."""
        self._stopping.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, pk: int) -> None:
        try:
            run_test(pk, self._stopping)
        except _GoneError:
            pass
        except Exception:
            # A database that is away: the page says after a while that nobody finished the test.
            logger.exception("Connection test %s could not be finished.", pk)
        finally:
            database.close()


def run_test(pk: int, stopping: threading.Event) -> None:
    """Walk through a claimed test and store its result."""
    test = ConnectionTest.objects.select_related("connection").filter(pk=pk).first()
    if test is None:
        return
    steps: list[dict[str, Any]] = []

    def report(now: list[dict[str, Any]]) -> None:
        steps[:] = now
        _store(test, steps=now)

    try:
        settings = ConnectionSettings.of(test.connection)
    except SecretUnreadableError:
        step = Step("name")
        step.end(Found("secret_unreadable", {}, StepState.FAILED), 0)
        steps, good = [step.as_dict()], False
    else:
        good = Walk(settings, report, stopping.is_set).run()
    _store(test, steps=steps, state=TaskState.DONE if good else TaskState.FAILED, finished_at=Now())


def _store(test: ConnectionTest, **values: Any) -> None:
    if ConnectionTest.objects.filter(pk=test.pk, state=TaskState.RUNNING).update(**values) == 0:
        raise _GoneError
    broadcast_event(ConnectionTestChanged(connection_id=test.connection_id, test_id=test.pk))
