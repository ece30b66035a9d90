import json
from zoneinfo import ZoneInfo

import pytest

from mqtt.decoders.memory import Memory
from mqtt.exceptions import UndecodableError
from mqtt.models import from_us
from tests.decoders.helpers import NOW, decoded, values

TEN = 1_789_984_800_000_000
"""2026-09-21T10:00:00Z"""


def test_nested_keys_are_joined_by_dots() -> None:
    result = decoded("site/box", '{"air": {"temperature": 21.5, "ok": true}, "axes": [1, 2], "mode": "auto"}')
    assert values(result) == {"air.temperature": 21.5, "air.ok": 1.0, "axes.0": 1.0, "axes.1": 2.0, "mode": "auto"}
    assert {one.device.key for one in result.readings} == {"site/box"}
    assert result.readings[0].device.identifier == "box"


def test_a_generic_last_level_names_no_device() -> None:
    assert decoded("hall/plug7/SENSOR", '{"power": 3}').readings[0].device == ("hall/plug7/SENSOR", "plug7", "", "")


def test_number_texts_are_numbers_only_as_a_whole() -> None:
    result = decoded("t", '{"a": "21.5", "b": "-3e2", "c": "007", "d": "5 of 6", "e": "352093081234567890"}')
    assert values(result) == {"a": 21.5, "b": -300.0, "c": "007", "d": "5 of 6", "e": "352093081234567890"}


@pytest.mark.parametrize(
    ("key", "unit", "kind"),
    [
        ("temperature_C", "°C", "temperature"),
        ("outTemp_c", "°C", "temperature"),
        ("temperature_F", "°F", "temperature"),
        ("tempc", "°C", "temperature"),
        ("pressure_hPa", "hPa", "pressure"),
        ("battery_V", "V", "battery"),
        ("supply_mV", "mV", ""),
        ("battery_voltage", "V", "voltage"),
        ("TempC_SHT", "°C", "temperature"),
        ("Temp [°C]", "°C", "temperature"),
        ("wind_ms", "m/s", ""),
        ("latency_in_ms", "ms", ""),
        ("cond_uS_cm", "µS/cm", ""),
        ("pressure_mb", "mbar", "pressure"),
        ("memory_mb", "", ""),
        ("level_ft", "ft", "level"),
        ("power_factor", "", ""),
        ("torque_Nm", "Nm", ""),
        ("temp_c2", "°C", "temperature"),
        ("Hum_SHT", "%", "humidity"),
        ("%Soc", "%", "battery"),
        ("boilertemp", "", "temperature"),
        ("currents", "", "current"),
        ("W", "W", ""),
        ("max_flow_m3h", "m³/h", "flow"),
        ("power_W", "W", "power"),
        ("total_kWh", "kWh", "energy"),
        ("load_pct", "%", ""),
        ("latency_ms", "ms", ""),
        ("wind_avg_km_h", "km/h", ""),
        ("phase_a", "", ""),
        ("zone_c", "", ""),
        ("windSpeed_mps", "m/s", "speed"),
        ("humidity", "%", "humidity"),
        ("relative_humidity_2", "%", "humidity"),
        ("absolute_humidity", "", "humidity"),
        ("rainRate_inch_per_hour", "in/h", "rain"),
        ("barometer_inHg", "inHg", "pressure"),
    ],
)
def test_a_key_tells_unit_and_kind(key: str, unit: str, kind: str) -> None:
    reading = decoded("site/box", f'{{"{key}": 1.5}}').readings[0]
    assert (reading.unit, reading.kind) == (unit, kind)


def test_units_stand_beside_their_values() -> None:
    result = decoded("t", '{"level": 3, "level_unit": "m", "flow": 2, "flowUnit": "L/s", "x": 1}')
    assert [one.unit for one in result.readings] == ["m", "L/s", ""]
    assert decoded("t", '{"level": 3, "unit": "m"}').readings[0].unit == "m"


def test_a_value_with_unit_and_time_is_one_reading() -> None:
    (reading,) = decoded("a/b/temp", '{"value": 21.5, "unit": "°C", "ts": 1789984800}').readings
    assert (reading.device.key, reading.name, reading.value, reading.unit) == ("a/b", "temp", 21.5, "°C")
    assert reading.time_us == TEN
    (inner,) = decoded("a/b", '{"temp": {"value": 21.5, "unit": "°C"}}').readings
    assert (inner.device.key, inner.name, inner.unit) == ("a/b", "temp", "°C")


