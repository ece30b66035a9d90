"""LoRaWAN servers: The Things Stack, TTN v2, ChirpStack, gateways with its older JSON, AWS."""

import base64
import json
from typing import Any

import pytest

from mqtt.decoders.lorawan.chirpstack import battery
from mqtt.decoders.lorawan.chirpstack_protobuf import CLASSES
from mqtt.decoders.vocabulary import words
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values

AT = "2026-03-01T10:00:00.5Z"
AT_US = 1_772_359_200_500_000
EUI = "a84041000181c0de"
V4 = f"application/7/device/{EUI}/event"
V3_TTS = "v3/farm@acme/devices/probe-1"


def said(topic: str, found: Any, **more: Any) -> Decoded:
    return decoded(topic, json.dumps(found), **more)


def facts(result: Decoded) -> dict[str, Any]:
    return {name: value for one in result.facts for name, value in one.facts.items()}


def uplink(**message: Any) -> dict[str, Any]:
    heard = [
        {"gateway_ids": {"gateway_id": "roof"}, "rssi": -110, "snr": -3.5, "time": "1970-01-01T00:00:00Z"},
        {"gateway_ids": {"gateway_id": "barn", "eui": "00"}, "rssi": -70, "snr": 9, "time": AT, "timestamp": 12345},
    ]
    ids = {"device_id": "probe-1", "dev_eui": EUI.upper()}
    return {"end_device_ids": ids, "received_at": AT, "uplink_message": {"rx_metadata": heard, "f_port": 2, **message}}


def test_things_stack_readings_are_the_decoded_payload_behind_the_best_gateway() -> None:
    measured = {"temperature": 21.5, "soil": {"moisture_pct": 33}, "door": "open", "battery": 3.1}
    versions = {"brand_id": "acme", "model_id": "p1", "firmware_version": "1.2"}
    result = said(f"{V3_TTS}/up", uplink(decoded_payload=measured, version_ids=versions, frm_payload="AQ=="))
    assert values(result) == {"temperature": 21.5, "soil.moisture_pct": 33.0, "door": "open", "battery": 3.1}
    assert [one.unit for one in result.readings] == ["°C", "%", "", ""]
    assert {one.time_us for one in result.readings} == {AT_US}
    assert {one.device for one in result.readings} == {(V3_TTS, "probe-1", "v3#barn", "barn")}
    assert facts(result) == {
        "dev_eui": EUI.upper(), "rssi": -70, "snr": 9, "manufacturer": "acme", "model": "p1", "firmware": "1.2"
    }  # fmt: skip
    assert [(one.device.key, one.is_gateway) for one in result.availability] == [("v3#barn", True)]


def test_things_stack_normalized_payload_has_the_units_of_its_schema() -> None:
    measured = [{"time": "2026-03-01T09:00:00Z", "air": {"temperature": 4, "pressure": 990}, "soil": {"ec": 0.3}}]
    result = said(f"{V3_TTS}/up", uplink(normalized_payload=measured))
    assert [(one.name, one.unit) for one in result.readings] == [
        ("air.temperature", "°C"), ("air.pressure", "hPa"), ("soil.ec", "dS/m")
    ]  # fmt: skip
    assert {one.time_us for one in result.readings} == {AT_US - 3600_500_000}


def test_a_frame_without_codec_shows_the_device_and_invents_no_readings() -> None:
    result = said(f"{V3_TTS}/up", uplink(frm_payload="VGVtcD0x"))
    assert not result.readings
    assert result.facts[0].announces
    assert [(one.device.identifier, one.availability) for one in result.availability] == [
        ("probe-1", "online"), ("barn", "online")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "what", ["down/push", "down/queued", "down/failed", "down/ack", "service/data", "up/normalized"]
)
def test_what_goes_down_is_no_reading(what: str) -> None:
    result = said(f"{V3_TTS}/{what}", {"downlinks": [{"f_port": 1, "decoded_payload": {"valve": 1}}]})
    assert result == Decoded("things-stack")


def test_joins_announce_and_solved_locations_are_positions() -> None:
    join = said(f"{V3_TTS}/join", {"end_device_ids": {"dev_eui": EUI}, "join_accept": {}})
    assert (facts(join), join.facts[0].announces) == ({"dev_eui": EUI}, True)
    where = {"latitude": 45.5, "longitude": 9.2, "accuracy": 30, "source": "SOURCE_LORA_RSSI_GEOLOCATION"}
    solved = said(f"{V3_TTS}/location/solved", {"received_at": AT, "location_solved": {"location": where}})
    assert values(solved) == {"location.latitude": 45.5, "location.longitude": 9.2}
    assert {one.unit for one in solved.readings} == {"°"}


