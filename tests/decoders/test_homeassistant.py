import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders.homeassistant.filters import MISSING
from mqtt.decoders.homeassistant.templates import Template
from mqtt.decoders.memory import Memory
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values
from tests.decoders.test_registry import DOCUMENTS, check

DEVICE = {"identifiers": ["st-9"], "name": "Weather mast", "mf": "Acme", "mdl": "M1", "sw": "2.0", "sn": "77"}


def say(memory: Memory, topic: str, payload: Any) -> Decoded:
    return decoded(topic, payload if isinstance(payload, str) else json.dumps(payload), memory=memory)


def known(*configs: tuple[str, dict[str, Any]]) -> Memory:
    memory = Memory()
    for topic, config in configs:
        assert say(memory, topic, config).decoder == "homeassistant"
    return memory


def sensor(name: str, **keys: Any) -> tuple[str, dict[str, Any]]:
    return f"homeassistant/sensor/{name}/config", {"device": DEVICE, "unique_id": name} | keys


def units(result: Decoded) -> dict[str, str]:
    return {one.name: one.unit for one in result.readings}


def told(result: Decoded) -> set[str]:
    return {one.device.identifier for one in result.readings}


@pytest.mark.parametrize(
    "config",
    [
        {"state_topic": "mast/7/values", "unit_of_measurement": "ug/m3", "device_class": "pm25",
         "value_template": "{{ value_json.dust }}"},
        {"stat_t": "mast/7/values", "unit_of_meas": "µg/m³", "dev_cla": "pm25", "val_tpl": "{{value_json['dust']}}"},
        {"~": "mast/7", "stat_t": "~/values", "unit_of_meas": "µg/m³", "device_class": "pm25",
         "val_tpl": '{{ value_json["dust"] | float }}'},
        {"~": "values", "state_topic": "mast/7/~", "unit_of_meas": "µg/m³", "dev_cla": "pm25",
         "value_template": "{{- value_json.dust | is_defined -}}"},
    ],
)  # fmt: skip
def test_long_short_and_based_keys_say_the_same(config: dict[str, Any]) -> None:
    memory = known(("ha/sensor/mast/dust/config", {"dev": DEVICE} | config))
    result = say(memory, "mast/7/values", {"dust": 12, "other": 3})
    assert told(result) == {"st-9"}
    assert values(result) == {"dust": 12.0, "other": 3.0}
    assert (result.readings[0].unit, result.readings[0].kind) == ("µg/m³", "pm")
    assert result.facts[0].facts == {
        "name": "Weather mast", "manufacturer": "Acme", "model": "M1", "firmware": "2.0", "serial": "77", "id": "st-9",
    }  # fmt: skip


def test_all_that_is_discovered_of_a_device_is_one_device_and_no_two_values_share_a_name() -> None:
    memory = known(
        sensor("mast_t", state_topic="mast/7/t/state", unit_of_measurement="°C"),
        sensor("mast_h", state_topic="mast/7/h/state", unit_of_measurement="%"),
        sensor("roof_t", state_topic="mast/8/t/state", unit_of_measurement="°C"),
        sensor("wind", state_topic="mast/7/wind", value_template="{{ value_json.speed }}"),
        sensor("wind2", state_topic="mast/8/wind", value_template="{{ value_json.speed }}"),
    )
    found = {}
    for topic, payload in (
        ("mast/7/t/state", "20.5"),
        ("mast/7/h/state", "40"),
        ("mast/8/t/state", "21"),
        ("mast/7/wind", '{"speed": 3, "gust": 4}'),
        ("mast/8/wind", '{"speed": 5, "gust": 6}'),
    ):
        for one in say(memory, topic, payload).readings:
            found[one.device.key, one.device.identifier, one.name] = one.value
    assert found == {
        ("mast/7#st-9", "st-9", "t"): 20.5,
        ("mast/7#st-9", "st-9", "h"): 40.0,
        ("mast/7#st-9", "st-9", "8.t"): 21.0,
        ("mast/7#st-9", "st-9", "speed"): 3.0,
        ("mast/7#st-9", "st-9", "gust"): 4.0,
        ("mast/7#st-9", "st-9", "wind.speed"): 5.0,
        ("mast/7#st-9", "st-9", "wind.gust"): 6.0,
    }


