import pytest

from mqtt.services.sessions.link_reasons import TAKEN_OVER_WAIT, plain
from mqtt.services.sessions.retries import LONGEST_WAIT, STABLE_AFTER, Retries
from tests.services.sessions import make_settings


def delays(protocol: str, lives: list[float]) -> list[float]:
    settings = make_settings(protocol=protocol)
    retries = Retries(settings)
    return [retries.next_delay(retries.after_life(plain("link_lost", settings), lived)) for lived in lives]


def test_after_three_short_lives_it_waits_so_that_two_clients_of_one_id_do_not_chase_each_other() -> None:
    assert delays("3.1.1", [1.0, 1.0, 1.0])[2] == TAKEN_OVER_WAIT


def test_in_mqtt_5_the_broker_says_who_took_over_so_a_poor_network_is_tried_again_sooner() -> None:
    first, second, third, fourth = delays("5", [1.0] * 4)
    assert first <= 1.2
    assert second <= 2.4
    assert third <= 4.8
    assert fourth <= 9.6


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_link_that_lived_begins_anew(protocol: str) -> None:
    assert delays(protocol, [1.0, 1.0, STABLE_AFTER, 1.0])[2] <= 1.2
    assert max(delays(protocol, [1.0] * 20)) <= LONGEST_WAIT
