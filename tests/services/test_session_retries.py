import pytest

from mqtt.services.sessions.link_reasons import plain
from mqtt.services.sessions.retries import LONGEST_WAIT, STABLE_AFTER, Retries
from tests.services.sessions import make_settings


def delays(protocol: str, lives: list[float]) -> list[float]:
    settings = make_settings(protocol=protocol)
    retries = Retries(settings)
    return [retries.next_delay(retries.after_life(plain("link_lost", settings), lived)) for lived in lives]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_the_first_tries_come_at_once_and_each_waits_longer(protocol: str) -> None:
    first, second, third, fourth, *_, last = delays(protocol, [1.0] * 20)
    assert first <= 0.3
    assert second <= 0.6
    assert third <= 1.2
    assert fourth <= 2.4
    assert 0.8 * LONGEST_WAIT <= last <= LONGEST_WAIT


def test_what_somebody_must_mend_is_not_tried_at_once() -> None:
    settings = make_settings()
    assert Retries(settings).next_delay(plain("not_mqtt", settings, is_error=True)) >= 1


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_link_that_lived_begins_anew(protocol: str) -> None:
    assert delays(protocol, [1.0, 1.0, 1.0, STABLE_AFTER])[3] <= 0.3


def test_two_of_us_with_one_client_id_do_not_chase_each_other_for_long() -> None:
    settings = make_settings()
    holder, other = Retries(settings), Retries(settings)
    passed, takeovers, wait = 0.0, 0, 1.0
    while passed < 600:
        passed, takeovers = passed + wait, takeovers + 1
        wait = holder.next_delay(holder.after_life(plain("link_lost", settings), wait))  # the other took it over
        holder, other = other, holder
    assert takeovers < 50
