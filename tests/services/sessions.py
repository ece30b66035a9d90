"""Broker sessions without a database: plain settings, a started session, what it reported."""

import itertools
import os
import subprocess
from collections.abc import Callable
from typing import Any

from mqtt.messages import InboundMessage
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions.broker_session import BrokerSession
from mqtt.services.sessions.connection_settings import ConnectionSettings, Filter
from mqtt.services.sessions.reports import Report
from tests.servers import PATIENCE, wait_for

DEFAULTS: dict[str, Any] = {
    "connection_id": 1,
    "host": "127.0.0.1",
    "port": 1883,
    "transport": "tcp",
    "websocket_path": "/mqtt",
    "protocol": "3.1.1",
    "username": "",
    "password": "",
    "keepalive": 30,
    "ca_certificate": "",
    "client_certificate": "",
    "client_key": "",
    "tls_verify": True,
    "alpn": "",
    "filters": (Filter("a/#", 1),),
}


_numbers = itertools.count(1)


def make_settings(**fields: Any) -> ConnectionSettings:
    """With a client id that nobody else has: a broker that is shared keeps what an earlier session left."""
    return ConnectionSettings(**{**DEFAULTS, "client_id": f"test-{os.getpid()}-{next(_numbers)}", **fields})


def publish(port: int, topic: str, payload: str = "1", *more: str) -> None:
    """Publish with a client that is not ours, and wait until the broker has it."""
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-m", payload, "-q", "1", *more]
    subprocess.run(command, check=True, timeout=PATIENCE)


class Running:
    """A session in a test; use it as a context manager so that its thread ends."""

    def __init__(self, settings: ConnectionSettings, **fields: Any) -> None:
        self.inbox = Inbox()
        self.session = BrokerSession(settings, self.inbox, lambda: None, **fields)
        self.seen: list[Report] = []

    def __enter__(self) -> "Running":
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop(end_session=False)
        assert self.session.join(PATIENCE)

    def reports(self) -> list[Report]:
        while self.session.reports:
            self.seen.append(self.session.reports.popleft())
        return self.seen

    def wait(self, status: str, code: str | None = None, seconds: float = PATIENCE) -> Report:
        """The first report, from now on or unseen, with this status (and reason); forgets those before it."""

        def fits(report: Report) -> bool:
            return report.status == status and code in (None, report.reason.code if report.reason else "")

        return self._first(fits, f"status {status} {code or ''}", seconds)

    def wait_failure(self, seconds: float = PATIENCE) -> Report:
        """The first report of a failed try."""
        wait_for(lambda: any(one.retry_count for one in self.reports()), seconds, what="a failure")
        return next(one for one in self.seen if one.retry_count)

    def wait_granted(self) -> Report:
        """The first report with the broker's answers to the filters, as `wait` finds it."""
        return self._first(lambda report: report.answers is not None, "answers to the filters")

    def _first(self, fits: Callable[[Report], bool], what: str, seconds: float = PATIENCE) -> Report:
        found: list[Report] = []

        def look() -> bool:
            for index, report in enumerate(self.reports()):
                if fits(report):
                    found.append(report)
                    del self.seen[: index + 1]
                    return True
            return False

        try:
            wait_for(look, seconds, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {[(one.status, one.reason) for one in self.seen]}") from None
        return found[0]

    def take(self, count: int, seconds: float = PATIENCE) -> list[InboundMessage]:
        """So many messages from the inbox, not acknowledged."""
        taken: list[InboundMessage] = []

        def look() -> bool:
            if len(self.inbox):
                batch = self.inbox.collect(1)
                self.session.acknowledge([one for one in batch if one.begins_session])
                taken.extend(one for one in batch if not one.begins_session)
            return len(taken) >= count

        wait_for(look, seconds, what=f"{count} messages")
        return taken
