import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt import reasons
from mqtt.decoders import registry
from mqtt.decoders.base import BINARY, Content
from mqtt.decoders.corpus.lines import Line, read
from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import NOW, decoded, message, values

TOPICS = st.sampled_from(
    ["a/b/c", "x", "site/gateway/1/dataloggers/telemetry", "site/gateway/1/status", "d/LWT", "a/b/state", "/", "a//b",
     "site/gateway/1/datalogger/all/status", "zigbee2mqtt/bridge/state", "d/online",
     "spBv1.0/g/NDATA/n", "spBv1.0/g/NBIRTH/n", "STATE/h", "v3/a@t/devices/d/up", "a/devices/d/up",
     "application/1/device/0102030405060708/event/up", "gateway/0102030405060708/state/conn", "v1/gateway/telemetry",
     "v1/devices/me/attributes", "$aws/things/t/shadow/update", "devices/d/messages/events/", "umh/v1/a/_historian/b",
     "cs/v2/data/a", "/neuron/a/state/update",
     "tele/plug/SENSOR", "stat/plug/RESULT", "tele/plug/STATE", "stat/plug/STATUS8", "tele/plug/LWT", "tele/plug/INFO1",
     "tasmota/discovery/AABBCC/config", "tasmota/discovery/AABBCC/sensors", "obkA1B2C3D4/1/get", "zigbee2mqtt/x",
     "zigbee2mqtt/bridge/devices", "zigbee2mqtt/bridge/info", "zigbee2mqtt/bridge/event", "homie/a/n/p",
     "shellies/a/info", "homie/5/a/$description", "homie/a/$state", "shellies/a/light/0/status", "a/events/rpc",
     "a/status/switch:0", "a/rpc",
     "home/gw/BTtoMQTT/AABBCCDDEEFF", "home/gw/SYStoMQTT", "rtl_433/h/events", "rtl_433/h/devices/m/1/temperature_C",
     "N/p/battery/0/Soc", "owntracks/a/b", "ruuvi/a/b",
     "homeassistant/sensor/x/config", "homeassistant/device/x/config", "homeassistant/sensor/x/state",
     "evcc/site/pvPower", "deye/ac/freq", "solar/116181234567/0/power", "inverter/x/ch0/P_AC", "dsmr/reading/x",
     "zwave/n/49/0/Air temperature", "zwave/n/status", "msh/EU/2/json/c/!a1", "weather/loop",
     "homeassistant/status", "node/sensor/x/state", "node/climate/x/mode/state", "esphome/discover/node"]
)  # fmt: skip
KEYS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["value", "unit", "ts", "time", "id", "data", "type", "dataloggers", "devices", "state", "rssi",
                     "serial_number_device", "status_datalogger", "level_unit", "devEUI", "rxInfo", "uplink_message",
                     "deviceInfo", "object", "bn", "n", "v", "head", "properties", "node", "group",
                     "values", "tags", "states", "reported", "ts"]),
    st.sampled_from(["Time", "Epoch", "StatusSNS", "StatusSTS", "ZbReceived", "Device", "MAC", "ATC-7fc1e1", "IBEACON",
                     "ENERGY", "TempUnit", "DeepSleep", "Wifi", "t", "tp", "ft", "sn"]),
    st.sampled_from(["src", "method", "result", "params", "model", "battery_ok", "_type", "gw_mac", "ident",
                     "timestamp", "nodes", "exposes", "definition"]),
    st.sampled_from(["PASSKEY", "dateutc", "stationtype", "dateTime", "usUnits", "tempf", "from", "payload", "sender"]),
    st.sampled_from(["dev", "ids", "cns", "stat_t", "val_tpl", "avty", "cmps", "~", "expire_after", "via_device"]),
)  # fmt: skip
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=30,
)


