import json
from typing import Any

import pytest

from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.models import from_us
from tests.decoders.helpers import decoded, values

COORDINATOR = {"ieee_address": "0x00aa", "type": "Coordinator", "friendly_name": "Coordinator"}


def numeric(name: str, unit: str = "") -> dict[str, Any]:
    return {"type": "numeric", "name": name, "property": name, "access": 1} | ({"unit": unit} if unit else {})


def device(address: str, name: str, *exposes: dict[str, Any]) -> dict[str, Any]:
    definition = {"model": "M-1", "vendor": "Maker", "exposes": list(exposes)}
    return {"ieee_address": address, "friendly_name": name, "type": "EndDevice", "definition": definition}


def listing(*devices: dict[str, Any]) -> str:
    return json.dumps([COORDINATOR, *devices])


def units(topic: str, payload: str, memory: Memory) -> dict[str, str]:
    return {one.name: one.unit for one in decoded(topic, payload, memory=memory).readings}


def test_a_state_is_readings_with_the_usual_units_and_metadata_apart() -> None:
    result = decoded(
        "zigbee2mqtt/Cellar (north)",
        '{"temperature": 7.5, "humidity": 81, "battery": 64, "voltage": 2975, "linkquality": 96, "action": "hold",'
        ' "power_l2": 3.5, "state_l2": "ON", "keep_time": "60", "occupancy": false, "color": {"x": 0.3, "y": 0.4},'
        ' "update": {"state": "idle", "installed_version": 7}, "last_seen": "2026-09-21T12:00:00+02:00",'
        ' "voc": null}',
    )
    assert values(result) == {
        "temperature": 7.5, "humidity": 81.0, "battery": 64.0, "voltage": 2975.0, "action": "hold", "power_l2": 3.5,
        "state_l2": 1.0, "keep_time": "60", "occupancy": 0.0, "color.x": 0.3, "color.y": 0.4,
    }  # fmt: skip
    unit = {one.name: one.unit for one in result.readings if one.unit}
    assert unit == {"temperature": "°C", "humidity": "%", "battery": "%", "voltage": "mV", "power_l2": "W"}
    assert {one.device for one in result.readings} == {
        ("zigbee2mqtt/Cellar (north)", "Cellar (north)", "", "")
    }  # fmt: skip
    assert {str(from_us(one.time_us)) for one in result.readings if one.time_us} == {"2026-09-21 10:00:00+00:00"}
    assert result.facts[0].facts == {"linkquality": 96, "update_state": "idle"}


@pytest.mark.parametrize("last_seen", ["1789984800000", '"2026-09-21T10:00:00.000Z"'])
def test_the_time_last_seen_has_two_forms(last_seen: str) -> None:
    (reading,) = decoded("zigbee2mqtt/x", f'{{"co2": 600, "last_seen": {last_seen}}}').readings
    assert reading.time_us == 1_789_984_800_000_000


def test_the_list_of_devices_says_units_model_and_gateway() -> None:
    memory = Memory()
    bulb = {"type": "light", "features": [
        numeric("brightness"), numeric("color_temp", "mired"),
        {"type": "composite", "name": "color_xy", "property": "color", "features": [numeric("x", "a"), numeric("y")]},
    ]}  # fmt: skip
    payload = listing(device("0x01", "attic/air", numeric("voc", "µg/m³"), numeric("voltage", "V")),
                      device("0x02", "bulb", bulb))  # fmt: skip
    result = decoded("zigbee2mqtt/bridge/devices", payload, memory=memory)
    assert not result.readings
    _, gateway, air, _ = result.facts
    assert (gateway.device[:2], gateway.is_gateway) == (("zigbee2mqtt", "0x00aa"), True)
    assert (air.device, air.announces) == (("zigbee2mqtt/attic/air", "attic/air", "zigbee2mqtt", "0x00aa"), True)
    assert air.facts == {"id": "0x01", "model": "M-1", "manufacturer": "Maker", "type": "EndDevice"}
    assert units("zigbee2mqtt/attic/air", '{"voc": 9, "voltage": 3000, "humidity": 5}', memory) == {
        "voc": "µg/m³", "voltage": "V", "humidity": "%"
    }  # fmt: skip
    assert units("zigbee2mqtt/bulb", '{"color": {"x": 1, "y": 2}, "color_temp": 3}', memory) == {
        "color.x": "a", "color.y": "", "color_temp": "mired"
    }  # fmt: skip
    (reading,) = decoded("zigbee2mqtt/bulb", '{"brightness": 1}', memory=memory).readings
    assert reading.device[2:] == ("zigbee2mqtt", "0x00aa")