def test_a_device_is_called_as_announced_and_its_id_stays_what_it_is_known_by() -> None:
    topic, config = sensor("t", state_topic="mast/7/t")
    memory = known((topic, config | {"name": "Weather mast: Temperature"}))
    result = say(memory, "mast/7/t", "20.5")
    (one,), (facts,) = result.readings, result.facts
    assert (one.device.identifier, one.label) == ("st-9", "Temperature")
    assert (facts.device.identifier, facts.device.key, facts.announces) == ("Weather mast", one.device.key, True)
    assert [(said.before, said.name, said.to) for said in result.moved] == [("mast/7", "t", "t")]


def test_a_bundle_describes_many_components_with_shared_options() -> None:
    bundle = {
        "dev": {"ids": "st-9", "cns": [["mac", "02:00:00:00:00:09"]]},
        "o": {"name": "maker"},
        "~": "mast/7",
        "state_topic": "~/state",
        "cmps": {
            "t1": {"p": "sensor", "val_tpl": "{{ value_json.t }}", "unit_of_meas": "°C", "dev_cla": "temperature"},
            "rain": {"p": "binary_sensor", "stat_t": "~/rain", "pl_on": "wet", "pl_off": "dry"},
            "go": {"p": "button", "cmd_t": "~/go"},
        },
    }
    memory = known(("homeassistant/device/st-9/config", bundle))
    result = say(memory, "mast/7/state", {"t": 4.5})
    assert [(one.device.identifier, one.name, one.unit, one.kind) for one in result.readings] == [
        ("st-9", "t", "°C", "temperature")
    ]
    assert result.facts[0].facts == {"mac": "02:00:00:00:00:09"}
    assert values(say(memory, "mast/7/rain", "wet")) == {"rain": 1.0}
    assert values(say(memory, "mast/7/rain", "dry")) == {"rain": 0.0}
    say(memory, "homeassistant/device/st-9/config", "")
    assert not memory.speaks_of("mast/7/state")


def test_another_familys_device_is_enriched_and_not_made_twice() -> None:
    memory = known(
        sensor("p", state_topic="tele/plug/SENSOR", value_template="{{ value_json['ENERGY'].Power }}",
               unit_of_measurement="kW", device_class="power", expire_after=600),
        sensor("door", state_topic="tele/plug/SENSOR", value_template="{{ value_json.Door | upper }}"),
        ("homeassistant/binary_sensor/r/config",
         {"device": DEVICE, "unique_id": "r", "state_topic": "stat/plug/POWER", "payload_on": "ON"}),
    )  # fmt: skip
    result = say(memory, "tele/plug/SENSOR", {"ENERGY": {"Power": 5, "Voltage": 230}, "Door": "open"})
    assert result.decoder == "tasmota"
    assert {one.device.key for one in [*result.readings, *result.facts]} == {"tele/plug"}
    assert units(result) == {"ENERGY.Power": "kW", "ENERGY.Voltage": "V", "Door": ""}
    assert values(result)["Door"] == "open"
    facts = result.facts[0].facts
    assert (facts["name"], facts["interval"]) == ("Weather mast", 600)
    assert say(memory, "stat/plug/POWER", "ON").readings[0].device.key == "tele/plug"