def test_ttn_v2_is_known_by_its_envelope() -> None:
    heard = [{"gtw_id": "eui-1", "rssi": -99, "snr": 3}]
    found = {"app_id": "farm", "dev_id": "probe", "hardware_serial": "AA", "payload_raw": "AQ=="}
    found |= {"payload_fields": {"temperature_1": 3.5, "luminosity_2": 40}, "metadata": {"time": AT, "gateways": heard}}
    result = said("farm/devices/probe/up", found)
    assert [(one.name, one.unit) for one in result.readings] == [("temperature_1", "°C"), ("luminosity_2", "lx")]
    assert result.readings[0].device == ("farm/devices/probe", "probe", "ttn#eui-1", "eui-1")
    assert said("farm/devices/probe/up", {"temperature": 1}).decoder == "json"


def chirpstack(**fields: Any) -> dict[str, Any]:
    info = {"deviceName": "Cellar", "deviceProfileName": "EM300", "devEui": EUI, "tags": {"room": "2"}}
    heard = [{"gatewayId": "0016c001f1000001", "rssi": -36, "snr": 10.5, "location": {"latitude": 0}}]
    return {
        "deduplicationId": "d",
        "time": AT,
        "deviceInfo": info,
        "rxInfo": heard,
        "fPort": 85,
        "data": "AQ==",
        **fields,
    }


def test_chirpstack_readings_are_the_codecs_object() -> None:
    measured = {"temperatureSensor": {"1": 21.5}, "humiditySensor": {"2": 55}, "co2": 420, "on": True}
    result = said(f"{V4}/up", chirpstack(object=measured))
    assert [(one.name, one.value, one.unit) for one in result.readings] == [
        ("temperatureSensor.1", 21.5, "°C"), ("humiditySensor.2", 55.0, "%"), ("co2", 420.0, "ppm"), ("on", 1.0, "")
    ]  # fmt: skip
    device = (f"application/7/device/{EUI}", EUI, "gateway/0016c001f1000001", "0016c001f1000001")
    assert {one.device for one in result.readings} == {device}
    assert {one.time_us for one in result.readings} == {AT_US}
    assert facts(result) == {"name": "Cellar", "model": "EM300", "rssi": -36, "snr": 10.5}


def test_chirpstack_status_brings_margin_and_battery_where_it_is_known() -> None:
    result = said(f"{V4}/status", chirpstack(margin=7, batteryLevel=88.5, rxInfo=[]))
    assert [(one.name, one.unit) for one in result.readings] == [("margin", "dB"), ("batteryLevel", "%")]
    on_mains = chirpstack(margin=7, batteryLevel=0, batteryLevelUnavailable=True)
    assert values(said(f"{V4}/status", on_mains)) == {"margin": 7.0}


@pytest.mark.parametrize("what", ["ack", "txack", "log"])
def test_chirpstack_events_of_downlinks_measure_nothing(what: str) -> None:
    result = said(f"{V4}/{what}", chirpstack(level="ERROR", fCntDown=3, acknowledged=True))
    assert (result.readings, result.availability, facts(result)["name"]) == ([], [], "Cellar")


def test_chirpstack_commands_are_left_alone() -> None:
    for topic in (f"application/7/device/{EUI}/command/down", "eu868/gateway/0016c001f1000001/command/down"):
        assert said(topic, {"devEui": EUI, "fPort": 2, "data": "AQ=="}) == Decoded("chirpstack")


def test_chirpstack_locations_are_positions_unless_unknown() -> None:
    where = {"latitude": 45.5, "longitude": 9.25, "altitude": 120, "source": "GEO_RESOLVER_TDOA", "accuracy": 30}
    result = said(f"{V4}/location", chirpstack(location=where))
    assert values(result) == {"location.latitude": 45.5, "location.longitude": 9.25, "location.altitude": 120.0}
    assert not said(f"{V4}/location", chirpstack(location={"latitude": 0, "longitude": 0})).readings


