import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mqtt.decoders.memory import Memory
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import NOW, decoded, values

CONFIG = {
    "ip": "10.0.0.9", "dn": "Boiler room", "fn": ["Pump", None], "hn": "pump-1", "mac": "8CAAB5010203",
    "md": "Generic", "t": "tasmota_010203", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
    "sw": "14.2.0", "ofln": "Gone", "onln": "Here", "state": ["ZU", "AUF", "TOGGLE", "HOLD"], "rl": [1, 0], "ver": 1,
}  # fmt: skip
CONFIG_TOPIC = "tasmota/discovery/8CAAB5010203/config"


def units(result: Decoded) -> dict[str, str]:
    return {one.name: one.unit for one in result.readings}


def say(memory: Memory, topic: str, payload: Any) -> Decoded:
    return decoded(topic, payload if isinstance(payload, str) else json.dumps(payload), memory=memory)


@pytest.mark.parametrize(
    ("topic", "key", "identifier"),
    [
        ("tele/plug/SENSOR", "tele/plug", "plug"),
        ("stat/plug/STATUS10", "tele/plug", "plug"),
        ("plug/tele/SENSOR", "plug/tele", "plug"),
        ("site/stat/plug/SENSOR", "site/tele/plug", "site/plug"),
        ("tele/haus/küche/plug/SENSOR", "tele/haus/küche/plug", "haus/küche/plug"),
        ("haus/küche/plug/stat/SENSOR", "haus/küche/plug/tele", "haus/küche/plug"),
        ("tele/stat/SENSOR", "tele/stat", "stat"),
    ],
)
def test_a_node_is_the_topic_without_prefix_and_name_in_whatever_order(topic: str, key: str, identifier: str) -> None:
    said = {"Time": "2026-09-21T10:00:00", "AM2301": {"Humidity": 55}}
    document = {"StatusSNS": said} if "STATUS" in topic else said
    (reading,) = decoded(topic, json.dumps(document)).readings
    assert reading.device == (key, identifier, "", "")
    assert (reading.name, reading.value, reading.unit, reading.kind) == ("AM2301.Humidity", 55.0, "%", "humidity")


def test_units_stand_beside_the_sensors_or_are_implied_by_the_quantity() -> None:
    said = {
        "Time": "2026-09-21T10:00:00",
        "BME280": {"Temperature": 70.1, "DewPoint": 50, "Pressure": 29.9, "Humidity": "41.5"},
        "TX23": {"Speed": {"Act": 3, "Max": 4}, "Dir": {"Deg": 90, "Card": "E"}},
        "PMS5003": {"PM2.5": 7, "PB0.3": 900},
        "ENERGY": {"Total": [1, 2], "Today": {"Phase1": 3}, "Power": 5, "Factor": 0.9, "ReactivePower": 2},
        "RG-15": {"Total": 12},
        "MHZ19B": {"CarbonDioxide": 600, "Temperature": None},
        "TempUnit": "F",
        "PressureUnit": "inHg",
        "SpeedUnit": "mph",
    }
    assert units(decoded("tele/roof/SENSOR", json.dumps(said))) == {
        "BME280.Temperature": "°F", "BME280.DewPoint": "°F", "BME280.Pressure": "inHg", "BME280.Humidity": "%",
        "TX23.Speed.Act": "mph", "TX23.Speed.Max": "mph", "TX23.Dir.Deg": "°", "TX23.Dir.Card": "",
        "PMS5003.PM2.5": "µg/m³", "PMS5003.PB0.3": "ppd",
        "ENERGY.Total.0": "kWh", "ENERGY.Total.1": "kWh", "ENERGY.Today.Phase1": "kWh", "ENERGY.Power": "W",
        "ENERGY.Factor": "", "ENERGY.ReactivePower": "var", "RG-15.Total": "mm", "MHZ19B.CarbonDioxide": "ppm",
    }  # fmt: skip