def test_without_a_device_the_topic_or_the_unique_id_names_it() -> None:
    memory = known(
        ("homeassistant/binary_sensor/gate/config", {"state_topic": "homeassistant/binary_sensor/gate/state"}),
        ("homeassistant/light/hall/config",
         {"uniq_id": "hall_1", "stat_t": "homeassistant/light/hall/state", "schema": "json"}),
        ("homeassistant/sensor/soc/config", {"uniq_id": "car_soc", "stat_t": "evcc/car/soc", "unit_of_meas": "%"}),
        ("homeassistant/sensor/xT/config",
         {"state_topic": "homeassistant/sensor/x/state", "unit_of_measurement": "°C",
          "value_template": "{{ value_json.temp }}"}),
    )  # fmt: skip
    (gate,) = say(memory, "homeassistant/binary_sensor/gate/state", "OFF").readings
    assert (gate.device.identifier, gate.name, gate.value) == ("gate", "gate", 0.0)
    assert told(say(memory, "homeassistant/light/hall/state", {"state": "ON", "brightness": 9})) == {"hall_1"}
    (soc,) = say(memory, "evcc/car/soc", "80").readings
    assert (soc.device.key, soc.name, soc.unit) == ("evcc/car", "soc", "%")
    result = say(memory, "homeassistant/sensor/x/state", {"temp": 3, "humidity": 40})
    assert (told(result), units(result)) == ({"x"}, {"temp": "°C", "humidity": "%"})


def test_states_below_the_prefix_are_understood_before_their_discovery_comes() -> None:
    (gate,) = decoded("homeassistant/binary_sensor/gate/state", "ON").readings
    assert (gate.device.identifier, gate.name, gate.value) == ("gate", "gate", 1.0)


@pytest.mark.parametrize("payload", ["online", "offline", "", "{}"])
def test_home_assistants_own_birth_is_no_device(payload: str) -> None:
    result = decoded("homeassistant/status", payload)
    assert (result.readings, result.availability, result.facts) == ([], [], [])


@pytest.mark.parametrize(
    ("template", "raw", "value", "unit"),
    [
        ("{{ value_json.x }}", 12.345, 12.345, "V"),
        ("{{ value_json.x | round(1) }}", 12.345, 12.3, "V"),
        ("{{ value_json.x | float / 1000 }}", 1250, 1.25, "V"),
        ("{{ (value_json.x * 0.1) | round(1) }}", 123, 12.3, "V"),
        ("{{ value_json.x | int(0) + 1 }}", "7", 8.0, "V"),
        ("{{ value_json.y | default(4) }}", 1, 4.0, "V"),
        ("{{ float(value_json.x) * 2 }}", "1.5", 3.0, "V"),
        ("{{ 'yes' if value_json.x == 3 else 'no' }}", 3, "yes", ""),
        ("{{ value_json.x | lower }}", "ABC", "abc", ""),
    ],
)
def test_safe_templates_are_followed(template: str, raw: Any, value: Any, unit: str) -> None:
    memory = known(sensor("v", state_topic="mast/v", value_template=template, unit_of_measurement="V"))
    found = [one for one in say(memory, "mast/v", {"x": raw}).readings if one.value == value or one.text == value]
    assert [one.unit for one in found] == [unit]


def test_templates_beyond_that_leave_the_plain_value_without_a_unit() -> None:
    source = "{% if value_json.x > 3 %}{{ value_json.x * 2 }}{% endif %}"
    memory = known(sensor("v", state_topic="mast/v", value_template=source, unit_of_measurement="V"))
    assert memory.told("mast/v", "homeassistant")[0]["points"][0]["left_out"] == "not one simple expression"
    result = say(memory, "mast/v", {"x": 5})
    assert (values(result), units(result)) == ({"x": 5.0}, {"x": ""})


def test_a_template_that_finds_nothing_gives_no_reading() -> None:
    memory = known(sensor("v", state_topic="mast/v", value_template="{{ value_json.x / 10 }}"))
    assert values(say(memory, "mast/v", {"x": "broken", "y": 2})) == {"y": 2.0}