@pytest.mark.parametrize(
    "said",
    [
        '"timestamp": "2026-09-21T10:00:00Z"',
        '"time": "2026-09-21T12:00:00+02:00"',
        '"datetime": "2026-09-21 10:00:00.000+00:00"',
        '"ts": 1789984800',
        '"ts": "1789984800"',
        '"ts": 1789984800.0',
        '"timestamp_ms": 1789984800000',
        '"epoch": 1789984800000000',
        '"time": 1789984800000000000',
    ],
)
def test_the_own_time_is_taken_by_name_and_magnitude(said: str) -> None:
    (reading,) = decoded("t", f'{{"level": 3, {said}}}').readings
    assert reading.time_us == TEN


@pytest.mark.parametrize(
    "said", ['"ts": 0', '"ts": 1.61', '"time": "1970-01-01T00:00:00Z"', '"ts": 1890000000', '"time": "14:36"',
             '"ts": null', '"ts": 1e300', '"time": "9999-12-31T23:59:59-23:59"']
)  # fmt: skip
def test_a_time_that_cannot_be_true_is_not_used(said: str) -> None:
    (reading,) = decoded("t", f'{{"level": 3, {said}}}').readings
    assert reading.time_us is None


def test_local_time_is_read_in_the_zone_of_its_site() -> None:
    memory = Memory(lambda topic: ZoneInfo("Europe/Rome") if topic == "t" else ZoneInfo("Asia/Tokyo"))
    (reading,) = decoded("t", '{"level": 3, "time": "2026-09-21T12:00:00"}', memory=memory).readings
    assert reading.time_us == TEN


@pytest.mark.parametrize(("said", "year"), [('"1985-02-01T00:00:00Z"', 1985), ("1890000000", 2029)])
def test_a_clock_that_cannot_be_right_is_told(said: str, year: int) -> None:
    result = decoded("t", f'{{"level": 3, "ts": {said}}}')
    assert result.readings[0].time_us is None
    assert result.wrong_clock_us is not None
    assert from_us(result.wrong_clock_us).year == year


def test_a_message_may_say_whose_it_is() -> None:
    (reading,) = decoded("hall/readings", '{"node-id": "N7", "level": 1}').readings
    assert reading.device[:2] == ("hall/readings#N7", "N7")
    for payload in ('{"id": 7, "level": 1}', '{"deviceId": "readings", "level": 1}', '{"node-id": null, "level": 1}'):
        assert decoded("hall/readings", payload).readings[0].device.key == "hall/readings"


def test_the_nearest_time_wins() -> None:
    result = decoded("t", f'{{"a": {{"x": 1, "ts": 1789984800}}, "b": {{"x": 2}}, "ts": {NOW // 1_000_000}}}')
    assert [one.time_us for one in result.readings] == [TEN, NOW]


def test_what_describes_the_device_is_a_fact() -> None:
    result = decoded("a/b", '{"firmware": "1.2", "rssi": -70, "ip": "10.0.0.2", "uptime": 5, "battery": 88}')
    assert values(result) == {"battery": 88.0}
    assert result.facts[0].facts == {"firmware": "1.2", "rssi": -70, "ip": "10.0.0.2", "uptime": 5}


def test_objects_in_an_array_are_devices_or_times() -> None:
    result = decoded("t/x", '[{"id": "s1", "level": 1}, {"id": "s2", "level": 2}, {"level": 3}]')
    assert [(one.device.key, one.device.identifier) for one in result.readings] == [("t/x#s1", "s1"), ("t/x#s2", "s2")]
    times = decoded("t/x", '[{"ts": 1789984800, "level": 1}, {"ts": 1789984801, "level": 2}]')
    assert [(one.device.key, one.time_us) for one in times.readings] == [("t/x", TEN), ("t/x", TEN + 1_000_000)]


