import json

from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from tests.decoders.helpers import decoded, values


def test_attributes_of_versions_3_and_4_give_units_and_types() -> None:
    memory = Memory()
    decoded("homie/shed/climate/temp/$unit", "°F", memory=memory)
    decoded("homie/shed/climate/code/$datatype", "string", memory=memory)
    (reading,) = decoded("homie/shed/climate/temp", "70", memory=memory).readings
    assert (reading.device[:2], reading.name, reading.value, reading.unit) == (
        ("homie/shed", "shed"), "climate.temp", 70.0, "°F",
    )  # fmt: skip
    assert values(decoded("homie/shed/climate/code", "42", memory=memory)) == {"climate.code": "42"}


def test_a_description_of_version_5_says_everything_at_once() -> None:
    memory = Memory()
    described = {
        "name": "Shed",
        "root": "hub",
        "nodes": {"n": {"properties": {"v": {"datatype": "float", "unit": "V"}}}},
    }
    result = decoded("homie/5/shed/$description", json.dumps(described), memory=memory)
    assert (result.facts[0].facts, result.facts[0].announces) == ({"name": "Shed"}, True)
    (reading,) = decoded("homie/5/shed/n/v", "3.1", memory=memory).readings
    assert (reading.unit, reading.device.gateway_identifier) == ("V", "hub")


def test_states_tell_who_is_there() -> None:
    found = {
        state: decoded("homie/a/$state", state).availability for state in ("init", "ready", "lost", "sleeping", "alert")
    }
    assert {state: [one.availability for one in said] for state, said in found.items()} == {
        "init": [], "ready": [Availability.ONLINE], "lost": [Availability.OFFLINE], "sleeping": [],
        "alert": [Availability.ONLINE],
    }  # fmt: skip


def test_a_root_that_is_lost_takes_its_tree_with_it() -> None:
    memory = Memory()
    decoded("homie/5/hub/$description", '{"children": ["a"], "nodes": {}}', memory=memory)
    said = decoded("homie/5/hub/$state", "lost", memory=memory).availability
    assert [(one.is_gateway, one.device.key) for one in said] == [(False, "homie/5/hub"), (True, "homie/5/hub")]


def test_wishes_alerts_logs_and_broadcasts_are_no_readings() -> None:
    for topic in (
        "5/a/n/p/$target",
        "5/a/$alert/x",
        "5/a/$log/warn",
        "5/$broadcast/x",
        "a/n/p/set",
        "a/$nodes",
        "a/n/$properties",
    ):
        assert decoded(f"homie/{topic}", "1").readings == []


def test_booleans_are_only_true_and_false() -> None:
    assert values(decoded("homie/a/n/p", "true")) == {"n.p": 1.0}
    assert values(decoded("homie/a/n/p", "on")) == {"n.p": "on"}


def test_another_base_is_learned_from_a_device_that_says_it_speaks_homie() -> None:
    memory = Memory()
    assert decoded("our/base/a/n/p", "1", memory=memory).decoder == "scalar"
    decoded("our/base/a/$homie", "4.0.0", memory=memory)
    assert decoded("our/base/a/n/p", "1", memory=memory).decoder == "homie"