def test_a_unit_that_nobody_said_is_not_invented() -> None:
    assert units(decoded("tele/a/SENSOR", '{"SHT3X":{"Temperature":20}}')) == {"SHT3X.Temperature": ""}


def test_units_are_remembered_from_the_announcement_whichever_comes_first() -> None:
    sensors = {"sn": {"Time": "x", "TX23": {"Speed": {"Act": 1}}, "SpeedUnit": "km/h", "TempUnit": "C"}, "ver": 1}
    said = {"SHT3X": {"Temperature": 20}, "TX23": {"Speed": {"Act": 9}}}
    swapped = CONFIG | {"ft": "%topic%/%prefix%/", "t": "roof/wind"}
    for messages in (
        [(CONFIG_TOPIC, swapped), ("tasmota/discovery/8CAAB5010203/sensors", sensors)],
        [("tasmota/discovery/8CAAB5010203/sensors", sensors), (CONFIG_TOPIC, swapped)],
    ):
        memory = Memory()
        for topic, payload in messages:
            say(memory, topic, payload)
        result = say(memory, "roof/wind/tele/SENSOR", said)
        assert units(result) == {"SHT3X.Temperature": "°C", "TX23.Speed.Act": "km/h"}
    alone = Memory()
    say(alone, "tasmota/discovery/8CAAB5010203/sensors", sensors)
    assert units(say(alone, "tele/tasmota_010203/SENSOR", said))["SHT3X.Temperature"] == "°C"


def test_discovery_tells_the_facts_of_the_node_that_its_topics_belong_to() -> None:
    memory = Memory()
    (facts,) = say(memory, CONFIG_TOPIC, CONFIG).facts
    assert facts.device == ("tele/tasmota_010203", "tasmota_010203", "", "")
    assert facts.announces
    assert facts.facts == {
        "name": "Boiler room", "ip": "10.0.0.9", "hostname": "pump-1", "mac": "8CAAB5010203", "model": "Generic",
        "firmware": "14.2.0",
    }  # fmt: skip
    assert say(memory, "tele/tasmota_010203/STATE", {"POWER": "ON"}).readings[0].device == facts.device


def test_prefixes_that_nobody_else_has_are_known_from_the_announcement() -> None:
    memory = Memory()
    say(memory, CONFIG_TOPIC, CONFIG | {"tp": ["c", "s", "t"], "ft": "%prefix%/%topic%/"})
    first = say(memory, "t/tasmota_010203/SENSOR", {"AM2301": {"Humidity": 5}})
    second = say(memory, "s/tasmota_010203/STATUS10", {"StatusSNS": {"AM2301": {"Humidity": 5}}})
    assert first.decoder == "tasmota"
    assert first.readings == second.readings
    say(memory, CONFIG_TOPIC, "")
    assert say(memory, "t/tasmota_010203/SENSOR", {"AM2301": {"Humidity": 5}}).decoder == "json"


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("tele/plug/LWT", "Online", ["online"]),
        ("tele/plug/LWT", "Offline", ["offline"]),
        ("plug/tele/LWT", "Online", ["online"]),
        ("stat/plug/LWT", "Offline", []),
        ("tele/plug/LWT", "whatever", []),
        ("tele/plug/LWT", "", []),
        ("tele/tasmota_010203/LWT", "Here", ["online"]),
        ("tele/tasmota_010203/LWT", "Gone", ["offline"]),
        ("tele/tasmota_010203/LWT", "Offline", []),
    ],
)
def test_the_last_will_counts_below_tele_and_in_the_announced_words(topic: str, payload: str, said: list[str]) -> None:
    memory = Memory()
    say(memory, CONFIG_TOPIC, CONFIG)
    result = say(memory, topic, payload)
    assert [one.availability for one in result.availability] == said
    assert all(one.announces for one in result.availability)
    assert not result.readings


