"""ThingsBoard, AWS IoT shadows, Azure IoT Hub."""

import json
from typing import Any

import pytest

from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values

TS = 1_772_359_200_000
AT_US = TS * 1000


def said(topic: str, found: Any) -> Decoded:
    return decoded(topic, json.dumps(found))


def test_thingsboard_gateways_name_their_devices_by_keys() -> None:
    rows = [{"ts": TS, "values": {"temperature_c": 4, "on": True}}, {"ts": TS + 1000, "values": {"temperature_c": 5}}]
    result = said("v1/gateway/telemetry", {"Cold room": rows, "Hall": {"level": 3}, "Broken": 7})
    found = [(one.device.key, one.device.identifier, one.name, one.value, one.time_us) for one in result.readings]
    assert found == [
        ("v1/gateway#Cold room", "Cold room", "temperature_c", 4.0, AT_US),
        ("v1/gateway#Cold room", "Cold room", "on", 1.0, AT_US),
        ("v1/gateway#Cold room", "Cold room", "temperature_c", 5.0, AT_US + 1_000_000),
        ("v1/gateway#Hall", "Hall", "level", 3.0, None),
    ]


@pytest.mark.parametrize(("what", "availability"), [("connect", "online"), ("disconnect", "offline")])
def test_thingsboard_devices_come_and_go(what: str, availability: str) -> None:
    (one,) = said(f"v1/gateway/{what}", {"device": "Hall", "type": "default"}).availability
    assert (one.device.identifier, one.availability, one.announces) == ("Hall", availability, True)


@pytest.mark.parametrize(
    ("payload", "time_us"),
    [
        ({"level": 3, "state": {"mode": "auto"}}, None),
        ([{"level": 3}, {"state": {"mode": "auto"}}], None),
        ({"ts": TS, "values": {"level": 3, "state": {"mode": "auto"}}}, AT_US),
        ([{"ts": TS, "values": {"level": 3}}, {"ts": TS, "values": {"state": {"mode": "auto"}}}], AT_US),
    ],
)
@pytest.mark.parametrize("topic", ["v1/devices/me/telemetry", "v2/t"])
def test_thingsboard_devices_that_only_their_login_names(topic: str, payload: Any, time_us: int | None) -> None:
    result = said(topic, payload)
    assert values(result) == {"level": 3.0, "state.mode": "auto"}
    assert {one.time_us for one in result.readings} == {time_us}
    assert result.readings[0].device.identifier == topic.rpartition("/")[0]


def test_thingsboard_attributes_are_facts_and_requests_nothing() -> None:
    result = said("v1/gateway/attributes", {"Hall": {"fw_version": "2", "room": 5, "nested": {}}})
    assert [fact.facts for fact in result.facts] == [{"firmware": "2", "room": 5}]
    assert said("v1/devices/me/attributes", {"model": "x"}).facts[0].facts == {"model": "x"}
    for topic, found in [
        ("v1/gateway/attributes", {"device": "Hall", "data": {"room": 5}}),
        ("v1/gateway/rpc", {"device": "Hall", "data": {"id": 1, "method": "set"}}),
        ("v1/devices/me/rpc/request/1", {"method": "set", "params": 3}),
        ("v1/devices/me/attributes/request/1", {"clientKeys": "a"}),
    ]:
        assert said(topic, found) == Decoded("thingsboard")