def check(topic: str, payload: bytes, memory: Memory | None = None) -> None:
    """Decoding ends with storable readings or with the one error, and the error has a sentence."""
    try:
        result = decoded(topic, payload, memory=memory)
    except UndecodableError as error:
        sentence = reasons.explain(error.code, error.context)
        if sentence == error.code or "%(" in sentence:
            pytest.fail(f"no sentence for {error.code}")
        return
    for reading in result.readings:
        assert (reading.value is None) != (reading.text is None)
        assert reading.value is None or abs(reading.value) < float("inf")
        assert "\0" not in f"{reading.text}{reading.name}{reading.unit}"
        assert 0 < len(reading.name) <= 250
        assert len(reading.unit) <= 40
        f"{reading.text}{reading.name}{reading.unit}{reading.device}".encode()
    for fact in result.facts:
        json.dumps(fact.facts, allow_nan=False).encode()
        assert "\\u0000" not in json.dumps(fact.facts)


@given(TOPICS, st.binary(max_size=200))
def test_any_bytes_decode_or_are_undecodable(topic: str, payload: bytes) -> None:
    check(topic, payload)


@settings(max_examples=300)
@given(TOPICS, DOCUMENTS, st.booleans())
def test_any_json_decodes_or_is_undecodable(topic: str, document: Any, ascii_only: bool) -> None:
    check(topic, json.dumps(document, ensure_ascii=ascii_only).encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    ("topic", "payload", "value"),
    [
        ("a/b/temp", "21.5", 21.5),
        ("a/b/temp", " -3 \n", -3.0),
        ("a/b/door", "ON", 1.0),
        ("a/b/door", "false", 0.0),
        ("a/b/fan_mode", "off", "off"),
        ("a/b/word", '"windy"', "windy"),
        ("a/b/word", "<b>{{ x }}</b>", "<b>{{ x }}</b>"),
        ("a/b/clock", "14:36", "14:36"),
    ],
)
def test_a_scalar_belongs_to_the_topic_before_it(topic: str, payload: str, value: float | str) -> None:
    result = decoded(topic, payload)
    assert values(result) == {topic.rsplit("/", 1)[1]: value}
    assert result.readings[0].device[:2] == ("a/b", "b")


def test_a_scalar_on_a_single_level_is_its_own_device() -> None:
    (reading,) = decoded("temperature", "21.5").readings
    assert (reading.device.key, reading.name) == ("temperature", "value")


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("tele/plug/LWT", "Online", "online"),
        ("tele/plug/LWT", "Offline", "offline"),
        ("shellies/s1/online", "false", "offline"),
        ("z/lamp/availability", '{"state":"online"}', "online"),
        ("d/1/status", '{"status":"offline"}', "offline"),
        ("d/1/connected", "1", "online"),
    ],
)
def test_availability_topics_tell_of_the_device_before_them(topic: str, payload: str, said: str) -> None:
    result = decoded(topic, payload)
    assert not result.readings
    (availability,) = result.availability
    assert (availability.device.key, availability.availability) == (topic.rsplit("/", 1)[0], said)


@pytest.mark.parametrize(
    ("topic", "payload"), [("lamp/1/state", "ON"), ("lamp/1/state", "1"), ("d/1/status", '{"status": 3, "level": 1}')]
)
def test_a_switch_position_is_no_availability(topic: str, payload: str) -> None:
    result = decoded(topic, payload)
    assert not result.availability
    assert result.readings


def test_a_bridge_takes_its_devices_down_and_leaves_them_to_come_back() -> None:
    (said,) = decoded("radio/bridge/state", '{"state":"offline"}').availability
    assert (said.device.key, said.availability) == ("radio", Availability.OFFLINE)
    assert not decoded("radio/bridge/state", '{"state":"online"}').availability


@pytest.mark.parametrize(
    "topic",
    ["$SYS/broker/uptime", "vedetta/vedetta-1/status", "cmnd/plug/POWER", "z/lamp/set", "z/lamp/get", "a/command",
     "zigbee2mqtt/bridge/request/permit_join", "zigbee2mqtt/bridge/devices", "homeassistant/sensor/x/config",
     "homie/dev/$state", "homie/dev/node/$name"],
)  # fmt: skip
def test_commands_requests_and_announcements_carry_no_readings(topic: str) -> None:
    result = decoded(topic, '{"temperature": 21.5}')
    assert (result.readings, result.availability) == ([], [])