def test_two_entities_may_read_one_value_in_their_own_ways() -> None:
    memory = known(
        sensor("battery", state_topic="mast/b", value_template="{{ value_json.bat }}", unit_of_measurement="%"),
        ("homeassistant/binary_sensor/low/config",
         {"device": DEVICE, "state_topic": "mast/b", "value_template": "{{ 'ON' if value_json.bat < 20 else 'OFF' }}"}),
        sensor("signal", state_topic="mast/b", value_template="{{ value_json.rssi }}", unit_of_measurement="dBm"),
    )  # fmt: skip
    result = say(memory, "mast/b", {"bat": 15, "rssi": -80})
    assert values(result) == {"bat": 15.0, "low": 1.0, "rssi": -80.0}
    assert units(result) == {"bat": "%", "low": "", "rssi": "dBm"}


def test_one_topic_may_carry_several_devices() -> None:
    memory = known(
        sensor("a", device={"ids": "a"}, state_topic="hub/all", value_template="{{ value_json.a.t }}"),
        sensor("b", device={"ids": "b", "via_device": "hub"}, state_topic="hub/all",
               value_template="{{ value_json.b.t }}"),
    )  # fmt: skip
    result = say(memory, "hub/all", {"a": {"t": 1}, "b": {"t": 2}, "c": 3})
    found = {(one.device.identifier, one.device.gateway_identifier, one.name) for one in result.readings}
    assert found == {("a", "", "a.t"), ("b", "hub", "b.t"), ("all", "", "c")}
    assert not result.facts


@pytest.mark.parametrize(
    ("availability", "topic", "payload", "said"),
    [
        ({"avty_t": "mast/there"}, "mast/there", "online", ["online"]),
        ({"availability_topic": "mast/there"}, "mast/there", "offline", ["offline"]),
        ({"avty": {"t": "mast/there", "pl_avail": "up", "pl_not_avail": "down"}}, "mast/there", "down", ["offline"]),
        ({"availability": [{"topic": "mast/there", "value_template": "{{ value_json.state }}"}]}, "mast/there",
         '{"state": "online"}', ["online"]),
        ({"availability_topic": "mast/there", "availability_template": "{{ value_json.ok }}",
          "payload_available": True, "payload_not_available": False}, "mast/there", '{"ok": false}', ["offline"]),
        ({"avty_t": "mast/there"}, "mast/there", "perhaps", []),
    ],
)  # fmt: skip
def test_availability_is_said_on_topics_of_its_own(
    availability: dict[str, Any], topic: str, payload: str, said: list[str]
) -> None:
    memory = known(sensor("t", state_topic="mast/t", **availability))
    result = say(memory, topic, payload)
    assert [one.availability for one in result.availability if one.device.identifier == "st-9"] == said
    assert not said or not result.readings


@pytest.mark.parametrize(
    ("mode", "messages", "last"),
    [
        ("latest", [("a", "offline"), ("b", "online")], "online"),
        ("all", [("a", "offline"), ("b", "online")], None),
        ("all", [("a", "offline"), ("b", "online"), ("a", "online")], "online"),
        ("all", [("a", "online"), ("b", "offline")], "offline"),
        ("any", [("a", "online"), ("b", "offline")], None),
        ("any", [("b", "offline"), ("a", "offline")], "offline"),
    ],
)
def test_several_availability_topics_count_by_their_mode(
    mode: str, messages: list[tuple[str, str]], last: str | None
) -> None:
    topics = [{"topic": "mast/x/a"}, {"topic": "mast/x/b"}]
    memory = known(sensor("t", state_topic="mast/t", availability=topics, availability_mode=mode))
    for name, payload in messages:
        result = say(memory, f"mast/x/{name}", payload)
    assert next((one.availability for one in result.availability), None) == last


def test_a_state_is_a_state_although_its_topic_looks_like_something_else() -> None:
    memory = known(
        ("homeassistant/binary_sensor/link/config",
         {"device": DEVICE, "state_topic": "mast/status", "payload_on": "online", "payload_off": "offline"}),
        sensor("n", state_topic="mast/3/get", unit_of_measurement="A"),
    )  # fmt: skip
    link = say(memory, "mast/status", "offline")
    assert (told(link), [one.value for one in link.readings], link.availability) == ({"st-9"}, [0.0], [])
    assert [(one.value, one.unit) for one in say(memory, "mast/3/get", "4").readings] == [(4.0, "A")]


