"""The talk with the broker: CONNECT, SUBSCRIBE and what arrives then, over a link of its own."""

import time
from collections.abc import Callable
from dataclasses import replace

from mqtt import topics
from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.enums import Protocol, StepState
from mqtt.exceptions import ReasonError, UndecodableError
from mqtt.messages import InboundMessage
from mqtt.services.connection_tester.steps import Found
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.connection_settings import ConnectionSettings, Filter
from mqtt.services.sessions.link_reasons import LinkError, Reason, of_silence

COUNTING = 2.0
"""Seconds in which the first message may be followed by others, to count the devices."""
MOST_MESSAGES = 2_000
MOST_BYTES = 8_000_000
"""What is kept of the messages, whatever a broker sends."""


class Talk:
    """One clean session that is thrown away afterwards; hears what its link tells (a LinkListener)."""

    def __init__(self, settings: ConnectionSettings, stopping: Callable[[], bool]) -> None:
        # A share of a shared subscription would be missing in the real session.
        filters = tuple(Filter(topics.without_share(one.topic_filter), one.qos) for one in settings.filters)
        self._settings = replace(settings, client_id=f"{settings.client_id}-test", filters=filters)
        self._stopping = stopping
        self._link: Link | None = None
        self._is_up = False
        self._answers: dict[str, tuple[int | None, Reason | None]] = {}
        self._messages: list[InboundMessage] = []
        self._bytes = 0

    def connect(self, seconds: float) -> Found:
        """Whether the broker accepts the CONNECT."""
        try:
            self._link = Link(self._settings, self, clean=True)
            self._link.open()
        except LinkError as error:
            raise _told(error.reason) from error
        self._drive(seconds, lambda: self._is_up)
        if not self._is_up:
            raise _told(self._link.reason or of_silence(self._settings, seconds))
        return Found("test_connect_ok", {"protocol": self._settings.protocol, "username": self._settings.username})

    def speaks_old_version(self, seconds: float) -> bool:
        """Whether a broker that leaves MQTT 5 unanswered accepts MQTT 3.1.1."""
        other = Talk(replace(self._settings, protocol=Protocol.V311), self._stopping)
        try:
            other.connect(seconds)
        except ReasonError:
            return False
        else:
            return True
        finally:
            other.close()

    def subscribe(self, seconds: float) -> list[Found]:
        """What the broker says to each filter."""
        filters = self._settings.filters
        if not filters:
            raise ReasonError("test_subscribe_none")
        if self._link is not None:
            self._link.subscribe(filters)
        self._drive(seconds, lambda: len(self._answers) >= len(filters))
        if not self._answers and not self._is_up:
            raise ReasonError("test_subscribe_cut")
        return [self._answer(one, seconds) for one in filters]

    def listen(self, seconds: float) -> Found:
        """What arrives, and how many devices it comes from."""
        started = time.monotonic()
        self._drive(seconds, lambda: any(not message.retain for message in self._messages))
        waited = time.monotonic() - started
        if any(not message.retain for message in self._messages):
            self._drive(min(COUNTING, max(0.0, seconds - waited)), lambda: False)
        if not self._messages:
            if self._link is not None and self._link.reason is not None:
                raise _told(self._link.reason)
            return Found("test_message_none", {"seconds": round(waited)}, StepState.WARNING)
        return self._counted(waited)

    def close(self) -> None:
        """Say goodbye, where the link is still up."""
        if self._link is not None:
            if self._is_up:
                self._link.disconnect(end_session=True)
                self._link.drain(0.5)
            self._link.close()
            self._link = None

    def link_up(self, link: Link, *, session_present: bool) -> None:
        """The broker accepted the CONNECT."""
        self._is_up = True

    def link_message(self, link: Link, message: InboundMessage) -> None:
        """A message arrived: keep it within bounds, and let the broker go on."""
        if message.qos:
            link.acknowledge([message.mid])
        if topics.is_own_status(message.topic):
            return
        if len(self._messages) < MOST_MESSAGES and self._bytes < MOST_BYTES:
            self._bytes += len(message.payload)
            self._messages.append(message)

    def link_answered(self, link: Link, topic_filter: str, granted_qos: int | None, reason: Reason | None) -> None:
        """The broker answered to one filter."""
        self._answers[topic_filter] = granted_qos, reason

    def link_published(self, link: Link, mark: int, reason: Reason | None) -> None:
        """Not asked for."""

    def link_forgot(self, link: Link, topic_filter: str) -> None:
        """Nothing is ever taken back here."""

    def _drive(self, seconds: float, reached: Callable[[], bool]) -> None:
        """Work the link until something is reached, the time is over or the link has ended."""
        end = time.monotonic() + seconds
        while not reached() and (left := end - time.monotonic()) > 0:
            if self._stopping():
                raise ReasonError("test_interrupted")
            if self._link is None or not self._link.step(min(left, 0.2)):
                self._is_up = False
                return

    def _answer(self, asked: Filter, seconds: float) -> Found:
        facts = {"filter": asked.topic_filter}
        if asked.topic_filter not in self._answers:
            return Found("test_subscribe_no_answer", facts | {"seconds": f"{seconds:.0f}"}, StepState.FAILED)
        granted, reason = self._answers[asked.topic_filter]
        if reason is not None:
            state = StepState.FAILED if granted is None else StepState.WARNING
            return Found(reason.code, facts | dict(reason.context), state)
        return Found("test_filter_granted", {**facts, "qos": granted})

    def _counted(self, waited: float) -> Found:
        """The messages as the pipeline would understand them."""
        devices: set[str] = set()
        values: set[tuple[str, str]] = set()
        understood = 0
        memory = Memory()
        for message in self._messages:
            try:
                decoded = decode(message, memory)
            except UndecodableError:
                continue
            understood += 1
            for said in decoded.announcements:
                memory.put(said)
            devices |= {reading.device.key for reading in decoded.readings}
            devices |= {said.device.key for said in decoded.availability if not said.is_gateway}
            values |= {(reading.device.key, reading.name) for reading in decoded.readings}
        live = [message for message in self._messages if not message.retain]
        facts: dict[str, str | int] = {"messages": len(self._messages), "devices": len(devices), "values": len(values)}
        facts |= {"seconds": f"{waited:.1f}", "topic": (live or self._messages)[0].topic[:200].replace("\0", "")}
        if not live:
            return Found("test_message_retained", facts, StepState.WARNING)
        if not understood:
            return Found("test_message_undecoded", facts, StepState.WARNING)
        return Found("test_message_ok", facts | {"received_us": live[0].received_us})


def _told(reason: Reason) -> ReasonError:
    return ReasonError(reason.code, **dict(reason.context))
