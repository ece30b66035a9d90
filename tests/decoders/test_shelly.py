import json

import pytest

from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from tests.decoders.helpers import decoded, values

TEN = 1_789_984_800_000_000


@pytest.mark.parametrize(
    ("topic", "payload", "name", "value", "unit"),
    [
        ("plug-1/relay/0", "on", "relay.0", 1.0, ""),
        ("plug-1/relay/0/power", "12.5", "relay.0.power", 12.5, "W"),
        ("plug-1/relay/0/energy", "60", "relay.0.energy", 60.0, "W·min"),
        ("em/emeter/1/voltage", "231", "emeter.1.voltage", 231.0, "V"),
        ("em/emeter/1/total", "5", "emeter.1.total", 5.0, "Wh"),
        ("ht/sensor/humidity", "40", "humidity", 40.0, "%"),
        ("ht/sensor/flood", "true", "flood", 1.0, ""),
        ("dim/temperature_f", "100", "temperature_f", 100.0, "°F"),
        ("one/ext_temperature/0", "7.5", "ext_temperature.0", 7.5, "°C"),
    ],
)
def test_a_topic_of_the_first_generation_is_one_value(
    topic: str, payload: str, name: str, value: float, unit: str
) -> None:
    (reading,) = decoded(f"shellies/{topic}", payload).readings
    assert (reading.name, reading.value, reading.unit) == (name, value, unit)


def test_an_id_of_several_levels_is_one_device() -> None:
    (reading,) = decoded("shellies/hall/left/relay/0", "off").readings
    assert reading.device[:2] == ("shellies/hall/left", "hall/left")


def test_commands_and_failing_sensors_are_no_readings() -> None:
    for topic, payload in (("a/relay/0/command", "on"), ("a/command", "announce"), ("a/sensor/temperature", "999"),
                           ("a/light/0/set", '{"turn": "on"}')):  # fmt: skip
        assert decoded(f"shellies/{topic}", payload).readings == []
    assert decoded("shellies/command", "announce").readings == []


def test_the_whole_status_leaves_out_what_is_not_valid() -> None:
    status = {"unixtime": 0, "meters": [{"power": 3, "is_valid": True}, {"power": 4, "is_valid": False}],
              "tmp": {"value": 999, "units": "C", "is_valid": True}, "bat": {"value": 80, "voltage": 2.9},
              "wifi_sta": {"rssi": -60}, "update": {"old_version": "1.1"}}  # fmt: skip
    result = decoded("shellies/a/info", json.dumps(status))
    assert values(result) == {"meters.0.power": 3.0, "bat.value": 80.0, "bat.voltage": 2.9}
    assert result.facts[0].facts == {"rssi": -60, "firmware": "1.1"}
    assert {one.time_us for one in result.readings} == {None}


def test_presence_and_announcements() -> None:
    (said,) = decoded("shellies/a/online", "false").availability
    assert (said.device.key, said.availability, said.announces) == ("shellies/a", Availability.OFFLINE, True)
    (facts,) = decoded("shellies/announce", '{"id": "a", "model": "M", "mac": "AA", "fw_ver": "1"}').facts
    assert (facts.device.key, facts.facts["model"]) == ("shellies/a", "M")


def test_a_component_of_later_generations() -> None:
    status = {
        "id": 0,
        "output": True,
        "apower": 5,
        "aenergy": {"total": 9, "by_minute": [1]},
        "temperature": {"tC": 30, "tF": 86},
    }
    result = decoded("our/box/status/switch:0", json.dumps(status))
    assert {one.name: (one.value, one.unit) for one in result.readings} == {
        "switch:0.output": (1.0, ""), "switch:0.apower": (5.0, "W"), "switch:0.aenergy.total": (9.0, "Wh"),
        "switch:0.temperature.tC": (30.0, "°C"),
    }  # fmt: skip
    assert result.readings[0].device.key == "our/box"


def test_a_notification_names_the_device_and_its_time() -> None:
    memory = Memory()
    note = {
        "src": "shellyx-1",
        "method": "NotifyStatus",
        "params": {"ts": 1789984800.5, "em:0": {"a_act_power": 4}, "mqtt": {"connected": True}},
    }
    (reading,) = decoded("our/box/events/rpc", json.dumps(note), memory=memory).readings
    assert (reading.device[:2], reading.name, reading.unit) == (("our/box", "shellyx-1"), "em:0.a_act_power", "W")
    assert reading.time_us == TEN + 500_000
    answer = {"id": 1, "src": "shellyx-1", "result": {"id": 0, "voltage": 230, "restart": True}}
    (other,) = decoded("client/rpc", json.dumps(answer), memory=memory).readings
    assert (other.device.key, other.name, other.unit) == ("our/box", "voltage", "V")
    (said,) = decoded("our/box/online", "true", memory=memory).availability
    assert said.device.key == "our/box"


def test_a_clock_that_is_not_set_makes_no_time() -> None:
    note = {"src": "shellyx-1", "method": "NotifyStatus", "params": {"ts": 1.6, "switch:0": {"output": True}}}
    assert decoded("b/events/rpc", json.dumps(note)).readings[0].time_us is None


def test_buttons_are_events_and_settings_are_not() -> None:
    note = {"src": "shellyx-1", "method": "NotifyEvent", "params": {"ts": 1, "events": [
        {"component": "input:0", "event": "single_push"}, {"component": "sys",
        "event": "config_changed"}]}}  # fmt: skip
    assert values(decoded("b/events/rpc", json.dumps(note))) == {"input:0.event": "single_push"}