def test_what_is_written_to_a_device_is_no_reading_of_it() -> None:
    config = {"~": "house", "stat_t": "~/robot", "cmd_t": "~/robot/do", "set_fan_spd_t": "~/robot/fan", "uniq_id": "r1"}
    memory = known(
        ("homeassistant/vacuum/r1/config", config),
        ("homeassistant/light/l1/config", {"state_topic": "lamp/switch", "command_topic": "lamp/switch"}),
    )
    assert values(say(memory, "house/robot", {"state": "docked"}))
    for topic in ("house/robot/do", "house/robot/fan"):
        assert not say(memory, topic, "start").readings
    assert values(say(memory, "lamp/switch", "ON"))  # its state comes where it is told


def test_a_device_is_told_at_once_and_gets_no_row_before_it_sends() -> None:
    topic, config = sensor("t", state_topic="mast/t")
    (facts,) = say(Memory(), topic, config).facts
    assert (facts.device.identifier, facts.announces) == ("st-9", False)


def test_other_configurations_are_left_alone() -> None:
    assert decoded("x/sensor/y/config", '{"interval": 5}').decoder == "ignored"
    assert decoded("x/y/z/config", '{"state_topic": "a"}').decoder == "ignored"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ value }}", "7"),
        ("{{ value | int }}", 7),
        ("{{ value_json.a.b[1] }}", 5),
        ("{{ value_json['a']['b'][0] }}", 4),
        ("{{ value_json.a.none }}", MISSING),
        ("{{ value_json.a.b[9] }}", MISSING),
        ("{{ -value_json.n }}", -3),
        ("{{ 2 + 3 * value_json.n - 4 / 2 }}", 9.0),
        ("{{ value_json.n / 0 }}", MISSING),
        ("{{ value_json.s * 3 }}", MISSING),
        ("{{ value_json.n | round(0, 'floor') }}", 3.0),
        ("{{ value_json.s | default('x') }}", "word"),
        ("{{ value_json.q | default(default='x') }}", "x"),
        ("{{ value_json.n | multiply(2) | add(-1) }}", 5),
        ("{{ value_json.n == 3 }}", True),
        ("{{ value_json.n >= 4 }}", False),
        ("{{ value_json.q == 3 }}", MISSING),
        ("{{ 'on' if value_json.n != 3 else 'off' if value_json.t else 'none' }}", "off"),
        ("{{ value_json.t | iif('yes', 'no') }}", "yes"),
        ("{{ value_json.s | float }}", MISSING),
        ("{{ value_json.s | float(0) }}", 0),
    ],
)
def test_templates_give_what_jinja_would(source: str, value: Any) -> None:
    found = Template(source)
    assert found.reason == ""
    assert found.value({"a": {"b": [4, 5]}, "n": 3, "s": "word", "t": True}, "7") == value


@pytest.mark.parametrize(
    "source",
    [
        "{{ value_json.__class__() }}", "{{ states('sensor.x') }}", "{{ value_json.x.get('y') }}", "{{ 9 ** 9 ** 9 }}",
        "{{ range(9) }}", "{% set x = 1 %}{{ x }}", "{{ value | regex_replace('a', 'b') }}", "{{ value_json.x }} V",
        "{{ value_json.x ~ 'y' }}", "{{ [1, 2] }}", "{{ value_json[value] }}", "{{", "", "{{ }}", "{{ value_json. }}",
        "{{ value | round( }}", "{{" + "(" * 400 + "}}", "{{ 'a' * 999999999 }}x", "{{ now() }}", "{{ value_json.x[ }}",
    ],
)  # fmt: skip
def test_what_is_beyond_the_safe_part_is_left_out_with_a_reason(source: str) -> None:
    found = Template(source)
    assert found.reason
    assert found.value({"x": 1}, "1") is MISSING


