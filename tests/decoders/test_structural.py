import json
from typing import Any

import pytest

from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import decoded, values

BASE = "bridge_3/gateway/2"


def telemetry(*data: dict[str, Any], status: str = "running", **device: Any) -> str:
    device = {"type": "tiltmeter", "serial_number_device": "TM7", "data": list(data)} | device
    unit = {"serial_number_datalogger": "unit_all", "status_datalogger": status, "devices": [device]}
    said = {"serial_number_gateway": "GW-2", "timestamp": "2026-09-21T10:00:00Z", "dataloggers": [unit]}
    return json.dumps(said)


def test_telemetry_gives_gateway_datalogger_and_sensors() -> None:
    result = decoded(
        f"{BASE}/dataloggers/telemetry",
        telemetry(
            {"type": "accelerometer", "value": [0.1, 0.2, 0.98]},
            {"type": "inclinometer", "value": [1.5, -0.5, 7]},
            {"type": "temperature", "value": 21.5, "unit": "°C"},
            {"type": "wind", "value": {"speed": 3, "gust": 5}},
        ),
    )
    assert values(result) == {
        "accelerometer.x": 0.1,
        "accelerometer.y": 0.2,
        "accelerometer.z": 0.98,
        "inclinometer.pitch": 1.5,
        "inclinometer.roll": -0.5,
        "inclinometer.2": 7.0,
        "temperature": 21.5,
        "wind.speed": 3.0,
        "wind.gust": 5.0,
    }
    assert {one.device for one in result.readings} == {(f"{BASE}#TM7", "TM7", BASE, "GW-2")}
    assert {one.time_us for one in result.readings} == {1_789_984_800_000_000}
    assert result.facts[0].facts == {
        "model": "tiltmeter",
        "datalogger": "unit_all",
        "datalogger_status": "running",
    }
    assert [(one.device.key, one.availability) for one in result.availability] == [(f"{BASE}#TM7", Availability.ONLINE)]


def test_two_sensors_of_one_type_on_one_device_keep_apart() -> None:
    result = decoded(
        f"{BASE}/dataloggers/telemetry", telemetry({"type": "crack", "value": 1}, {"type": "crack", "value": 2})
    )
    assert values(result) == {"crack": 1.0, "crack_2": 2.0}


def test_one_broken_device_does_not_lose_its_siblings() -> None:
    said = json.loads(telemetry({"type": "crack", "value": 1}))
    said["dataloggers"][0]["devices"] += [None, {"data": 5}, {"serial_number_device": "X", "data": [{"value": 3}]}]
    assert values(decoded(f"{BASE}/dataloggers/telemetry", json.dumps(said))) == {"crack": 1.0}


@pytest.mark.parametrize(("said", "availability"), [({}, "online"), ({"status": "offline"}, "offline")])
def test_the_gateway_tells_its_status_and_facts(said: dict[str, str], availability: str) -> None:
    payload = {"serial_number": "GW-2", "ip_address": "10.1.1.2", "firmware_version": "V5", **said}
    result = decoded(f"{BASE}/status", json.dumps(payload))
    (one,) = result.availability
    assert (one.device.key, one.device.identifier) == (BASE, "GW-2")
    assert (one.is_gateway, one.availability) == (True, availability)
    assert result.facts[0].facts == {"ip": "10.1.1.2", "firmware": "V5"}


def test_a_gateway_without_serial_number_is_named_by_its_topic() -> None:
    assert decoded(f"{BASE}/status", '{"hostname": "g"}').availability[0].device.identifier == "bridge_3-gateway_2"


def test_telemetry_without_devices_is_not_understood() -> None:
    with pytest.raises(UndecodableError):
        decoded(f"{BASE}/dataloggers/telemetry", '{"dataloggers": []}')


def test_the_interval_between_messages_is_a_fact_and_units_are_spelled_alike() -> None:
    said = json.loads(telemetry({"type": "temperature", "value": 3, "unit": "degC"}))
    result = decoded(f"{BASE}/dataloggers/telemetry", json.dumps(said | {"message_interval_seconds": 30}))
    assert result.facts[0].facts["interval"] == 30
    assert result.readings[0].unit == "°C"


def test_commands_to_a_datalogger_are_left_alone() -> None:
    assert not decoded(f"{BASE}/datalogger/tilt/15/input", '{"gain": 3}').readings
