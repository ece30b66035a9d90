"""Scale factors beside values."""

import json
from typing import Any

from tests.decoders.helpers import decoded, values


def read(found: dict[str, Any]) -> dict[str, Any]:
    return values(decoded("roof/inverter", json.dumps(found)))


def test_a_scale_factor_moves_the_point_and_is_no_reading() -> None:
    assert read({"A": 1234, "AphA": 412, "A_SF": -2, "WH": 7, "WH_SF": 3}) == {"A": 12.34, "AphA": 4.12, "WH": 7000.0}


def test_a_factor_is_for_its_own_object() -> None:
    found = read({"inverter": {"W": 1500, "W_SF": -1}, "meter": {"W": 20, "W_SF": 0}, "W": 3})
    assert found == {"inverter.W": 150.0, "meter.W": 20.0, "W": 3.0}


def test_what_a_model_does_not_have_is_no_reading() -> None:
    assert read({"TmpSnk": -32768, "TmpCab": 412, "Tmp_SF": -1, "L": 50}) == {"TmpCab": 41.2}


def test_libraries_write_the_factor_in_words() -> None:
    assert read({"l1_current": 12, "current": 36, "current_scale": -1, "gap": 5}) == {
        "l1_current": 1.2,
        "current": 3.6,
        "gap": 5.0,
    }


def test_a_scale_that_is_no_power_of_ten_is_a_value() -> None:
    assert read({"truck_scale": 1820.5, "truck": 2}) == {"truck_scale": 1820.5, "truck": 2.0}