def test_who_sleeps_deeply_is_quiet_and_not_dead() -> None:
    memory = Memory()
    state = {"Time": "2026-09-21T10:00:00", "Vcc": 3.1, "DeepSleep": 600}
    assert {"interval": 600} in [one.facts for one in say(memory, "tele/well/STATE", state).facts]
    assert not say(memory, "tele/well/LWT", "Offline").availability
    assert say(memory, "tele/well/LWT", "Online").availability
    awake = say(memory, "tele/well/STATE", {"Time": "2026-09-21T10:00:00", "Vcc": 3.1})
    assert {"interval": None} in [one.facts for one in awake.facts]
    assert say(memory, "tele/well/LWT", "Offline").availability


def test_the_moment_of_waking_is_no_time_of_a_sample() -> None:
    memory = Memory()
    wakes = NOW // 1_000_000 + 300
    result = say(memory, "stat/well/DEEPSLEEP", {"DeepSleep": {"Time": "2026-09-21T14:18:20", "Epoch": wakes}})
    assert [(one.name, one.value, one.time_us) for one in result.readings] == [("DeepSleep.Epoch", wakes, None)]
    assert result.facts[0].facts == {"interval": 300}
    assert not say(memory, "tele/well/LWT", "Offline").availability


def test_the_state_is_told_apart_from_settings_and_health() -> None:
    wifi = {"AP": 1, "SSId": "x", "BSSId": "AA", "Channel": 6, "RSSI": 82, "Signal": -59, "LinkCount": 1}
    state = {
        "Time": "2026-09-21T10:00:00", "Uptime": "1T00:00:00", "UptimeSec": 86400, "Heap": 27, "SleepMode": "Dynamic",
        "Sleep": 50, "LoadAvg": 19, "MqttCount": 1, "POWER1": "ON", "Dimmer": 40, "Color": "112233", "Fade": "OFF",
        "Channel": [10, 20], "Wifi": wifi,
    }  # fmt: skip
    result = decoded("tele/lamp/STATE", json.dumps(state))
    assert values(result) == {
        "UptimeSec": 86400.0, "POWER1": 1.0, "Dimmer": 40.0, "Color": "112233", "Channel.0": 10.0, "Channel.1": 20.0,
        "Wifi.RSSI": 82.0, "Wifi.Signal": -59.0,
    }  # fmt: skip
    assert units(result)["Wifi.RSSI"] == "%"
    assert units(result)["Wifi.Signal"] == "dBm"
    assert result.facts[0].facts == {"uptime": 86400, "free_memory": 27, "ssid": "x", "bssid": "AA", "rssi": -59}


def test_the_epoch_goes_before_the_local_time_and_that_is_the_sites() -> None:
    memory = Memory(lambda _topic: ZoneInfo("Europe/Rome"))
    local = {"Time": "2026-09-21T12:00:00", "A": {"Humidity": 1}}
    ten = 1_789_984_800_000_000
    assert say(memory, "tele/a/SENSOR", local).readings[0].time_us == ten
    assert say(memory, "tele/a/SENSOR", local | {"Epoch": 1_789_984_801}).readings[0].time_us == ten + 1_000_000
    assert say(memory, "tele/a/SENSOR", local | {"Time": "1970-01-01T00:00:09"}).wrong_clock_us is not None


def test_bluetooth_sensors_are_devices_behind_the_node() -> None:
    memory = Memory()
    said = {
        "Time": "2026-09-21T10:00:00",
        "ANALOG": {"A0": 3},
        "ATC-7fc1e1": {"Temperature": 20, "Battery": 90, "RSSI": -70},
        "Window": {"mac": "a4c1387fc1e2", "Contact": "ON"},
        "IBEACON": {"MAC": "A4C1387FC1E3", "RSSI": -60, "STATE": "ON", "PERSEC": 2},
        "SI7021-04": {"Temperature": 5},
        "TempUnit": "C",
    }
    result = say(memory, "tele/hall/SENSOR", said)
    found = {(one.device.identifier, one.device.gateway_identifier, one.name, one.value) for one in result.readings}
    assert found == {
        ("hall", "", "ANALOG.A0", 3.0),
        ("hall", "", "SI7021-04.Temperature", 5.0),
        ("ATC-7fc1e1", "hall", "Temperature", 20.0),
        ("ATC-7fc1e1", "hall", "Battery", 90.0),
        ("Window", "hall", "Contact", 1.0),
        ("A4C1387FC1E3", "hall", "STATE", 1.0),
        ("A4C1387FC1E3", "hall", "PERSEC", 2.0),
    }
    assert {one.device.identifier: one.facts for one in result.facts}["ATC-7fc1e1"] == {"rssi": -70}
    down = say(memory, "tele/hall/LWT", "Offline").availability
    assert [(one.device.key, one.is_gateway) for one in down] == [("tele/hall", False), ("tele/hall", True)]


