"""Broker sessions without a database: plain settings, a started session, what it reported."""

import subprocess
from typing import Any

from mqtt.messages import InboundMessage
from mqtt.services.broker_session import BrokerSession, Report
from mqtt.services.connection_settings import ConnectionSettings, Filter
from mqtt.services.inbox import Inbox
from tests.servers import wait_for

DEFAULTS: dict[str, Any] = {
    "connection_id": 1,
    "host": "127.0.0.1",
    "port": 1883,
    "transport": "tcp",
    "websocket_path": "/mqtt",
    "protocol": "3.1.1",
    "username": "",
    "password": "",
    "client_id": "vedetta-test",
    "keepalive": 30,
    "ca_certificate": "",
    "client_certificate": "",
    "client_key": "",
    "tls_verify": True,
    "alpn": "",
    "filters": (Filter("a/#", 1),),
}


def make_settings(**fields: Any) -> ConnectionSettings:
    return ConnectionSettings(**{**DEFAULTS, **fields})


def publish(port: int, topic: str, payload: str = "1", *more: str) -> None:
    """Publish with a client that is not ours, and wait until the broker has it."""
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-m", payload, "-q", "1", *more]
    subprocess.run(command, check=True, timeout=10)


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
        assert self.session.join(15)

    def reports(self) -> list[Report]:
        while self.session.reports:
            self.seen.append(self.session.reports.popleft())
        return self.seen

    def wait(self, status: str, code: str | None = None, seconds: float = 10) -> Report:
        """The first report, from now on or unseen, with this status (and reason); forgets those before it."""
        found: list[Report] = []

        def look() -> bool:
            for index, report in enumerate(self.reports()):
                reason = report.reason.code if report.reason else ""
                if report.status == status and code in (None, reason):
                    found.append(report)
                    del self.seen[: index + 1]
                    return True
            return False

        try:
            wait_for(look, seconds, what=f"status {status} {code or ''}")
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {[(one.status, one.reason) for one in self.seen]}") from None
        return found[0]

    def wait_failure(self, seconds: float = 10) -> Report:
        """The first report of a failed try."""
        wait_for(lambda: any(one.retry_count for one in self.reports()), seconds, what="a failure")
        return next(one for one in self.seen if one.retry_count)

    def wait_granted(self) -> Report:
        """The report with the broker's answers to the filters."""
        found: list[Report] = []

        def look() -> bool:
            found.extend(one for one in self.reports() if one.answers is not None)
            return bool(found)

        wait_for(look, what="answers to the filters")
        self.seen.clear()
        return found[0]

    def take(self, count: int, seconds: float = 5) -> list[InboundMessage]:
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
