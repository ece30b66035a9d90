import pytest

from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import SPELLINGS


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Cel", "°C"), ("Deg C", "°C"), ("deg_C", "°C"), ("CELSIUS", "°C"), ("%RH", "%"), ("ug/m3", "µg/m³"),
        ("\u03bcg/m3", "µg/m³"), ("Volts", "V"), ("VOLTS", "V"), ("M3/H", "m³/h"), ("mW", "mW"), ("MW", "MW"),
        ("lux", "lx"), ("/", ""), (" hPa ", "hPa"), ("furlong", "furlong"), ("x" * 99, "x" * 40), ("a\0b", "ab"),
    ],
)  # fmt: skip
def test_units_are_shown_in_one_spelling(said: str, shown: str) -> None:
    assert spelled(said) == shown


def test_what_is_shown_stays_as_it_is() -> None:
    assert [spelled(unit) for unit in SPELLINGS] == list(SPELLINGS)