def test_chirpstack_integrations_bring_what_is_measured() -> None:
    info = {"temp": {"value": 25, "timestamp": 1}, "voltage": {"value": 3.1}, "session": {"value": 3}, "rfu": None}
    modem = chirpstack(integrationName="loracloud", object={"info_fields": info, "fports": {"dmport": 199}})
    result = said(f"{V4}/integration", modem)
    assert [(one.name, one.unit, one.time_us) for one in result.readings] == [
        ("object.info_fields.voltage.value", "V", AT_US), ("object.info_fields.temp.value", "°C", AT_US)
    ]  # fmt: skip
    assert values(said(f"{V4}/integration", chirpstack(object={"level": 3}))) == {"object.level": 3.0}


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_chirpstack_3_in_its_two_ways_to_write(encoding: str) -> None:
    eui = EUI if encoding == "hex" else base64.b64encode(bytes.fromhex(EUI)).decode()
    gateway = "0303030303030303" if encoding == "hex" else "AwMDAwMDAwM="
    found = {"devEUI": eui, "deviceName": "Cellar", "applicationID": "7", "fPort": 5, "data": "AQ==",
             "deviceStatusBattery": 128, "deviceStatusMargin": 9, "adr": True,
             "rxInfo": [{"gatewayID": gateway, "time": AT, "rssi": -48, "loRaSNR": 9}]}  # fmt: skip
    measured = {"temperatureSensor": 25}
    found |= {"object": measured} if encoding == "hex" else {"objectJSON": json.dumps(measured)}
    result = said(f"application/7/device/{EUI}/event/up", found)
    assert values(result) == {"temperatureSensor": 25.0, "deviceStatusMargin": 9.0}
    device = result.readings[0].device
    assert (device.identifier, device.gateway_identifier) == (EUI, "0303030303030303")
    assert facts(result) == {"name": "Cellar", "rssi": -48, "snr": 9, "battery": 50.2}
    assert {one.time_us for one in result.readings} == {AT_US}


@pytest.mark.parametrize(
    ("level", "percent"), [(0, None), (1, 0.0), (254, 100.0), (255, None), ("x", None), (-3, None)]
)
def test_the_lorawan_battery_scale(level: Any, percent: float | None) -> None:
    assert battery(level) == percent


@pytest.mark.parametrize(("topic", "prefix"), [("gateway", ""), ("eu868/gateway", "")])
def test_gateways_say_whether_their_link_is_up(topic: str, prefix: str) -> None:
    for state, availability in (("ONLINE", "online"), ("OFFLINE", "offline")):
        (one,) = said(
            f"{topic}/0016c001f1000001/state/conn", {"gatewayId": "0016c001f1000001", "state": state}
        ).availability
        assert (one.device, one.availability, one.is_gateway) == (
            ("gateway/0016c001f1000001", "0016c001f1000001", "", ""), availability, True
        )  # fmt: skip
    assert not said(f"{topic}/0016c001f1000001/event/up", {"gatewayId": "0016c001f1000001", "rssi": 3}).readings


def event(what: str, **fields: Any) -> Any:
    message = CLASSES[what]()
    message.device_info.dev_eui, message.device_info.device_name = EUI.encode(), b"Cellar"
    message.time.seconds, message.time.nanos = 1_772_359_200, 500_000_000
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def test_chirpstack_protobuf_means_the_same_as_its_json() -> None:
    up = event("up")
    up.rx_info.add(gateway_id=b"0016c001f1000001", rssi=-36, snr=10.5)
    for name, value in (("temperature", {"number_value": 21.5}), ("on", {"bool_value": True}), ("x", {})):
        field = up.object.fields.add(key=name.encode())
        for kind, raw in value.items():
            setattr(field.value, kind, raw)
    inner = up.object.fields.add(key=b"list").value.list_value
    inner.values.add(string_value=b"windy")
    raw = decoded(f"{V4}/up", up.SerializeToString())
    same = chirpstack(object={"temperature": 21.5, "on": True, "x": None, "list": ["windy"]})
    assert raw.readings == said(f"{V4}/up", same).readings
    assert values(raw) == {"temperature": 21.5, "on": 1.0, "list.0": "windy"}
    assert values(decoded(f"{V4}/status", event("status", margin=-3, battery_level=0.1).SerializeToString())) == {
        "margin": -3.0, "batteryLevel": 0.1
    }  # fmt: skip
    where = event("location")
    where.location.latitude, where.location.longitude = 45.5, 9.25
    assert values(decoded(f"{V4}/location", where.SerializeToString()))["location.longitude"] == 9.25
    assert facts(decoded(f"{V4}/join", event("join").SerializeToString())) == {"name": "Cellar"}


