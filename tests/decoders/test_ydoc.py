"""YDOC dataloggers."""

import json
from typing import Any

import pytest

from tests.decoders.helpers import decoded, values

AT = 1_789_999_200_000_000
"""2026-09-21T14:00:00Z"""


def told(rows: Any, **more: Any) -> Any:
    channels = [{"code": "P1", "name": "Water level", "unit": "m"}]
    return decoded("wells/data/jsn", json.dumps({"device": {"sn": 77}, "channels": channels, "data": rows} | more))


def test_codes_are_names_and_channels_say_label_and_unit() -> None:
    found = told([{"$ts": 260921140000, "$msg": "restart", "P1": "1.25", "X": 3}])
    assert [(one.name, one.value, one.unit, one.label, one.time_us) for one in found.readings] == [
        ("P1", 1.25, "m", "Water level", AT),
        ("X", 3.0, "", "", AT),
    ]
    assert found.readings[0].device.identifier == "77"


@pytest.mark.parametrize("moment", ["269921140000", "later", None, 1.5, [], "٢٦٠٩٢١١٤٠٠٠٠"])
def test_a_moment_that_is_none_leaves_the_time_open(moment: Any) -> None:
    assert [one.time_us for one in told([{"$ts": moment, "P1": 2}]).readings] == [None]


def test_channels_of_anything_else_are_read_as_they_stand() -> None:
    assert values(decoded("wells", '{"channels": [{"f": 1}], "device": {"sn": "A"}}')) == {"channels.0.f": 1.0}