def test_beacons_that_share_their_uid_keep_apart() -> None:
    uid = "E2C56DB5DFFB48D2B060D0F5A71096E0"
    keys = set()
    for minor in ("0001", "0002"):
        said = {"IBEACON": {"UID": uid, "MAJOR": "0001", "MINOR": minor, "MAC": "A4C1387FC1E3", "STATE": "ON"}}
        (reading,) = decoded("tele/hall/SENSOR", json.dumps(said)).readings
        assert reading.device.identifier == uid
        keys.add(reading.device.key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("tele/zb/SENSOR", {"ZbReceived": {"0x5AF1": {"Device": "0x5AF1", "Name": "Cellar", "Humidity": 60}}}),
        ("tele/zb/RESULT", {"ZbReceived": {"Cellar": {"Device": "0x5AF1", "Name": "Cellar", "Humidity": 60}}}),
        ("tele/zb/0x5AF1/SENSOR", {"ZbReceived": {"0x5AF1": {"Name": "Cellar", "Humidity": 60}}}),
        ("tele/zb/Cellar/SENSOR", {"ZbReceived": {"Device": "0x5AF1", "Name": "Cellar", "Humidity": 60}}),
        ("tele/zb/0x5AF1/SENSOR", {"Device": "0x5AF1", "Name": "Cellar", "Humidity": 60}),
        ("zb/0x5AF1/tele/ZbReceived", {"0x5AF1": {"Device": "0x5AF1", "Name": "Cellar", "Humidity": 60}}),
    ],
)
def test_zigbee_devices_are_found_by_their_address_however_it_is_told(topic: str, document: dict[str, Any]) -> None:
    result = decoded(topic, json.dumps(document))
    (reading,) = result.readings
    assert (reading.device.identifier, reading.device.gateway_identifier) == ("0x5AF1", "zb")
    assert (reading.name, reading.value, reading.unit) == ("Humidity", 60.0, "%")
    assert result.facts[0].facts == {"name": "Cellar"}


def test_attributes_of_zigbee_are_not_taken_for_quantities_of_tasmota() -> None:
    said = {"ZbReceived": {"0x1": {"Device": "0x1", "Power": 1, "Dimmer": 254, "Illuminance": 9, "LinkQuality": 7}}}
    result = decoded("tele/zb/SENSOR", json.dumps(said))
    assert units(result) == {"Power": "", "Dimmer": "", "Illuminance": ""}
    assert result.facts[0].facts == {"linkquality": 7}


