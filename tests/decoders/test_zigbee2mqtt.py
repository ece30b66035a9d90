import json

from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from tests.decoders.helpers import decoded, values

DEVICES = [
    {"type": "Coordinator", "ieee_address": "0x1", "friendly_name": "Coordinator"},
    {
        "ieee_address": "0xaa", "friendly_name": "roof/west probe", "manufacturer": "Maker",
        "software_build_id": "2.1",
        "definition": {
            "model": "TH-1", "vendor": "Brand",
            "exposes": [
                {"type": "numeric", "property": "temperature", "unit": "°F"},
                {"type": "composite", "property": "limits", "features": [{"property": "low", "unit": "V"}]},
                {"type": "binary", "property": "contact"},
            ],
        },
    },
]  # fmt: skip


def test_units_and_facts_come_from_the_announcement() -> None:
    memory = Memory()
    info = decoded(
        "zigbee2mqtt/bridge/info", '{"version": "2.0", "coordinator": {"ieee_address": "0x1"}}', memory=memory
    )
    assert (info.facts[0].device[:2], info.facts[0].is_gateway) == (("zigbee2mqtt", "0x1"), True)
    listed = decoded("zigbee2mqtt/bridge/devices", json.dumps(DEVICES), memory=memory)
    (device,) = [one for one in listed.facts if not one.is_gateway]
    assert device.announces
    assert device.facts["model"] == "TH-1"
    result = decoded(
        "zigbee2mqtt/roof/west probe", '{"temperature": 70, "limits": {"low": 3}, "contact": false, "linkquality": 9}',
        memory=memory,
    )  # fmt: skip
    assert values(result) == {"temperature": 70.0, "limits.low": 3.0, "contact": 0.0}
    assert [one.unit for one in result.readings] == ["°F", "", ""]
    assert result.readings[0].device == ("zigbee2mqtt/roof/west probe", "roof/west probe", "zigbee2mqtt", "0x1")
    assert result.facts[0].facts == {"linkquality": 9, "id": "0xaa"}


def test_a_renamed_device_keeps_its_key() -> None:
    memory = Memory()
    decoded("zigbee2mqtt/bridge/devices", json.dumps(DEVICES), memory=memory)
    renamed = [{**DEVICES[1], "friendly_name": "attic"}]
    decoded("zigbee2mqtt/bridge/devices", json.dumps(renamed), memory=memory)
    (reading,) = decoded("zigbee2mqtt/attic", '{"temperature": 1}', memory=memory).readings
    assert reading.device[:2] == ("zigbee2mqtt/roof/west probe", "attic")


def test_a_bridge_on_another_base_is_recognised_by_what_it_announces() -> None:
    memory = Memory()
    assert decoded("home/zb/x", '{"state": "ON"}', memory=memory).decoder == "json"
    decoded("home/zb/bridge/devices", json.dumps(DEVICES), memory=memory)
    assert decoded("home/zb/x", '{"state": "ON", "brightness": 3}', memory=memory).decoder == "zigbee2mqtt"


def test_only_states_are_switches_and_texts_stay_texts() -> None:
    result = decoded("zigbee2mqtt/x", '{"state_left": "ON", "indicator": "ON", "keep": "60", "update": {"a": 1}}')
    assert values(result) == {"state_left": 1.0, "indicator": "ON", "keep": "60"}


def test_a_battery_means_millivolts() -> None:
    assert [one.unit for one in decoded("zigbee2mqtt/x", '{"battery": 9, "voltage": 3000}').readings] == ["%", "mV"]
    assert [one.unit for one in decoded("zigbee2mqtt/x", '{"voltage": 230}').readings] == ["V"]


def test_presence_of_devices_and_of_the_bridge() -> None:
    (device,) = decoded("zigbee2mqtt/a/b/availability", '{"state": "offline"}').availability
    assert (device.device.key, device.availability) == ("zigbee2mqtt/a/b", Availability.OFFLINE)
    said = decoded("zigbee2mqtt/bridge/state", "offline").availability
    assert [(one.is_gateway, one.device.key) for one in said] == [(True, "zigbee2mqtt"), (False, "zigbee2mqtt")]
    assert len(decoded("zigbee2mqtt/bridge/state", '{"state": "online"}').availability) == 1


def test_requests_and_answers_are_no_readings() -> None:
    for topic in (
        "x/set",
        "x/get",
        "x/set/brightness",
        "bridge/request/restart",
        "bridge/response/restart",
        "bridge/logging",
    ):
        assert decoded(f"zigbee2mqtt/{topic}", '{"value": 1, "state": ""}').readings == []


def test_attributes_in_topics_of_their_own() -> None:
    (reading,) = decoded("zigbee2mqtt/attic/temperature", "21.5").readings
    assert (reading.device.identifier, reading.name, reading.unit) == ("attic", "temperature", "°C")