def test_a_renamed_device_keeps_its_key_and_its_old_name_is_free_again() -> None:
    memory = Memory()
    decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "old")), memory=memory)
    result = decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "new"), device("0x02", "old")), memory=memory)
    assert [one.device[:2] for one in result.facts[2:]] == [
        ("zigbee2mqtt/old", "new"), ("zigbee2mqtt/old#0x02", "old")
    ]  # fmt: skip
    assert [decoded(f"zigbee2mqtt/{name}", '{"co2": 1}', memory=memory).readings[0].device.key
            for name in ("new", "old")] == ["zigbee2mqtt/old", "zigbee2mqtt/old#0x02"]  # fmt: skip


def test_a_device_paired_again_is_the_same_device() -> None:
    memory = Memory()
    for devices in ([device("0x01", "a")], [device("0x02", "b")], [device("0x01", "c"), device("0x02", "b")]):
        decoded("zigbee2mqtt/bridge/devices", listing(*devices), memory=memory)
    assert decoded("zigbee2mqtt/c", '{"co2": 1}', memory=memory).readings[0].device.key == "zigbee2mqtt/a"
    assert not memory.about("zigbee2mqtt/a")


def test_two_devices_may_swap_their_names() -> None:
    memory = Memory()
    decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "a"), device("0x02", "b")), memory=memory)
    decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "b"), device("0x02", "a")), memory=memory)
    assert decoded("zigbee2mqtt/b", '{"co2": 1}', memory=memory).readings[0].device.key == "zigbee2mqtt/a"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("bridge/devices", listing(device("0x01", "lamp"))),
        ("bridge/info", '{"version": "2.1.0", "coordinator": {"ieee_address": "0x00aa", "type": "zStack3x0"}}'),
    ],
)
def test_another_base_topic_is_learned_from_what_the_bridge_announces(topic: str, payload: str) -> None:
    memory = Memory()
    assert decoded("home/bees/lamp", '{"voltage": 3000}', memory=memory).decoder == "json"
    decoded(f"home/bees/{topic}", payload, memory=memory)
    result = decoded("home/bees/lamp", '{"voltage": 3000}', memory=memory)
    assert (result.decoder, result.readings[0].unit) == ("zigbee2mqtt", "mV")
    assert result.readings[0].device == ("home/bees/lamp", "lamp", "home/bees", "0x00aa")
    assert decoded("home/beeswax/lamp", '{"voltage": 3000}', memory=memory).decoder == "json"


def test_the_usual_base_may_lie_below_other_levels() -> None:
    (reading,) = decoded("site/7/zigbee2mqtt/hall/lamp", '{"state": "ON"}').readings
    assert reading.device[:2] == ("site/7/zigbee2mqtt/hall/lamp", "hall/lamp")


