import json

import pytest

from mqtt.decoders.memory import Memory
from tests.decoders.helpers import decoded, values


@pytest.mark.parametrize(
    ("topic", "payload", "name", "value", "unit"),
    [
        ("shed/sensor/soil/state", "41.5", "soil", 41.5, ""),
        ("shed/sensor/outside_temperature/state", "nan", None, None, ""),
        ("shed/sensor/shed_uptime/state", "465", "shed_uptime", 465.0, "s"),
        ("shed/sensor/sun_azimuth/state", "181.2", "sun_azimuth", 181.2, "°"),
        ("shed/sensor/shed_wifi_signal/state", "-67", "shed_wifi_signal", -67.0, "dBm"),
        ("shed/sensor/wifi/state", "70", "wifi", 70.0, ""),
        ("shed/binary_sensor/door/state", "ON", "door", 1.0, ""),
        ("shed/switch/pump/state", "OFF", "pump", 0.0, ""),
        ("shed/select/mode/state", "off", "mode", "off", ""),
        ("shed/text_sensor/code/state", "0042", "code", "0042", ""),
        ("shed/sensor/clock/state", "2026-03-01 10:00:00", "clock", "2026-03-01 10:00:00", ""),
        ("shed/climate/room/mode/state", "heat", "room.mode", "heat", ""),
        ("shed/climate/room/action/state", "off", "room.action", "off", ""),
        ("shed/climate/room/target_temperature_low/state", "18", "room.target_temperature_low", 18.0, "°C"),
        ("shed/fan/roof/speed_level/state", "3", "roof.speed_level", 3.0, ""),
        ("shed/sensor/soil/state", "", None, None, ""),
    ],
)
def test_states_are_named_by_object_and_aspect(
    topic: str, payload: str, name: str | None, value: float | str | None, unit: str
) -> None:
    result = decoded(topic, payload)
    assert result.decoder == "esphome"
    assert values(result) == ({name: value} if name else {})
    assert [(one.device, one.unit) for one in result.readings] == ([(("shed", "shed", "", ""), unit)] if name else [])


def test_the_prefix_may_have_several_levels() -> None:
    (reading,) = decoded("farm/north/shed/cover/gate/position/state", "30").readings
    assert (reading.device.key, reading.device.identifier, reading.name) == (
        "farm/north/shed", "farm/north/shed", "gate.position",
    )  # fmt: skip


def test_a_light_tells_its_state_as_json() -> None:
    result = decoded("shed/light/lamp/state", '{"state": "ON", "brightness": 90, "color": {"r": 255}}')
    assert values(result) == {"lamp.state": 1.0, "lamp.brightness": 90.0, "lamp.color.r": 255.0}


def test_a_node_announces_what_it_is() -> None:
    said = {"ip": "10.0.0.7", "name": "shed", "friendly_name": "Shed", "mac": "a0b1c2d3e4f5", "version": "2026.1.0",
            "board": "esp32dev", "network": "wifi"}  # fmt: skip
    (facts,) = decoded("esphome/discover/shed", json.dumps(said)).facts
    assert (facts.device.key, facts.announces) == ("shed", False)
    assert facts.facts == {
        "ip": "10.0.0.7", "hostname": "shed", "name": "Shed", "mac": "a0b1c2d3e4f5", "firmware": "2026.1.0",
        "model": "esp32dev",
    }  # fmt: skip
    assert not decoded("esphome/discover/shed", "").facts


def test_logs_and_commands_carry_no_readings() -> None:
    for topic, payload in (
        ("shed/debug", "\x1b[0;36m[D][sensor:094]: 'soil': Sending state 41.5\x1b[0m"),
        ("shed/switch/pump/command", "ON"),
        ("shed/climate/room/mode/command", "heat"),
        ("esphome/discover", ""),
    ):
        assert not decoded(topic, payload).readings


def test_units_and_facts_come_from_home_assistants_discovery() -> None:
    memory = Memory()
    config = {"dev_cla": "water", "unit_of_meas": "L", "stat_t": "shed/sensor/tank/state", "avty_t": "shed/status",
              "uniq_id": "t", "dev": {"ids": "a0b1c2d3e4f5", "name": "Shed", "sw": "esphome 2026.1.0"}}  # fmt: skip
    decoded("homeassistant/sensor/shed/tank/config", json.dumps(config), memory=memory)
    result = decoded("shed/sensor/tank/state", "5", memory=memory)
    (reading,) = result.readings
    assert (reading.device.key, reading.name, reading.unit, reading.kind) == ("shed", "tank", "L", "volume")
    assert result.facts[0].facts == {"name": "Shed", "firmware": "esphome 2026.1.0"}
    down = decoded("shed/status", "offline", memory=memory).availability
    assert ("shed", "offline") in [(one.device.key, one.availability) for one in down]
