"""SenML in JSON and CBOR: what records inherit, where a name ends, and times that count from now."""

import json
from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import NOW, decoded, values

NOW_S = NOW // 1_000_000
TO_CBOR = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4,
           "s": 5, "t": 6, "ut": 7, "vd": 8}  # fmt: skip


def pack(*records: dict[str, Any], topic: str = "hall/up", **more: Any) -> Decoded:
    return decoded(topic, json.dumps(records), **more)


def test_records_inherit_name_time_unit_and_value() -> None:
    result = pack(
        {"bn": "urn:dev:mac:0024befffe804ff1:", "bt": NOW_S, "bu": "Cel", "bv": 20, "n": "air", "v": 1.5},
        {"n": "soil", "v": -2, "t": -60},
        {"n": "rh", "u": "%RH", "v": 40},
        {"bn": "urn:dev:mac:0024befffe800002:", "bv": 0, "n": "air", "v": 3},
    )
    found = [(one.device.identifier[-4:], one.name, one.value, one.unit, one.time_us) for one in result.readings]
    assert found == [
        ("4ff1", "air", 21.5, "°C", NOW),
        ("4ff1", "soil", 18.0, "°C", NOW - 60_000_000),
        ("4ff1", "rh", 60.0, "%", NOW),
        ("0002", "air", 3.0, "°C", NOW),
    ]


@pytest.mark.parametrize(
    ("base", "name", "device", "measurement"),
    [
        ("urn:dev:ow:10e2073a01080063", "", "urn:dev:ow:10e2073a01080063", "value"),
        ("", "urn:dev:ow:10e2073a01080063", "urn:dev:ow:10e2073a01080063", "value"),
        ("", "urn:dev:ow:10e2073a01080063_humidity", "urn:dev:ow:10e2073a01080063", "humidity"),
        ("urn:dev:ow:", "10e2073a01080063:rh", "urn:dev:ow:10e2073a01080063", "rh"),
        ("2001:db8::2/", "temperature", "2001:db8::2", "temperature"),
        ("", "2001:db8::3", "2001:db8::3", "value"),
        ("", "http://[2001:db8::2]/sensors/1", "http://[2001:db8::2]/sensors", "1"),
        ("station-4", "wind", "station-4", "wind"),
        ("", "wind", "hall", "wind"),
    ],
)
def test_where_a_name_ends_and_the_measurement_begins(base: str, name: str, device: str, measurement: str) -> None:
    record = {"v": 1, **({"bn": base} if base else {}), **({"n": name} if name else {})}
    (reading,) = pack(record, topic="site/hall/up").readings
    assert (reading.device.identifier, reading.name) == (device, measurement)


def test_small_times_count_from_now_and_no_time_means_none() -> None:
    times = [
        one.time_us
        for one in pack({"n": "a", "v": 1}, {"n": "b", "v": 1, "t": -5}, {"n": "c", "v": 1, "t": 0}).readings
    ]
    assert times == [None, NOW - 5_000_000, NOW]
    result = pack({"bn": "d", "bt": NOW_S + 10**8, "v": 1})
    assert (result.readings[0].time_us, result.wrong_clock_us) == (None, NOW + 10**14)


def test_texts_switches_sums_and_intervals() -> None:
    result = pack({"bn": "m:1", "n": "mode", "vs": "auto"}, {"n": "on", "vb": True, "ut": 60},
                  {"n": "e", "v": 2, "s": 7.5, "u": "W"}, {"n": "raw", "vd": "AQ"}, {"n": "x", "v": "7"})  # fmt: skip
    assert values(result) == {"mode": "auto", "on": 1.0, "e": 2.0, "e.sum": 7.5}
    assert [fact.facts for fact in result.facts] == [{"interval": 60.0}]


def test_what_must_be_understood_and_is_not_spoils_only_its_record() -> None:
    assert values(pack({"bn": "m:1", "n": "a", "v": 1, "new_": 3}, {"n": "b", "v": 2})) == {"b": 2.0}


def test_the_older_form_with_records_under_e() -> None:
    old = {"bn": "urn:dev:mac:0024befffe804ff1/", "bt": NOW_S, "e": [{"n": "voltage", "u": "V", "v": 120.1}]}
    (reading,) = decoded("hall", json.dumps(old)).readings
    assert (reading.name, reading.unit, reading.time_us) == ("voltage", "V", NOW)


def test_cbor_means_the_same_as_json() -> None:
    records = [{"bn": "urn:dev:ow:10e2:", "bt": NOW_S + 0.5, "n": "v", "u": "V", "v": 120.5},
               {"n": "i", "t": -5, "v": 1.25}, {"n": "on", "vb": False}, {"n": "word", "vs": "è"}]  # fmt: skip
    small = [{TO_CBOR[key]: value for key, value in record.items()} for record in records]
    assert decoded("hall/up", cbor2.dumps(small)).readings == pack(*records).readings
    (reading,) = decoded("hall", cbor2.dumps([{-2: "m:1", 2: Decimal("0.1")}])).readings
    assert reading.value == 0.1


@pytest.mark.parametrize(
    "payload",
    [
        b"\x81\xa1\x00",
        b"\x81" * 1000,
        b"\x9a\xff\xff\xff\xff\xa1",
        cbor2.dumps([{"x": 1}]),
        cbor2.dumps({0: "n", 2: 3}),
        cbor2.dumps([{0: "n", 2: float("nan")}]),
        cbor2.dumps([{0: "n", 2: Decimal(10) ** 400}]),
        b"\x81\xa2\x00\x61n\x02" + cbor2.dumps([1] * 70_000),
    ],
)
def test_other_or_broken_cbor_is_refused(payload: bytes) -> None:
    with pytest.raises(UndecodableError):
        decoded("hall", payload)


@pytest.mark.parametrize(
    "found",
    [[], [1], [{"v": 1}], [{"n": 3, "v": 1}], [{"n": "a"}], [{"temperature": 3, "n": "x", "time": 5}], [{"bn": None}]],
)
def test_other_arrays_are_left_to_others(found: Any) -> None:
    try:
        assert decoded("hall", json.dumps(found)).decoder != "senml"
    except UndecodableError:
        return


def test_too_many_records_are_refused() -> None:
    with pytest.raises(UndecodableError, match="too_many_values"):
        pack({"bn": "m:1", "v": 1}, *[{"v": 1, "t": number} for number in range(3000)])


FIELDS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.binary(max_size=3))


@given(st.lists(st.dictionaries(st.sampled_from([*TO_CBOR, "x_"]), FIELDS, max_size=8), max_size=4))
def test_whatever_fields_hold_is_a_reading_or_nothing(records: list[dict[str, Any]]) -> None:
    small = [{TO_CBOR.get(key, key): value for key, value in one.items()} for one in records]
    try:
        result = decoded("hall", cbor2.dumps(small))
    except UndecodableError:
        return
    for one in result.readings:
        assert (one.value is None) != (one.text is None)
        assert one.value is None or abs(one.value) < float("inf")
        assert 0 < len(one.name) <= 250
