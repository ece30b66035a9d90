"""Plain text of names and numbers."""

import pytest

from tests.decoders.helpers import decoded, values


@pytest.mark.parametrize(
    "text",
    [
        "temp_c=21.5;hum=44",
        "temp_c: 21.5, hum: 44",
        "temp_c:21.5 hum:44",
        "temp_c=21.5&hum=44",
        "temp_c = 21.5\nhum = 44\n",
    ],
)
def test_names_with_numbers_are_readings(text: str) -> None:
    found = decoded("shed/node1", text)
    assert (found.decoder, values(found)) == ("pairs", {"temp_c": 21.5, "hum": 44.0})
    assert [(one.device.identifier, one.unit) for one in found.readings] == [("node1", "°C"), ("node1", "%")]


def test_times_facts_and_units_are_understood_as_in_json() -> None:
    found = decoded("shed/node1", "ts=1789999200;id=N-77;rssi=-71;volt=3.61 V;temp=21.5 °C")
    assert [(one.name, one.value, one.unit, one.time_us) for one in found.readings] == [
        ("volt", 3.61, "V", 1_789_999_200_000_000),
        ("temp", 21.5, "°C", 1_789_999_200_000_000),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "temp=21.5",
        "state: open, level: 3",
        "10:30, 11:45",
        "error: 5 of 6; code: 7",
        "a=1;b=2;done",
        "x=1;x=2",
        "a=1 and b=2",
    ],
)
def test_sentences_and_single_pairs_stay_text(text: str) -> None:
    assert decoded("shed/note", text).decoder != "pairs"
