"""Walks a connection from its name to its first message, as a session would, one step after the other."""

import logging
import time
from collections.abc import Callable
from typing import Any

from mqtt.enums import StepState
from mqtt.exceptions import ReasonError
from mqtt.services.connection_tester.steps import Found, Step
from mqtt.services.connection_tester.talk import Talk
from mqtt.services.connection_tester.way import Way
from mqtt.services.sessions.connection_settings import ConnectionSettings

logger = logging.getLogger(__name__)

WHOLE = 25.0
"""Seconds for all steps together: longer than this nobody watches."""
PATIENCE = {"name": 6.0, "tcp": 6.0, "tls": 5.0, "connect": 6.0, "subscribe": 5.0, "message": 10.0}
"""Seconds for each step."""
SECOND_LOOK = 4.0
"""Seconds for each further question to a broker that ended the CONNECT without a word."""
UNANSWERED = {"closed_early", "no_connack", "no_connack_v5", "protocol_refused", "link_lost", "not_mqtt"}
"""Ends of a CONNECT that say nothing about their cause: worth a second look."""

Report = Callable[[list[dict[str, Any]]], None]
Do = Callable[[float], Found | list[Found]]


class Walk:
    """One test. `report` is called with all steps after each change; what it raises ends the walk."""

    def __init__(self, settings: ConnectionSettings, report: Report, stopping: Callable[[], bool]) -> None:
        self._settings = settings
        self._report = report
        self._way = Way(settings)
        self._talk = Talk(settings, stopping)
        self._stopping = stopping
        self._end = time.monotonic() + WHOLE
        self._plan: dict[str, Do] = {"name": self._way.look_up, "tcp": self._way.dial}
        if settings.is_encrypted:
            self._plan["tls"] = self._way.secure
        self._plan |= {"connect": self._connect, "subscribe": self._talk.subscribe, "message": self._talk.listen}
        self.steps = [Step(name) for name in self._plan]

    def run(self) -> bool:
        """Walk until a step fails; returns whether all went well."""
        try:
            for step in list(self.steps):
                if all(found.state == StepState.FAILED for found in self._walk(step)):
                    return False
        finally:
            self._talk.close()
        return all(step.state != StepState.FAILED for step in self.steps)

    def _walk(self, step: Step) -> list[Found]:
        step.state = StepState.RUNNING
        self._tell()
        started = time.monotonic()
        patience = min(PATIENCE[step.name], max(1.0, self._end - started))
        found = self._try(self._plan[step.name], patience)
        milliseconds = round((time.monotonic() - started) * 1000)
        step.end(found[0], milliseconds)
        place = self.steps.index(step) + 1
        self.steps[place:place] = [Step(step.name, one.state, one.reason, one.context) for one in found[1:]]
        self._tell()
        return found

    def _try(self, do: Do, patience: float) -> list[Found]:
        try:
            if self._stopping():
                raise ReasonError("test_interrupted")  # noqa: TRY301 - handled like every other failure of a step
            found = do(patience)
        except ReasonError as error:
            return [Found(error.code, error.context, StepState.FAILED)]
        except Exception:
            # Whatever a broker makes of us must end in a sentence, not in a test that hangs.
            logger.exception("A step of a connection test failed unexpectedly.")
            return [Found("test_failed", {}, StepState.FAILED)]
        return found if isinstance(found, list) else [found]

    def _connect(self, seconds: float) -> Found:
        if self._settings.is_websocket:
            self._way.open_websocket(seconds)
        try:
            return self._talk.connect(seconds)
        except ReasonError as error:
            if error.code in UNANSWERED:
                self._look_again(error)
            raise

    def _look_again(self, error: ReasonError) -> None:
        """Raise what the silence of a broker more likely means."""
        seconds = min(SECOND_LOOK, max(1.0, self._end - time.monotonic()))
        if not self._settings.is_encrypted and not self._settings.is_websocket and self._way.wants_tls(seconds):
            raise ReasonError("test_connect_wants_tls", port=self._settings.port) from error
        if self._settings.is_v5 and self._talk.speaks_old_version(seconds):
            raise ReasonError("test_connect_old_version") from error

    def _tell(self) -> None:
        self._report([step.as_dict() for step in self.steps])
