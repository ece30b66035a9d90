"""A number with its unit in one text."""

import pytest

from mqtt.decoders.measures import measured
from tests.decoders.helpers import decoded, values


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("21.5 °C", 21.5, "°C"),
        ("8,4 °C", 8.4, "°C"),
        ("-3 °C", -3.0, "°C"),
        ("34%", 34.0, "%"),
        ("1450 rpm", 1450.0, "rpm"),
        ("2.41 Bar", None, ""),
        ("2.41 bar", 2.41, "bar"),
        ("12 l/min", 12.0, "L/min"),
        ("12345.678*kWh", 12345.678, "kWh"),
        ("431*W", 431.0, "W"),
        ("23.0 Percent", 23.0, "%"),
        ("231.0 Volts", 231.0, "V"),
        ("4.12 V", 4.12, "V"),
        ("12 V", None, ""),
    ],
)
def test_a_known_unit_behind_a_number_is_its_unit(text: str, number: float | None, unit: str) -> None:
    assert measured(text, "") == (None if number is None else (number, unit))


@pytest.mark.parametrize(
    "text", ["5 of 6", "3 apples", "1,234 kWh", "22-31 days", "10:30 h", "7 none", "°C", "", "1.2.3 V"]
)
def test_anything_else_stays_text(text: str) -> None:
    assert measured(text, "voltage") is None


def test_a_single_letter_is_a_unit_where_the_kind_agrees() -> None:
    assert measured("3.3 V", "voltage") == (3.3, "V")
    assert measured("3 A", "voltage") is None
    assert values(decoded("flat", '{"door": "3 A", "voltage": "12.1 V"}')) == {"door": "3 A", "voltage": 12.1}


def test_bare_texts_and_those_in_json_are_read_alike() -> None:
    bare = decoded("hall/temperature", "21.5 °C").readings[0]
    inside = decoded("hall", '{"temperature": "21.5 °C"}').readings[0]
    assert (bare.value, bare.unit) == (inside.value, inside.unit) == (21.5, "°C")


def test_endless_digits_are_no_measure() -> None:
    assert measured("1" * 100_000 + " V", "voltage") is None