@pytest.mark.parametrize("broken", ["NaN", "nan", "Infinity", "-inf", "1e400", "null"])
def test_a_broken_value_does_not_lose_its_siblings(broken: str) -> None:
    assert values(decoded("t", f'{{"a": {broken}, "b": 2, "c": "a nan, inf"}}')) == {"b": 2.0, "c": "a nan, inf"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"null", "empty"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"a": 1', "not_json"),
        (b"[V][mqtt:474]: text", "not_json"),
        (b"{}", "no_values"),
        (b'{"a": NaN}', "no_number"),
        (b'{"a": 1e400}', "no_number"),
        (b"NaN", "no_number"),
        (b"1e400", "no_number"),
        (b"x" * 251, "long_text"),
        (b'{"a": "' + b"x" * 251 + b'"}', "long_text"),
        (b'{"' + b"x" * 251 + b'": 1}', "long_name"),
        (b"x" * 3_000_000, "too_large"),
        (b'{"a": "' + b"x" * 3_000_000 + b'"}', "too_large"),
        (b"[" * 5000, "too_deep"),
        (b"[" * 5000 + b"]" * 5000, "too_deep"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "too_deep"),
        (b"{" + b",".join(b'"k%d":1' % i for i in range(10_000)) + b"}", "too_many_values"),
        (b"[" + b",".join(b"[1]" for _ in range(10_000)) + b"]", "too_many_values"),
        (b"\0\0", "binary"),
        (b"ab\x01", "binary"),
    ],
)
def test_bad_input_says_why(payload: bytes, code: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decoded("site/box", payload)
    assert caught.value.code == code


def test_nul_characters_are_removed() -> None:
    result = decoded("t", b'{"a\\u0000b": "x\\u0000y", "rssi": "\\u0000"}')
    assert values(result) == {"ab": "xy"}


def test_one_value_with_its_quality_is_one_reading_and_a_bad_one_is_none() -> None:
    result = decoded("tank/level", '{"val": 12.5, "qc": 192, "ts": 1790000000, "desc": "Oil", "unit": "cm"}')
    (one,) = result.readings
    assert (one.device.key, one.name, one.value, one.unit, one.label) == ("tank", "level", 12.5, "cm", "Oil")
    for bad in ('{"val": 1, "qc": 0}', '{"value": 1, "quality": "BAD"}', '{"value": 1, "q": false}'):
        assert decoded("tank/level", bad).readings == []
    assert values(decoded("tank/level", '{"value": 1, "quality": "good", "other": 2}')) == {
        "value": 1.0, "quality": "good", "other": 2.0,
    }  # fmt: skip


def test_tags_in_an_array_are_readings_of_one_device_and_devices_stay_devices() -> None:
    tags = decoded(
        "edge/data", '[{"name": "Speed", "val": 5}, {"type": "temp_c", "value": 6}, {"id": "7", "val": 8, "qc": 3}]'
    )
    assert {one.device.key for one in tags.readings} == {"edge/data"}
    assert values(tags) == {"Speed": 5.0, "temp_c": 6.0, "7": 8.0}
    devices = decoded("edge/data", '[{"id": "a", "value": 5}, {"name": "b", "t": 6, "u": 7}]')
    assert [one.device.identifier for one in devices.readings] == ["a", "b", "b"]


def test_only_a_word_that_is_beside_its_unit_has_one() -> None:
    result = decoded("box", '{"flow": 3, "flowunit": "l/min", "controlunit": "AX1", "unit_x_unit": 4}')
    assert values(result) == {"flow": 3.0, "controlunit": "AX1", "unit_x_unit": 4.0}
    assert result.readings[0].unit == "L/min"


def test_voltage_with_decimals_is_in_volts_and_without_may_be_millivolts() -> None:
    result = decoded("box", '{"voltage": 3.3, "bat_voltage": 3300, "u_voltage": 3300.5, "text_voltage": "12.5"}')
    assert [one.unit for one in result.readings] == ["V", "", "", "V"]


def test_a_value_and_its_unit_as_short_as_can_be() -> None:
    result = decoded("box", '{"temp": {"v": 21.5, "u": "C"}, "x": {"v": 1, "w": 2}, "t": "2026-09-21T10:00:00Z"}')
    assert [(one.name, one.value, one.unit, one.time_us) for one in result.readings] == [
        ("temp", 21.5, "°C", TEN), ("x.v", 1.0, "", TEN), ("x.w", 2.0, "", TEN),
    ]  # fmt: skip
    assert values(decoded("box", '{"t": "cold", "d": [{"tag": "T1", "value": 3}]}')) == {"t": "cold", "T1": 3.0}


def test_a_frame_of_bytes_is_no_reading() -> None:
    result = decoded("box", '{"data": "0167ab", "payload": "AQID/w==", "raw": "docked", "level": 1, "fPort": 2}')
    assert values(result) == {"raw": "docked", "level": 1.0}


def test_dates_with_slashes_are_times() -> None:
    assert decoded("box", '{"level": 1, "time": "2026/09/21 10:00:00"}').readings[0].time_us == TEN


def test_parts_in_an_array_are_told_apart_by_place_and_lists_of_something_else_are_left_out() -> None:
    found = decoded("rack/vw", '{"channels": [{"f": 2812.5}, {"f": 2700}], "gateways": [{"power": 3}], "flow": 1}')
    assert values(found) == {"channels.0.f": 2812.5, "channels.1.f": 2700.0, "flow": 1.0}
    assert values(decoded("rack/vw", '[{"f": 1}, {"f": 2}]')) == {"0.f": 1.0, "1.f": 2.0}
    many = ",".join('{"f": 1}' for _ in range(40))
    assert values(decoded("rack/vw", f'{{"scan": 7, "waves": [{many}]}}')) == {"scan": 7.0}


def test_a_member_that_says_who_and_what_is_called_by_what() -> None:
    found = decoded("hall", '{"sensors": [{"id": "A1", "type": "humidity", "value": 44}]}')
    assert [(one.device.identifier, one.name, one.unit) for one in found.readings] == [("A1", "humidity", "%")]
    assert [(one.name, one.to) for one in found.moved] == [("value", "humidity")]


def test_rows_of_a_time_and_a_number_are_values_at_their_times() -> None:
    found = decoded("well/level", '[["2026-09-21T14:00:00Z", 1.5], ["2026-09-21T14:10:00Z", 1.6]]')
    assert [(one.name, one.value, one.time_us) for one in found.readings] == [
        ("level", 1.5, 1_789_999_200_000_000),
        ("level", 1.6, 1_789_999_800_000_000),
    ]


def test_the_time_in_a_head_is_that_of_the_whole() -> None:
    found = decoded("press", '{"header": {"timestamp": "2026-09-21T14:00:00Z"}, "data": {"stroke": 3}}')
    assert [(one.name, one.time_us) for one in found.readings] == [("data.stroke", 1_789_999_200_000_000)]


def test_settings_beside_values_are_no_readings() -> None:
    assert values(decoded("pump", '{"flow": 3, "cfg": {"interval": 60}, "config": {"a": 1}, "cmd": "run"}')) == {
        "flow": 3.0
    }


def test_a_device_that_names_itself_in_its_topic_is_called_so() -> None:
    found = decoded("field/TX-0042/tilt", '{"device_id": "TX-0042", "x": 0.5}').readings[0].device
    assert (found.key, found.identifier) == ("field/TX-0042/tilt", "TX-0042")


def test_a_group_address_of_a_bus_is_one_value_and_keeps_its_history() -> None:
    found = decoded("house/knx/1/2/17", "21.5")
    assert [(one.device.key, one.name) for one in found.readings] == [("house/knx", "1/2/17")]
    assert [(one.before, one.name, one.to) for one in found.moved] == [("house/knx/1/2", "17", "1/2/17")]
    assert decoded("house/knx/41/2/17", "21.5").readings[0].name == "17"


def test_words_for_no_value_are_none_and_words_of_a_state_stay() -> None:
    found = decoded(
        "box", '{"hum": "unknown", "temp": "unavailable", "level": "n/a", "lock": "unknown", "fault": "none"}'
    )
    assert values(found) == {"lock": "unknown", "fault": "none"}
    assert values(decoded("box", '{"hum": "dry"}')) == {"hum": "dry"}
    assert decoded("box", '{"hum": "dry"}').readings[0].unit == ""
    with pytest.raises(UndecodableError, match="no_number"):
        decoded("hall/humidity", "unavailable")


def test_moments_of_something_else_are_no_readings_and_durations_are() -> None:
    moment = "2026-09-21T14:00:00Z"
    found = decoded(
        "pump",
        f'{{"start_time": 1790000000, "next_run_at": "{moment}", "note": "{moment}", "run_time": 12, "flow": 1}}',
    )
    assert values(found) == {"run_time": 12.0, "flow": 1.0}
    assert [one.time_us for one in found.readings] == [None, None]
    assert decoded("pump/boot_time", moment).readings == []


def test_degrees_beside_several_values_are_those_of_the_temperatures() -> None:
    found = decoded("fridge", '{"temp": 4.5, "open": false, "load": 3, "unit": "C"}')
    assert {one.name: one.unit for one in found.readings} == {"temp": "°C", "open": "", "load": ""}


def test_a_unit_beside_several_values_is_that_of_those_which_are_measured_in_it() -> None:
    said = json.dumps({"pm1": 4.1, "pm10": 21, "humidity": 40, "flow": 2, "unit": "ug/m3"})
    assert {one.name: one.unit for one in decoded("a/dust", said).readings} == {
        "pm1": "µg/m³", "pm10": "µg/m³", "humidity": "%", "flow": ""
    }  # fmt: skip


def test_a_status_beside_a_tags_value_is_a_reading_of_its_own() -> None:
    said = json.dumps([{"name": "SpaceTemp", "value": 21.9, "unit": "°C", "status": "fault"}])
    result = decoded("site/ecy", said)
    assert values(result) == {"SpaceTemp": 21.9, "SpaceTemp.status": "fault"}
    assert {one.device.identifier for one in result.readings} == {"ecy"}
