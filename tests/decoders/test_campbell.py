"""Campbell Scientific: tables in both forms, states and descriptions."""

import json
from typing import Any

import pytest

from mqtt.decoders.campbell import field_meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded

AT = "2026-03-01T10:00:00Z"
AT_US = 1_772_359_200_000_000


def said(topic: str, found: Any) -> Decoded:
    return decoded(topic, json.dumps(found))


def geojson(names: Any, rows: Any, spelling: str = "properties") -> dict[str, Any]:
    properties = {"loggerID": "WX-1", "publish_ts": "2026-03-01T10:05:00Z"}
    properties |= {"observationNames": names, "observations": rows}
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [9.1, 45.4, 120.0]}, spelling: properties}


def csijson(fields: Any, *rows: Any) -> dict[str, Any]:
    where = {"station_name": "Pier 3", "table_name": "Fast", "model": "CR6", "serial_no": "9201"}
    where |= {"os_version": "CR6.14", "prog_name": "CPU:pier.CR6"}
    return {"head": {"transaction": 0, "signature": 1, "environment": where, "fields": fields}, "data": list(rows)}


@pytest.mark.parametrize("spelling", ["properties", "Properties"])
def test_geojson_rows_have_the_time_of_their_key(spelling: str) -> None:
    rows = {AT: [12.8, 21.5, False, "wet"], "2026-03-01T10:01:00Z": [12.7, "NAN", True, None]}
    result = said("cs/v2/data/WX-1/Hourly/cj", geojson(["BattV_Min", "PTemp_C", "Door", "State"], rows, spelling))
    found = [(one.name, one.value if one.text is None else one.text, one.unit, one.time_us) for one in result.readings]
    assert found == [
        ("BattV_Min", 12.8, "V", AT_US),
        ("PTemp_C", 21.5, "°C", AT_US),
        ("Door", 0.0, "", AT_US),
        ("State", "wet", "", AT_US),
        ("BattV_Min", 12.7, "V", AT_US + 60_000_000),
        ("Door", 1.0, "", AT_US + 60_000_000),
    ]
    assert result.readings[0].device == ("cs/v2#WX-1", "WX-1", "", "")


def test_csijson_says_its_units_and_its_logger() -> None:
    fields = [
        {"name": "Strain(1)", "type": "xsd:float", "units": "ustrain", "process": "Smp"},
        {"name": "AirTC_Avg", "units": "Deg C"},
    ]
    result = said(
        "cs/v1/data/CR6/9201/Fast/cj", csijson(fields, {"time": "2026-03-01T10:00:00", "no": 4, "vals": [120.5, 8.25]})
    )
    assert [(one.name, one.value, one.unit, one.time_us) for one in result.readings] == [
        ("Strain(1)", 120.5, "µε", AT_US), ("AirTC_Avg", 8.25, "°C", AT_US)
    ]  # fmt: skip
    assert result.readings[0].device == ("cs/v1#CR6/9201", "9201", "", "")
    assert result.facts[0].facts == {
        "serial": "9201", "model": "CR6", "firmware": "CR6.14", "name": "Pier 3", "program": "CPU:pier.CR6"
    }  # fmt: skip


def test_both_forms_are_known_on_any_topic() -> None:
    assert said("dam/left", geojson(["Level"], {AT: [3.5]})).readings[0].device == ("dam/left#WX-1", "WX-1", "", "")
    assert said("dam/left", csijson([{"name": "Level"}], {"time": AT, "vals": [3.5]})).decoder == "campbell"
    assert said("dam/left", {"type": "Feature", "properties": {"level": 3}}).decoder == "json"


@pytest.mark.parametrize(
    ("topic", "key"), [("cs/v2/state/WX-1", "cs/v2#WX-1"), ("cs/v2/state/CR6/9201", "cs/v2#CR6/9201")]
)
def test_the_state_is_the_availability_of_the_logger_that_sends_the_tables(topic: str, key: str) -> None:
    for state in ("online", "offline"):
        (one,) = said(topic, {"clientId": "x", "state": state, "reason": "Program requested disconnect"}).availability
        assert (one.device.key, one.availability, one.announces) == (key, state, True)
    assert (
        said("own/base/state/WX-1", {"clientID": "x", "state": "online"}).availability[0].device.key == "own/base#WX-1"
    )
    assert said(topic, {"success": "done"}) == Decoded("campbell")


def test_the_status_table_is_measured_and_the_description_is_facts() -> None:
    status = said("cs/v2/status/WX-1", geojson(["Battery", "PanelTemp", "CompileResults"], {AT: [12.9, 25.5, "ok"]}))
    assert [(one.name, one.unit) for one in status.readings] == [("Battery", "V"), ("PanelTemp", "°C")]
    about = said(
        "cs/v2/metadata/WX-1", geojson(["OSVersion", "SerialNumber", "MemorySize"], {AT: ["CR6.14", "9201", 9]})
    )
    assert (about.readings, about.facts[0].facts) == ([], {"firmware": "CR6.14", "serial": "9201"})
    device = said("cs/v2/metadata/WX-1/metadata", {"station_name": "Pier", "model": "CR6", "setting_device_id": "7"})
    assert device.facts[0].facts == {"model": "CR6", "name": "Pier"}


@pytest.mark.parametrize("what", ["cc", "cr", "pr"])
def test_commands_and_answers_are_left_alone(what: str) -> None:
    assert said(f"cs/v2/{what}/WX-1/setVar", {"value": 3, "name": "x"}) == Decoded("campbell")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("batteryVolt_Avg", "V"),
        ("crTemp", "°C"),
        ("PTemp_C_Max", "°C"),
        ("Volt(3)", "V"),
        ("Press_hPa_Avg(2)", "hPa"),
        ("logger_temp", ""),
    ],
)
def test_units_of_fields_are_seen_behind_what_the_logger_adds(name: str, unit: str) -> None:
    assert field_meaning(name).unit == unit


@pytest.mark.parametrize("broken", [None, 3, "x", [], {}, [[1]], {"a": 1}, [None, "n"]])
def test_broken_parts_raise_nothing_else(broken: Any) -> None:
    for found in (
        geojson(broken, {AT: [1]}),
        geojson(["a"], broken),
        geojson(["a"], {"then": broken}),
        csijson(broken, {"time": AT, "vals": [1]}),
        csijson([{"name": "a"}], broken),
        csijson([{"name": "a"}], {"time": broken, "vals": broken}),
    ):
        for topic in ("dam", "cs/v2/data/WX-1", "cs/v2/metadata/WX-1", "cs/v2/status/WX-1"):
            try:
                said(topic, found)
            except UndecodableError:
                continue


def test_more_values_than_any_table_has_are_refused() -> None:
    rows = {f"2026-03-01T{hour:02}:{minute:02}:00Z": [1] * 100 for hour in range(2) for minute in range(30)}
    with pytest.raises(UndecodableError, match="too_many_values"):
        said("dam", geojson([f"f{number}" for number in range(100)], rows))
