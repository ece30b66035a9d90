"""What a session publishes for people: taken from the service, sent once, answered by the broker."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mqtt.enums import CommandState
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.link_reasons import Reason

PROMPT = 5.0
"""Seconds within which a message is sent; a link that broke meanwhile sends it no more."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One claimed command."""

    command_id: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    taken_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command."""

    command_id: int
    state: CommandState
    reason: Reason | None = None


class Outbox:
    """`put` may be called by any thread, everything else by the session's own. Nothing is ever sent twice."""

    def __init__(self, answers: "deque[Answer]", notify: Callable[[], None]) -> None:
        self._answers = answers
        self._notify = notify
        self._waiting: deque[Outgoing] = deque()
        self._sent: set[int] = set()
        self._is_closed = False

    def put(self, message: Outgoing) -> None:
        """To be sent with the next round; refused when the session has ended."""
        if self._is_closed:
            self._answer(message.command_id, CommandState.FAILED, Reason("command_link_down"))
        else:
            self._waiting.append(message)

    def send(self, link: Link) -> None:
        """Publish what waits."""
        while self._waiting and link.is_up:
            message = self._waiting.popleft()
            if time.monotonic() - message.taken_at > PROMPT:
                self._answer(message.command_id, CommandState.FAILED, Reason("command_link_down"))
                continue
            self._sent.add(message.command_id)
            link.publish(message.command_id, message.topic, message.payload, qos=message.qos, retain=message.retain)

    def answered(self, command_id: int, reason: Reason | None) -> None:
        """The broker has it, or said why not."""
        if command_id in self._sent:
            self._sent.discard(command_id)
            failed = reason is not None and reason.is_error
            self._answer(command_id, CommandState.FAILED if failed else CommandState.DONE, reason)

    def link_ended(self) -> None:
        """Whatever was not answered by now never will be."""
        for command_id in sorted(self._sent):
            self._answer(command_id, CommandState.UNCONFIRMED, Reason("command_unconfirmed"))
        self._sent.clear()
        while self._waiting:
            self._answer(self._waiting.popleft().command_id, CommandState.FAILED, Reason("command_link_down"))

    def close(self) -> None:
        """The session has ended."""
        self._is_closed = True
        self.link_ended()

    def _answer(self, command_id: int, state: CommandState, reason: Reason | None) -> None:
        self._answers.append(Answer(command_id, state, reason))
        self._notify()