def test_a_value_and_its_unit_in_topics_of_their_own() -> None:
    memory = Memory()
    assert decoded("box/status/level/unit", "m", memory=memory).readings == []
    (reading,) = decoded("box/status/level/value", "3", memory=memory).readings
    assert (reading.device[:2], reading.name, reading.unit) == (("box/status", "box"), "level", "m")
    assert values(decoded("a/b/unit", "17")) == {"unit": 17.0}


def test_espeasy_puts_the_task_between_unit_and_value() -> None:
    (reading,) = decoded("/shed/climate/Humidity", "40").readings
    assert (reading.device[:2], reading.name, reading.kind) == (("/shed", "shed"), "climate.Humidity", "humidity")


def test_a_person_may_choose_the_decoder() -> None:
    assert decoded("z/lamp/set", '{"level": 3}', chosen="json").readings
    assert decoded("a/b", '{"level": 3}', chosen="unknown name").decoder == "json"


class Failing:
    name = "failing"

    def knows_topic(self, topic: str) -> bool:
        return topic.startswith("failing/")

    def claims(self, _content: Content) -> bool:
        return True

    def decode(self, _content: Content) -> Decoded:
        raise ZeroDivisionError


def test_a_decoder_that_raises_is_logged_once_and_the_general_one_takes_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "DECODERS", (Failing(), *registry.DECODERS))
    monkeypatch.setattr(registry, "_reported", set())
    registry.candidates.cache_clear()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert registry.decode(message("failing/x", '{"level": 3}'), Memory()).decoder == "json"
    registry.candidates.cache_clear()
    assert [record.exc_info is not None for record in caplog.records] == [True]


FILES = sorted((Path(__file__).parents[1] / "corpus").glob("*.jsonl"))
CORPUS = read((line for file in FILES for line in file.read_bytes().splitlines()), NOW)


@pytest.mark.parametrize("line", list(CORPUS.lines.values()), ids=lambda line: line.id)
def test_what_a_keyed_family_claims_has_one_of_its_marks(line: Line) -> None:
    content = Content(line.message, Memory())
    for decoder in registry.BY_KEYS:
        assert not decoder.claims(content) or not decoder.marks.isdisjoint(content.marks)


def test_marks_are_the_keys_of_the_first_object() -> None:
    def marks(payload: bytes) -> set[str]:
        return set(Content(message("a", payload), Memory()).marks)

    assert marks(b'{"a": 1}') == marks(b'[{"a": 1}, {"b": 2}]') == {"a"}
    assert marks(b"[]") == marks(b"[1]") == marks(b"3") == marks(b"") == marks(b"[{") == set()
    assert marks(b"\x81\xa1") == {BINARY}


def test_broken_json_is_read_once() -> None:
    content = Content(message("a", '{"a": '), Memory())
    assert content.object is None
    with pytest.raises(UndecodableError) as first:
        _ = content.document
    with pytest.raises(UndecodableError) as second:
        _ = content.document
    assert first.value is second.value


def test_topics_of_ordinary_devices_share_who_may_take_them() -> None:
    """A hundred thousand topics are remembered; each with a list of its own would take hundreds of megabytes."""
    one, other = (registry.candidates(f"hall/box{number}/temperature") for number in range(2))
    assert one is other
    assert one.others(is_structure=True, is_marked=False)[-1] == (registry.GENERAL[-1], None)


def test_who_is_asked_depends_on_how_a_message_begins_and_on_its_keys() -> None:
    choice = registry.candidates("hall/box/anything")
    asked = {
        (is_structure, is_marked): {
            one.name for one, _ in choice.others(is_structure=is_structure, is_marked=is_marked)
        }
        for is_structure in (True, False)
        for is_marked in (True, False)
    }
    assert asked[True, True] - asked[True, False] == {one.name for one in registry.BY_KEYS}
    assert asked[False, False] - asked[True, False] == {one.name for one in registry.NO_STRUCTURES}
    assert asked[False, True] == asked[True, True] | asked[False, False]