def test_gateways_states_in_protobuf() -> None:
    state = CLASSES["conn"](gateway_id=b"0016c001f1000001", state=1).SerializeToString()
    (one,) = decoded("eu868/gateway/0016c001f1000001/state/conn", state).availability
    assert one.availability == "online"
    assert decoded("eu868/gateway/0016c001f1000001/event/up", b"\x0a\xff\x01") == Decoded("chirpstack")


def test_broken_and_bottomless_protobuf_is_refused() -> None:
    with pytest.raises(UndecodableError, match="not_protobuf"):
        decoded(f"{V4}/up", b"\x0a\xff\x01")
    deep = event("up")
    inner = deep.object
    for _ in range(40):
        inner = inner.fields.add(key=b"k").value.struct_value
    with pytest.raises(UndecodableError, match=r"too_deep|not_protobuf"):
        decoded(f"{V4}/up", deep.SerializeToString())
    wide = event("up")
    for _ in range(7000):
        wide.object.fields.add(key=b"k")
    with pytest.raises(UndecodableError, match="too_many_values"):
        decoded(f"{V4}/up", wide.SerializeToString())


def milesight(**fields: Any) -> dict[str, Any]:
    heard = [{"mac": "24e124fffef00001", "rssi": -51, "loRaSNR": 13.8, "time": AT, "altitude": 0, "latitude": 0}]
    envelope = {"devEUI": EUI, "deviceName": "TH", "applicationID": 1, "fPort": 85, "fCnt": 3, "data": "AQ=="}
    radio = {"adr": True, "frequency": 868100000}
    return envelope | {"rxInfo": heard, "time": AT, "txInfo": radio, "metadata": {"mqtt_topic": "t"}, **fields}


def test_a_gateway_with_the_older_json_is_known_by_its_keys_on_any_topic() -> None:
    result = said("my/own/topic", milesight())
    assert not result.readings
    (announced,) = result.facts
    assert announced.device == (f"my/own/topic#{EUI}", EUI, "gateway/24e124fffef00001", "24e124fffef00001")
    assert said(f"up/{EUI}", milesight()).facts[0].device.key == f"up/{EUI}"


def test_codec_values_beside_the_envelope_are_readings() -> None:
    found = milesight(gatewaySN="6438F392", gatewayTime="2026-03-01T18:00:00+08:00", temperature=26.1, battery=92)
    result = said("hall", found)
    assert values(result) == {"temperature": 26.1, "battery": 92.0}
    assert result.readings[0].device.gateway_identifier == "6438F392"
    del found["rxInfo"], found["time"]
    (reading, _) = said("hall", found).readings
    assert reading.time_us == AT_US - 500_000


def test_other_json_with_a_deveui_is_left_to_the_general_decoder() -> None:
    assert said("hall", {"devEUI": EUI, "temperature": 3}).decoder == "json"


def test_aws_is_known_by_its_keys() -> None:
    radio = {"DevEui": EUI, "FPort": 2, "Timestamp": AT, "Gateways": [{"GatewayEui": "d7", "Rssi": -69, "Snr": 9.5}]}
    found = {"WirelessDeviceId": "w-1", "PayloadData": "AQ==", "WirelessMetadata": {"LoRaWAN": radio}}
    result = said("iot/up", found)
    assert not result.readings
    assert result.facts[0].device == (f"iot/up#{EUI}", EUI, "aws-lorawan#d7", "d7")
    assert facts(result) == {"id": "w-1", "rssi": -69, "snr": 9.5}
    assert values(said("iot/up", found | {"transformed_payload": {"humidity": 40}})) == {"humidity": 40.0}


@pytest.mark.parametrize(
    "topic",
    [f"{V3_TTS}/up", f"{V3_TTS}/location/solved", "hall", "farm/devices/probe/up"]
    + [f"{V4}/{what}" for what in ("up", "status", "location", "integration")],
)
@pytest.mark.parametrize("broken", [None, 3, "x", [], {}, [None], {"a": []}, True, -1e9])
def test_whatever_stands_in_an_envelope_raises_nothing_else(topic: str, broken: Any) -> None:
    keys = words("""uplink_message deviceInfo rxInfo object objectJSON location location_solved devEUI margin
        batteryLevel metadata payload_fields time WirelessMetadata deviceStatusBattery""")
    whole = {"devEUI": "x", "dev_id": "x", "payload_raw": "", "deviceInfo": {}, "WirelessDeviceId": 3, "fPort": 1}
    for key in keys:
        for found in (whole | {key: broken}, uplink() | {key: broken}, chirpstack() | {key: broken}):
            try:
                said(topic, found)
            except UndecodableError:
                continue