def test_the_bridge_tells_its_facts_and_state() -> None:
    memory = Memory()
    state, below = decoded("zigbee2mqtt/bridge/state", "offline", memory=memory).availability
    assert (below.device.key, below.is_gateway, below.alone) == ("zigbee2mqtt", False, False)
    assert (state.device[:2], state.is_gateway) == (("zigbee2mqtt", "zigbee2mqtt/bridge"), True)
    assert state.availability is Availability.OFFLINE
    info = {"version": "2.1.0", "coordinator": {"ieee_address": "0xaa", "type": "ember", "meta": {"revision": "7.4"}}}
    _, facts = decoded("zigbee2mqtt/bridge/info", json.dumps(info), memory=memory).facts
    assert (facts.device.identifier, facts.announces) == ("0xaa", True)
    assert facts.facts == {"firmware": "2.1.0", "model": "ember", "hardware": "7.4", "id": "0xaa"}
    (state,) = decoded("zigbee2mqtt/bridge/state", '{"state": "online"}', memory=memory).availability
    assert (state.device.identifier, state.availability) == ("0xaa", Availability.ONLINE)
    _, facts = decoded("zigbee2mqtt/bridge/health", '{"process": {"uptime_sec": 61}}', memory=memory).facts
    assert (facts.facts, facts.is_gateway) == ({"uptime": 61}, True)


@pytest.mark.parametrize("payload", ["offline", '{"state":"offline"}'])
def test_availability_is_of_the_named_device_alone(payload: str) -> None:
    (said,) = decoded("zigbee2mqtt/kitchen/lamp/availability", payload).availability
    assert (said.device.key, said.device.identifier) == ("zigbee2mqtt/kitchen/lamp", "kitchen/lamp")
    assert (said.availability, said.alone) == (Availability.OFFLINE, True)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("lamp/set", '{"state": "ON"}'), ("kitchen/lamp/get", '{"state": ""}'), ("lamp/set/brightness", "40"),
        ("bridge/request/permit_join", '{"value": true}'), ("bridge/response/permit_join", '{"data": {"value": true}}'),
        ("bridge/logging", '{"level": "info", "message": "5"}'), ("bridge/log", '{"type": "pairing", "message": "x"}'),
        ("lamp", ""), ("lamp/availability", ""), ("bridge/definitions", '{"x": 1}'), ("bridge/info", "[1]"),
        ("bridge/event", '{"type": "device_joined", "data": 5}'), ("bridge/devices", "5"),
    ],
)  # fmt: skip
def test_commands_requests_and_logs_say_nothing(topic: str, payload: str) -> None:
    result = decoded(f"zigbee2mqtt/{topic}", payload)
    assert (result.decoder, result.readings, result.availability) == ("zigbee2mqtt", [], [])
    assert not any(one.facts for one in result.facts)


def test_a_device_that_joins_is_announced_and_one_that_leaves_is_gone() -> None:
    event: dict[str, Any] = {"type": "device_interview", "data": {"friendly_name": "0x01", "ieee_address": "0x01"}}
    _, facts = decoded("zigbee2mqtt/bridge/event", json.dumps(event)).facts
    assert not facts.announces
    event["data"]["definition"] = {"model": "M-1", "vendor": "Maker"}
    _, facts = decoded("zigbee2mqtt/bridge/event", json.dumps(event)).facts
    assert facts.announces
    assert facts.device == ("zigbee2mqtt/0x01", "0x01", "zigbee2mqtt", "zigbee2mqtt/bridge")
    assert facts.facts == {"id": "0x01", "model": "M-1", "manufacturer": "Maker"}
    event["type"] = "device_leave"
    (said,) = decoded("zigbee2mqtt/bridge/event", json.dumps(event)).availability
    assert (said.device.key, said.availability) == ("zigbee2mqtt/0x01", Availability.OFFLINE)


def test_groups_publish_like_devices_but_are_announced_by_none() -> None:
    memory = Memory()
    groups = '[{"id": 7, "friendly_name": "all lamps", "members": []}, {"friendly_name": "no id"}]'
    _, facts = decoded("bees/bridge/groups", groups, memory=memory, chosen="zigbee2mqtt").facts
    assert (facts.device[:2], facts.facts, facts.announces) == (
        ("bees/all lamps", "all lamps"),
        {"type": "Group"},
        False,
    )
    assert decoded("bees/all lamps", '{"state": "OFF"}', memory=memory).decoder == "zigbee2mqtt"