def test_a_shadow_is_what_is_reported_at_the_time_of_its_metadata() -> None:
    reported = {"temperature_c": 4, "io": {"pump": True}, "list": [1, 2]}
    stamps = {"temperature_c": {"timestamp": TS // 1000}, "io": {"pump": {"timestamp": TS // 1000 + 1}},
              "list": [{"timestamp": TS // 1000 + 2}, {}]}  # fmt: skip
    whole = {"state": {"reported": reported, "desired": {"temperature_c": 9}}, "metadata": {"reported": stamps},
             "timestamp": TS // 1000 + 9, "version": 4}  # fmt: skip
    result = said("$aws/things/pump-1/shadow/get/accepted", whole)
    found = {one.name: ((one.time_us or 0) - AT_US) // 1_000_000 for one in result.readings}
    assert found == {"temperature_c": 0, "io.pump": 1, "list.0": 2, "list.1": 9}
    assert result.readings[0].device == ("$aws/things/pump-1", "pump-1", "", "")
    documents = said("$aws/things/pump-1/shadow/update/documents", {"previous": {}, "current": whole, "timestamp": 5})
    assert documents.readings == result.readings


def test_named_shadows_are_kept_apart() -> None:
    result = said("$aws/things/pump-1/shadow/name/motor/update", {"state": {"reported": {"rpm": 900}}})
    assert result.readings[0].device == ("$aws/things/pump-1#motor", "pump-1", "", "")


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("update", {"state": {"desired": {"rpm": 3}}}),
        ("update/delta", {"state": {"rpm": 3}, "metadata": {"rpm": {"timestamp": 5}}}),
        ("update/rejected", {"code": 400, "message": "no"}),
        ("get", {}),
        ("delete/accepted", {"version": 3}),
    ],
)
def test_intents_and_answers_of_shadows_are_no_readings(what: str, found: Any) -> None:
    assert said(f"$aws/things/pump-1/shadow/{what}", found) == Decoded("aws-shadow")
    assert decoded("$aws/things/pump-1/shadow/get", "") == Decoded("aws-shadow")


def test_presence_is_of_the_thing_with_the_name_of_the_client() -> None:
    (one,) = said("$aws/events/presence/disconnected/pump-1", {"clientId": "pump-1", "timestamp": TS}).availability
    assert (one.device.key, one.availability, one.announces) == ("$aws/things/pump-1", "offline", False)


def test_azure_devices_stand_in_the_topic_with_properties_behind_it() -> None:
    created = "iothub-creation-time-utc=2026-03-01T10%3A00%3A00Z"
    result = said(f"devices/press-4/messages/events/$.ct=application%2Fjson&{created}", {"load_kg": 3, "ok": True})
    assert values(result) == {"load_kg": 3.0, "ok": 1.0}
    assert {one.time_us for one in result.readings} == {AT_US}
    assert result.readings[0].device == ("devices/press-4", "press-4", "", "")
    several = said("devices/press-4/modules/edge/messages/events/", [{"a": 1}, {"b": 2}, 7])
    assert values(several) == {"a": 1.0, "b": 2.0}
    assert several.readings[0].device.identifier == "press-4/edge"
    assert values(decoded("devices/press-4/messages/events/", "21.5")) == {"value": 21.5}


def test_azure_commands_methods_and_desired_properties_are_left_alone() -> None:
    for topic in ("devices/press-4/messages/devicebound/x", "$iothub/methods/POST/reboot/?$rid=1",
                  "$iothub/twin/PATCH/properties/desired/?$version=3"):  # fmt: skip
        assert said(topic, {"level": 3}) == Decoded("azure")
    twin = said("$iothub/twin/PATCH/properties/reported/?$rid=1", {"level": 3, "$version": 4})
    assert values(twin) == {"level": 3.0}


@pytest.mark.parametrize("broken", [None, 3, "x", [], {}, [[1]], {"a": None}, {"device": 3}, {"state": []}, True])
def test_broken_envelopes_raise_nothing_else(broken: Any) -> None:
    topics = ["v1/gateway/telemetry", "v1/gateway/attributes", "v1/gateway/connect", "v1/devices/me/telemetry", "v2/a",
              "$aws/things/t/shadow/update", "$aws/things/t/shadow/update/documents", "devices/d/messages/events/",
              "$iothub/twin/PATCH/properties/reported"]  # fmt: skip
    for topic in topics:
        for found in (broken, {"x": broken}, {"state": {"reported": broken}, "metadata": {"reported": broken}}):
            try:
                said(topic, found)
            except UndecodableError:
                continue


def test_too_many_values_are_refused() -> None:
    rows = [{"ts": TS + number, "values": {"a": 1, "b": 2}} for number in range(1500)]
    with pytest.raises(UndecodableError, match="too_many_values"):
        said("v1/devices/me/telemetry", rows)
    with pytest.raises(UndecodableError, match="too_many_values"):
        said("devices/d/messages/events/", [{"a": 1, "b": 2}] * 1500)
