"""What a session does with each message: what teaches how often anything comes, and what does not."""

from types import SimpleNamespace
from typing import Any

import pytest

from mqtt.messages import InboundMessage
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions.connection_settings import Filter
from mqtt.services.sessions.filters import SessionFilters
from mqtt.services.sessions.intake import Intake
from mqtt.services.sessions.reports import Counters
from mqtt.services.sessions.statistics import SessionStatistics


class Heard:
    """Gaps that were counted, in seconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []

    def add(self, seconds: float, _ended_us: int) -> None:
        self.gaps.append(round(seconds, 3))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Whatever `now` says."""
    shown = SimpleNamespace(now=100.0)
    shown.monotonic = lambda: shown.now
    for module in ("intake", "catch_up"):
        monkeypatch.setattr(f"mqtt.services.sessions.{module}.time", shown)
    return shown


def intake_with(heard: Heard, counters: Counters) -> Intake:
    parts: Any = (Inbox(), counters, SessionFilters((Filter("#", 1),), ()), heard, SessionStatistics())
    return Intake(*parts)


@pytest.mark.parametrize(
    ("between", "is_kept"),
    [({"retain": True}, False), ({"dup": True}, False), ({}, True)],
    ids=["kept by the broker", "sent again", "may have waited"],
)
def test_only_what_comes_live_teaches_how_often_anything_comes(
    clock: SimpleNamespace, between: dict[str, bool], is_kept: bool
) -> None:
    heard, counters = Heard(), Counters()
    intake = intake_with(heard, counters)
    link: Any = SimpleNamespace(received=0, acknowledged=0, acknowledged_at=0.0)

    def take(at: float, **fields: Any) -> bool:
        clock.now, link.received = at, link.received + 1
        taken = intake.take(link, InboundMessage(1, "a", b"1", 1, fields.pop("retain", False), 0, **fields))
        link.acknowledged, link.acknowledged_at = link.received, at
        return taken

    intake.begin(session_present=False, is_ours=False)
    assert take(110.0)
    if is_kept:
        clock.now = 119.9
        intake.begin(session_present=True, is_ours=False)
    assert take(120.0, **between)
    assert take(150.0)
    assert take(180.0)
    assert heard.gaps == ([30.0] if is_kept else [40.0, 30.0])
    assert counters.messages == 4


def test_our_own_birth_and_what_the_broker_says_of_itself_are_no_device(clock: SimpleNamespace) -> None:
    heard, counters = Heard(), Counters()
    intake = intake_with(heard, counters)
    link: Any = SimpleNamespace(received=0, acknowledged=0, acknowledged_at=0.0)
    intake.begin(session_present=False, is_ours=False)
    clock.now = 110.0
    assert not intake.take(link, InboundMessage(1, "vedetta/plant/status", b"online", 0, False, 0))
    assert not intake.take(link, InboundMessage(1, "$SYS/broker/version", b"mosquitto 2", 0, False, 0))
    assert intake.quiet_for() == 10.0
    assert (counters.messages, counters.last_message_at) == (1, 0.0)
