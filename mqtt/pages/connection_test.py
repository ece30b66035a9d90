"""The panel of a connection test: the same part for the page, the answer to the button, and the push."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mqtt import reasons
from mqtt.enums import StepState, TaskState
from mqtt.models import ConnectionTest, MqttConnection, from_us
from mqtt.pages.base import Shown
from mqtt.presentation import formats

UNCLAIMED = timedelta(seconds=5)
"""A running mqtt process takes a test up within a moment; after this none is running."""
ABANDONED = timedelta(seconds=40)
"""No test takes this long: its process ended in the middle."""

STEPS: dict[str, Any] = {
    "name": _("Name"),
    "tcp": _("Port"),
    "tls": _("Encryption"),
    "connect": _("Login"),
    "subscribe": _("Topics"),
    "message": _("First message"),
}
"""The steps in their order, as the panel calls them."""

LOOKS = {
    StepState.WAITING: ("off", "dashed"),
    StepState.RUNNING: ("off busy", "arc"),
    StepState.OK: ("ok", "disc"),
    StepState.WARNING: ("warn", "half"),
    StepState.FAILED: ("bad", "triangle"),
}

WAITS: dict[str, Any] = {
    "name": pgettext_lazy("connection test", "looking up the host"),
    "tcp": pgettext_lazy("connection test", "knocking at the port"),
    "tls": pgettext_lazy("connection test", "looking at the certificate"),
    "connect": pgettext_lazy("connection test", "logging in"),
    "subscribe": pgettext_lazy("connection test", "asking for the topics"),
    "message": pgettext_lazy("connection test", "waiting up to 10 s for something to be published"),
}
"""What a running step does, and why it may take a while."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step as the panel shows it."""

    name: str
    label: Any
    state: str
    word: Any
    tone: str
    shape: str
    sentence: Any
    filter: str
    took: str


def panel(shown: Shown) -> dict[str, Any]:
    """The context of the part: the newest test of the page's connection."""
    return panel_of(shown.object, shown.object.tests.first())


def panel_of(connection: MqttConnection, test: ConnectionTest | None) -> dict[str, Any]:
    """What the panel says of a test; `verdict` is none, waiting, nobody, running, abandoned, good, look or failed."""
    steps: list[dict[str, Any]] = test.steps if test else []
    verdict = _verdict(test, {step["state"] for step in steps})
    last = steps[-1]["context"] if steps else {}
    return {
        "connection": connection,
        "test": test,
        "verdict": verdict,
        "is_open": verdict in {"waiting", "running", "nobody"},
        "lines": [_line(step, is_open=verdict == "running") for step in steps],
        "first_message_at": from_us(last["received_us"]) if "received_us" in last else None,
        "devices": last.get("devices", 0),
    }


def _verdict(test: ConnectionTest | None, states: set[str]) -> str:
    if test is None:
        return "none"
    age = timezone.now() - test.requested_at
    if test.state == TaskState.QUEUED:
        return "waiting" if age < UNCLAIMED else "nobody"
    if test.state == TaskState.RUNNING:
        return "running" if age < ABANDONED else "abandoned"
    if test.state == TaskState.FAILED:
        return "failed"
    return "look" if StepState.WARNING in states else "good"


def _line(step: dict[str, Any], *, is_open: bool) -> Line:
    state = StepState(step["state"])
    if state == StepState.RUNNING and not is_open:
        state = StepState.WAITING
    tone, shape = LOOKS[state]
    sentence: Any = reasons.explain(step["reason"], step["context"])
    if state == StepState.RUNNING:
        sentence = WAITS.get(step["name"], "")
    elif state == StepState.WAITING:
        sentence = StepState.WAITING.label
    return Line(
        name=step["name"],
        label=STEPS.get(step["name"], step["name"]),
        state=str(state),
        word=state.label,
        tone=tone,
        shape=shape,
        sentence=sentence,
        filter=step["context"].get("filter", ""),
        took=_took(step["milliseconds"]),
    )


def _took(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{formats.rate(milliseconds / 1000)} s"