@pytest.mark.parametrize(
    ("topic", "payload", "found"),
    [
        ("stat/plug/POWER", "ON", {"POWER": 1.0}),
        ("stat/plug/POWER2", "off", {"POWER2": 0.0}),
        ("stat/tasmota_010203/POWER", "AUF", {"POWER": 1.0}),
        ("stat/plug/RESULT", '{"POWER":"OFF","Dimmer":5}', {"POWER": 0.0, "Dimmer": 5.0}),
        ("stat/plug/RESULT", '{"Switch1":{"Action":"TOGGLE"}}', {"Switch1.Action": "TOGGLE"}),
        ("tele/plug/RESULT", '{"IrReceived":{"Protocol":"NEC","Bits":32}}',
         {"IrReceived.Protocol": "NEC", "IrReceived.Bits": 32.0}),
        ("stat/plug/RESULT", '{"TelePeriod":300}', {}),
        ("stat/plug/RESULT", '{"Command":"Unknown"}', {}),
        ("stat/plug/TELEPERIOD", '{"TelePeriod":300}', {}),
        ("stat/plug/LOGGING", "00:00:01 MQT: tele/x/SENSOR = 5", {}),
        ("stat/plug/STATUS", '{"Status":{"Module":1,"Power":1}}', {}),
        ("stat/plug/STATUS7", '{"StatusTIM":{"UTC":"2026-09-21T10:00:00"}}', {}),
        ("tele/plug/INFO3", '{"Info3":{"RestartReason":"Power On","BootCount":4}}', {}),
        ("stat/plug/STATUS11", '{"StatusSTS":{"Time":"2026-09-21T10:00:00","POWER":"ON"}}', {"POWER": 1.0}),
        ("tele/plug/SENSOR", "[1,2]", {}),
        ("tele/plug/SENSOR", "", {}),
    ],
)  # fmt: skip
def test_answers_and_settings_are_no_readings(topic: str, payload: str, found: dict[str, Any]) -> None:
    memory = Memory()
    say(memory, CONFIG_TOPIC, CONFIG)
    result = decoded(topic, payload, memory=memory)
    assert (result.decoder, values(result)) == ("tasmota", found)


def test_what_the_node_is_stands_in_its_facts() -> None:
    said = {"Info1": {"Module": "Plug", "Version": "14.2.0(tasmota)"}}
    assert decoded("tele/plug/INFO1", json.dumps(said)).facts[0].facts == {
        "firmware": "14.2.0(tasmota)",
        "model": "Plug",
    }
    network = {"StatusNET": {"Hostname": "h", "IPAddress": "10.0.0.1", "Mac": "AA:BB"}}
    assert decoded("stat/plug/STATUS5", json.dumps(network)).facts[0].facts == {
        "hostname": "h", "ip": "10.0.0.1", "mac": "AA:BB",
    }  # fmt: skip


def test_one_broken_sensor_does_not_lose_the_others_and_broken_json_is_said() -> None:
    payload = '{"Time":"2026-09-21T10:00:00","A":{"Humidity":nan},"B":{"Humidity":4,"C":{"X":null}},"D":"é"}'
    assert values(decoded("tele/a/SENSOR", payload)) == {"B.Humidity": 4.0, "D": "é"}
    with pytest.raises(UndecodableError):
        decoded("tele/a/SENSOR", '{"A":{"Humidity":')


def test_hostile_announcements_are_survived() -> None:
    memory = Memory()
    for payload in (
        {"t": "a#b\0", "ft": "%topic%%topic%/" * 9, "tp": ["a"], "state": "x"},
        {"t": "x", "ft": "", "tp": ["", "", ""], "state": {}},
        {"t": ["x"]},
        {"sn": 3},
        {"sn": {"TempUnit": 3, "SpeedUnit": "x" * 5000}},
    ):
        for topic in (CONFIG_TOPIC, "tasmota/discovery/", "tasmota/discovery/a/sensors", "tasmota/discovery/a/b/c"):
            result = say(memory, topic, payload)
            assert not result.readings
            assert "\0" not in str(result.facts)


def test_openbeken_states_stand_below_get() -> None:
    memory = Memory()
    (reading,) = say(memory, "obkA1B2C3D4/voltage/get", "231.5").readings
    assert (reading.device.key, reading.device.identifier, reading.name, reading.value, reading.unit) == (
        "obkA1B2C3D4", "obkA1B2C3D4", "voltage", 231.5, "V",
    )  # fmt: skip
    assert values(say(memory, "kitchen/led_enableAll/get", "1")) == {"led_enableAll": 1.0}
    assert say(memory, "obkA1B2C3D4/rssi/get", "-60").facts[0].facts == {"rssi": "-60"}
    assert say(memory, "obkA1B2C3D4/1/get", "").decoder == "ignored"
    assert say(memory, "z/lamp/get", '{"state": ""}').decoder == "ignored"
