"""Gateways of controllers: Neuron, Kepware, and the namespace of United Manufacturing Hub."""

import json
from typing import Any

import pytest

from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values

TS = 1_772_359_200_000
AT_US = TS * 1000


def said(topic: str, found: Any) -> Decoded:
    return decoded(topic, json.dumps(found))


@pytest.mark.parametrize(
    "form",
    [
        {"values": {"flow_lpm": 12.5, "mode": "auto", "list": [1, 2]}, "errors": {"level": 3002}, "metas": {}},
        {"tags": [{"name": "flow_lpm", "value": 12.5}, {"name": "mode", "value": "auto", "type": 13},
                  {"name": "list", "value": [1, 2]}, {"name": "level", "error": 3002}, {"value": 3}]},
    ],
)  # fmt: skip
def test_neuron_tags_are_named_by_their_group_and_errors_are_no_values(form: dict[str, Any]) -> None:
    result = said("/neuron/plant/pump/slow", {"timestamp": TS, "node": "pump", "group": "slow", **form})
    assert values(result) == {"slow.flow_lpm": 12.5, "slow.mode": "auto", "slow.list.0": 1.0, "slow.list.1": 2.0}
    assert {one.time_us for one in result.readings} == {AT_US}
    assert result.readings[0].device == ("/neuron/plant#pump", "pump", "", "")
    assert result.readings[0].unit == "L/min"


def test_neuron_drivers_say_whether_their_link_is_up() -> None:
    states = [{"node": "pump", "link": 1, "running": 3}, {"node": "mill", "link": 0, "running": 3}, {"x": 1}]
    result = said("/neuron/plant/state/update", {"timestamp": TS, "states": states})
    assert [(one.device.key, one.availability) for one in result.availability] == [
        ("/neuron/plant#pump", "online"), ("/neuron/plant#mill", "offline")
    ]  # fmt: skip


def test_neuron_requests_and_their_answers_are_left_alone() -> None:
    for found in (
        {"uuid": "u", "node": "pump", "group": "slow"},
        {"uuid": "u", "node": "pump", "group": "g", "tags": [{"tag": "a", "value": 3}]},
    ):
        assert said("/neuron/plant/write/req", found) == Decoded("neuron")


def test_kepware_standard_form_leaves_out_bad_quality() -> None:
    tags = [
        {"id": "Line 1.PLC.Motor.Speed_rpm", "v": 900, "q": True, "t": TS},
        {"id": "Line 1.PLC.Level", "v": 3, "q": False, "t": TS},
        {"id": "Line 2.PLC.On", "v": True, "q": True},
    ]
    result = said("kep/out", {"timestamp": TS + 5, "values": tags})
    assert [(one.device.identifier, one.name, one.value, one.time_us) for one in result.readings] == [
        ("Line 1.PLC", "Motor.Speed_rpm", 900.0, AT_US), ("Line 2.PLC", "On", 1.0, AT_US + 5000)
    ]  # fmt: skip


def test_kepware_rows_by_template() -> None:
    rows = [
        {"tagname": "Hall.Meter.kWh", "timestamp": TS, "value": 7},
        {"tagname": "lonely", "timestamp": TS, "value": "up"},
    ]
    result = said("kep/rows", rows)
    assert [(one.device.identifier, one.name) for one in result.readings] == [("Hall.Meter", "kWh"), ("rows", "lonely")]


def test_other_values_are_left_to_the_general_decoder() -> None:
    assert said("a/b", {"values": [1, 2], "level": 3}).decoder == "json"
    assert said("a/b", {"node": "x", "level": 3}).decoder == "json"


def test_umh_tags_belong_to_the_place_before_the_contract() -> None:
    result = said("umh/v1/acme/turin/press/_historian/axis/x/load", {"timestamp_ms": TS, "value": 2.5})
    (reading,) = result.readings
    assert reading.device == ("umh/v1/acme/turin/press", "acme/turin/press", "", "")
    assert (reading.name, reading.value, reading.time_us) == ("axis.x.load", 2.5, AT_US)
    several = said("umh/v1/acme/_historian/head", {"timestamp_ms": TS, "pos": {"x": 1, "y": 2}, "on": True})
    assert values(several) == {"head.pos.x": 1.0, "head.pos.y": 2.0, "head.on": 1.0}
    assert values(said("umh/v1/acme/_historian", {"timestamp_ms": TS, "value": 3})) == {"value": 3.0}
    assert said("umh/v1/acme/_analytics/work-order/create", {"quantity": 3}) == Decoded("umh")


@pytest.mark.parametrize("broken", [None, 3, "x", [], {}, [[1]], {"a": None}, [{"id": 3}], True])
def test_broken_envelopes_raise_nothing_else(broken: Any) -> None:
    for topic in ("a/b", "/neuron/x", "umh/v1/a/_historian/b"):
        for found in (
            {"node": broken, "group": broken, "values": broken, "tags": broken, "timestamp": broken},
            {"values": [{"id": broken, "v": broken, "t": broken}]},
            [{"tagname": broken, "value": broken}],
            {"states": broken},
            {"timestamp_ms": broken, "value": broken},
        ):
            try:
                said(topic, found)
            except UndecodableError:
                continue