def test_the_old_interface_lists_devices_without_units() -> None:
    memory = Memory()
    decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "a", numeric("voc", "ppm"))), memory=memory)
    old = [{"ieeeAddr": "0x01", "type": "EndDevice", "model": "M", "vendor": "V", "friendly_name": "a"}]
    for topic, payload in (("config/devices", old), ("log", {"type": "devices", "message": old})):
        result = decoded(f"zigbee2mqtt/bridge/{topic}", json.dumps(payload), memory=memory)
        assert result.facts[1].facts == {"id": "0x01", "type": "EndDevice", "model": "M", "manufacturer": "V"}
    assert units("zigbee2mqtt/a", '{"voc": 1}', memory) == {"voc": "ppm"}


def test_a_message_may_carry_the_device_itself() -> None:
    payload = '{"co2": 500, "device": {"ieeeAddr": "0x01", "model": "M-1", "softwareBuildID": "3.1", "type": "Router"}}'
    result = decoded("zigbee2mqtt/air", payload)
    assert values(result) == {"co2": 500.0}
    assert result.facts[0].facts == {"id": "0x01", "model": "M-1", "firmware": "3.1"}


def test_each_value_may_come_on_a_topic_of_its_own() -> None:
    memory = Memory()
    decoded("zigbee2mqtt/bridge/devices", listing(device("0x01", "hall/air", numeric("voc", "ppm"))), memory=memory)
    for topic, payload, value in (("hall/air/voc", "7", 7.0), ("hall/air/occupancy", "true", 1.0),
                                  ("hall/air/state", "OFF", 0.0), ("hall/air/action", "hold", "hold")):  # fmt: skip
        (reading,) = decoded(f"zigbee2mqtt/{topic}", payload, memory=memory).readings
        assert reading.device.key == "zigbee2mqtt/hall/air"
        assert (reading.name, reading.value if reading.text is None else reading.text) == (topic.split("/")[-1], value)
    assert units("zigbee2mqtt/hall/air/voc", "7", memory) == {"voc": "ppm"}


@pytest.mark.parametrize("topic", ["zigbee2mqtt/a", "zigbee2mqtt/a/b"])
def test_broken_json_is_not_understood(topic: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decoded(topic, '{"state": "ON"')
    assert caught.value.code == "not_json"


def test_raw_light_has_no_unit_where_lux_stand_beside_it() -> None:
    memory = Memory()
    assert units("zigbee2mqtt/a", '{"illuminance": 9000, "illuminance_lux": 8}', memory) == {
        "illuminance": "", "illuminance_lux": "lx"
    }  # fmt: skip
    assert units("zigbee2mqtt/a", '{"illuminance": 8}', memory) == {"illuminance": "lx"}


def test_hostile_lists_lose_only_what_is_broken() -> None:
    memory = Memory()
    broken: Any = [None, 5, {}, {"ieee_address": 7}, {"ieee_address": {}}, {"ieee_address": "0x1", "definition": 3},
                   device("0x2", "<b>\0", {"property": ["x"]}, {"features": 5}, numeric("ok", "V"))]  # fmt: skip
    result = decoded("zigbee2mqtt/bridge/devices", json.dumps([COORDINATOR, *broken]), memory=memory)
    assert [one.device.identifier for one in result.facts[2:]] == ["7", "0x1", "<b>"]
    assert units("zigbee2mqtt/<b>", '{"ok": 1}', memory) == {"ok": "V"}


def test_a_list_of_a_megabyte_is_read_to_its_end() -> None:
    many = [device(f"0x{number:04}", f"room {number}", *(numeric(f"value_{index}", "V") for index in range(40)))
            for number in range(250)]  # fmt: skip
    payload = listing(*many)
    assert len(payload) > 900_000
    found = [one for one in decoded("zigbee2mqtt/bridge/devices", payload).facts if not one.is_gateway]
    assert len(found) == 250
