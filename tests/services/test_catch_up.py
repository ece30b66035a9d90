from dataclasses import dataclass

import pytest

from mqtt.messages import InboundMessage
from mqtt.services.sessions.catch_up import CatchUp


@dataclass
class Window:
    received: int = 1
    acknowledged: int = 0
    acknowledged_at: float = 0.0


def message(*, qos: int = 1, retain: bool = False, dup: bool = False) -> InboundMessage:
    return InboundMessage(1, "a", b"1", qos, retain, 0, dup=dup)


@pytest.fixture
def catch_up(monkeypatch: pytest.MonkeyPatch) -> CatchUp:
    """A link that came up at second 100."""
    monkeypatch.setattr("mqtt.services.sessions.catch_up.time.monotonic", lambda: 100.0)
    watching = CatchUp()
    watching.begin(session_present=True)
    return watching


def test_without_a_kept_session_nothing_can_have_waited() -> None:
    watching = CatchUp()
    watching.begin(session_present=False)
    assert not watching.is_on


def test_the_burst_after_the_reconnect_has_waited_and_what_follows_a_quiet_moment_has_not(catch_up: CatchUp) -> None:
    assert catch_up.may_have_waited(Window(1), message(), 100.05)
    assert catch_up.may_have_waited(Window(2, 1, 100.06), message(), 100.1)
    assert not catch_up.may_have_waited(Window(3, 2, 100.12), message(), 100.5)
    assert not catch_up.is_on


def test_silence_while_we_owe_acknowledgements_is_no_quiet_moment(catch_up: CatchUp) -> None:
    assert catch_up.may_have_waited(Window(20, 0), message(), 100.05)
    assert catch_up.may_have_waited(Window(21, 20, 108.0), message(), 108.1)
    assert catch_up.may_have_waited(Window(22, 5, 108.0), message(), 112.0), "its window is full: it waits for us"


def test_retained_messages_are_old_news_of_another_kind(catch_up: CatchUp) -> None:
    assert not catch_up.may_have_waited(Window(1), message(retain=True), 100.05)
    assert catch_up.is_on


def test_a_steady_stream_counts_as_live_after_a_minute(catch_up: CatchUp) -> None:
    for tenth in range(1, 600):
        assert catch_up.may_have_waited(Window(0), message(qos=0), 100 + tenth / 10)
    assert not catch_up.may_have_waited(Window(0), message(qos=0), 161)
