from datetime import timedelta

import pytest
from django.utils import translation

from mqtt.presentation import formats


@pytest.mark.parametrize(
    ("value", "machine", "english", "italian"),
    [
        (21.37, "21.37", "21.37", "21,37"),
        (21.0, "21", "21", "21"),
        (-0.83, "-0.83", "−0.83", "−0,83"),
        (-0.0, "0", "0", "0"),
        (0.1 + 0.2, "0.30000000000000004", "0.3", "0,3"),
        (1234567.8, "1234567.8", "1,234,568", "1.234.568"),
        (0.000123456, "0.000123456", "0.000123456", "0,000123456"),
        (1.5e-9, "1.5e-09", "1.5e−09", "1,5e−09"),
        (1e20, "1e+20", "1e+20", "1e+20"),
    ],
)
def test_a_number_has_a_machine_form_and_a_readers_form(value: float, machine: str, english: str, italian: str) -> None:
    assert formats.machine(value) == machine
    assert float(formats.machine(value)) == value
    with translation.override("en"):
        assert formats.number(value) == english
    with translation.override("it"):
        assert formats.number(value) == italian


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_an_age_has_one_unit(span: timedelta, text: str) -> None:
    with translation.override("en"):
        assert formats.age(span) == text


def test_a_rate_is_whole_when_it_is_large() -> None:
    with translation.override("en"):
        assert [formats.rate(value) for value in (0, 0.44, 9.94, 412.3)] == ["0", "0.4", "9.9", "412"]


def test_a_long_text_is_cut() -> None:
    assert formats.short("x" * 500) == "x" * 79 + "…"


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(21.37, 1, "21.4"), (21, 2, "21.00"), (-0.001, 1, "0.0"), (1234567.891, 0, "1,234,568"), (-5.5, 1, "−5.5")],
)
def test_decimals_chosen_by_hand_are_shown_always(value: float, decimals: int, shown: str) -> None:
    assert formats.number(value, decimals) == shown


def test_a_number_too_large_for_decimals_is_shown_as_ever() -> None:
    assert formats.number(1e20, 2) == formats.number(1e20)
