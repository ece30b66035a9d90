from typing import Any, cast

import pytest

from mqtt.messages import InboundMessage
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.clearing import Clearing


class WokenLink:
    def __init__(self, number: int) -> None:
        self.number = number
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def new_link(number: int = 1) -> Any:
    return cast("Link", WokenLink(number))


def message(**fields: Any) -> InboundMessage:
    return InboundMessage(1, "t", b"", 1, False, 0, **fields)


def test_the_first_session_of_all_and_the_one_whose_ids_are_noted_need_not_wait() -> None:
    clearing = Clearing(is_noted=False)
    assert not clearing.is_needed(is_ours=False)
    assert not clearing.is_needed(is_ours=True)
    assert clearing.is_needed(is_ours=False)


def test_it_is_over_when_the_mark_of_this_very_link_is_stored() -> None:
    clearing, link = Clearing(is_noted=True), new_link(2)
    clearing.begin()
    clearing.stored(link, [message()])
    assert (clearing.is_on, clearing.is_over(link), link.woken) == (True, False, 0)
    clearing.stored(link, [message(begins_session=True)])
    assert link.woken == 1
    assert not clearing.is_over(new_link(3))
    assert clearing.is_over(link)
    assert not clearing.is_on


def test_with_the_database_away_it_is_over_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.services.sessions.clearing.LONGEST", -1.0)
    clearing = Clearing(is_noted=True)
    clearing.begin()
    assert clearing.is_over(new_link())