@given(
    st.lists(
        st.sampled_from(
            ["value", "value_json", ".a", "[0]", "['b']", "|", "float", "round", "(", ")", "1", "'x'", "+", "-", "*",
             "/", "==", "if", "else", "default", ",", "int", " ", "=", "true", "bool"]
        ),
        max_size=40,
    )
)  # fmt: skip
def test_any_template_is_evaluated_or_left_out(words: list[str]) -> None:
    found = Template("{{ " + " ".join(words) + " }}")
    found.value({"a": {"b": [1, "x", None]}, "b": 5}, "5")


@given(
    DOCUMENTS,
    st.sampled_from(
        ["", "value", "value_json.value", "value_json.id | round", "value_json.ts * 2", "value_json.data[0]"]
    ),
    st.sampled_from(["a/b", "tele/plug/SENSOR", "a/b/state", "a/set"]),
)
def test_any_json_is_enriched_or_undecodable(document: Any, template: str, topic: str) -> None:
    keys = {"state_topic": topic, "unit_of_measurement": "V", "payload_on": "x", "availability_topic": topic}
    memory = known(sensor("a", value_template=f"{{{{ {template} }}}}", **keys), sensor("b", **keys))
    check(topic, json.dumps(document).encode(), memory)


def test_hostile_discovery_is_survived() -> None:
    memory = Memory()
    for config in (
        {"dev": {"ids": [{}, None, "x\0y"]}, "stat_t": "a\0b"},
        {"dev": [], "stat_t": 5, "~": {}},
        {"dev": {"ids": {}, "cns": [[1], "x", ["mac", None]]}, "stat_t": "x" * 3000},
        {"cmps": {"a": 5, "b": {"p": ["x"], "stat_t": ["y"]}}, "dev": {"ids": []}},
        {"stat_t": "a/b", "val_tpl": {"x": 1}, "expire_after": True, "avty": [5, {"t": 7}], "avty_mode": []},
        {"stat_t": "homeassistant/sensor/x/config", "dev": {"ids": "x"}},
    ):
        for topic in ("homeassistant/sensor/x/config", "homeassistant/device/x/config"):
            result = say(memory, topic, config)
            assert not result.readings
            json.dumps([said.data for said in result.announcements])
    assert say(memory, "a/b", '{"x": 1}').readings


@pytest.mark.parametrize("payload", ["None", "unknown"])
def test_a_number_that_is_not_known_now_is_no_text(payload: str) -> None:
    memory = known(
        sensor("temp", state_topic="mast/temp", unit_of_measurement="°C"),
        sensor("note", state_topic="mast/note"),
    )
    assert say(memory, "mast/temp", payload).readings == []
    assert told(say(memory, "mast/temp", "21.5")) == {"st-9"}


def test_the_colour_of_a_light_is_told_on_a_topic_of_its_own() -> None:
    light = {"device": DEVICE, "unique_id": "lamp", "stat_t": "mast/lamp", "rgb_stat_t": "mast/lamp/rgb",
             "fx_stat_t": "mast/lamp/fx"}  # fmt: skip
    memory = known(("homeassistant/light/lamp/config", light))
    for topic, payload in (("mast/lamp/rgb", "255,120,0"), ("mast/lamp/fx", "blink")):
        result = say(memory, topic, payload)
        assert told(result) == {"st-9"}
        assert [one.text for one in result.readings] == [payload]


def test_what_the_state_says_is_not_told_twice() -> None:
    light = {"device": DEVICE, "unique_id": "lamp", "stat_t": "mast/lamp", "val_tpl": "{{ value_json.state }}",
             "rgb_stat_t": "mast/lamp", "rgb_val_tpl": "{{ value_json.rgb | join(',') }}"}  # fmt: skip
    memory = known(("homeassistant/light/lamp/config", light))
    result = say(memory, "mast/lamp", {"state": "ON", "rgb": [255, 120, 0]})
    assert values(result) == {"state": 1.0, "rgb.0": 255.0, "rgb.1": 120.0, "rgb.2": 0.0}
