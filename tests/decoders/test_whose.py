"""Whose a message is, and what it says that its one value is."""

import json

import pytest

from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import decoded, values


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({"device": "SHT31", "serial": "S-4711"}, "S-4711"),
        ({"serial": "S-4711", "device": "SHT31"}, "S-4711"),
        ({"device": "boiler"}, "boiler"),
        ({"device": {"name": "Pump", "serialNumber": "P-77"}}, "P-77"),
        ({"logger_sn": "L-12"}, "L-12"),
        ({"tankId": "T-9"}, "T-9"),
        ({"tankId": 9}, "a"),
        ({"id": "70:EE:50:00:00:01"}, "70:EE:50:00:00:01"),
        ({"id": "9f2c"}, "a"),
    ],
)
def test_a_serial_number_is_better_than_a_name_and_an_id_may_count_messages(said: object, who: str) -> None:
    result = decoded("plant/a", json.dumps({**dict(said), "temp_c": 61.2}))  # type: ignore[call-overload]
    assert [(one.device.identifier, one.name) for one in result.readings] == [(who, "temp_c")]


def test_a_gateway_that_puts_its_serial_number_beside_its_meters_keeps_them_apart() -> None:
    first, second = (
        decoded("rut/data", json.dumps({"serial": "G-1", "device": who, "v": 230})) for who in ("m1", "m2")
    )
    assert first.readings[0].device.key != second.readings[0].device.key
    assert [move.before for move in first.moved] == ["rut/data#m1", "rut/data#G-1"]
    assert (
        decoded("rut/G-1", json.dumps({"serial": "G-1", "device": "m1", "v": 2})).readings[0].device.identifier == "m1"
    )


@pytest.mark.parametrize(
    ("topic", "payload", "whose", "name"),
    [
        ("mesh/N4/TC", {"id_wasp": "N4", "sensor": "TC", "value": "21.5"}, "N4", "TC"),
        ("mesh/all", {"id_wasp": "N4", "sensor": "TC", "value": "21.5"}, "N4", "TC"),
        ("pool/probe", {"parameter": "pH", "value": 21.5}, "probe", "pH"),
        ("home/node1", {"type": "temperature", "value": 21.5}, "node1", "temperature"),
        ("home/node1/temperature", {"sensor": "DHT22", "value": 21.5}, "node1", "temperature"),
        ("home/node1/pump", {"type": "relay", "value": 21.5}, "node1", "pump"),
    ],
)
def test_one_value_may_say_what_it_is(topic: str, payload: object, whose: str, name: str) -> None:
    result = decoded(topic, json.dumps(payload))
    assert [(one.device.identifier, one.name, one.value) for one in result.readings] == [(whose, name, 21.5)]


def test_what_is_called_by_the_topics_last_level_now_keeps_the_history_of_its_value() -> None:
    (moved,) = decoded("home/node1/temperature", json.dumps({"sensor": "DHT22", "value": 21.5})).moved
    assert (moved.before, moved.name) == ("home/node1/temperature", "value")
    assert (moved.device.identifier, moved.to, moved.rekeys) == ("node1", "temperature", True)


@pytest.mark.parametrize(
    ("topic", "payload", "whose", "name"),
    [
        ("gate/relay/2", "ON", "gate", "relay.2"),
        ("plant/line/temperature/1", "21.5", "line", "temperature.1"),
        ("plant/line/analogInput/12", "4.1", "line", "analogInput.12"),
        ("home/kitchen/1", "21.5", "kitchen", "1"),
        ("home/pump7/2", "21.5", "pump7", "2"),
        ("relay/2", "ON", "relay", "2"),
    ],
)
def test_a_number_behind_what_a_device_has_several_of_is_one_of_them(
    topic: str, payload: str, whose: str, name: str
) -> None:
    result = decoded(topic, payload)
    assert [(one.device.identifier, one.name) for one in result.readings] == [(whose, name)]
    assert bool(result.moved) == ("." in name)


def test_a_group_address_is_no_device_and_a_telegram_of_bytes_no_reading() -> None:
    result = decoded("house/knx/5/0/27", json.dumps({"raw": 1.5, "scaled": 3}))
    assert [(one.device.identifier, one.name) for one in result.readings] == [
        ("knx", "5/0/27.raw"),
        ("knx", "5/0/27.scaled"),
    ]
    telegram = {"Source": "1.4.50", "Destination": "5/0/27", "Data": "AQ==", "Command": "Write"}
    with pytest.raises(UndecodableError, match="no_values"):
        decoded("house/knx/5/0/27", json.dumps(telegram))


def test_a_field_called_sensor_says_how_the_sensor_is_and_a_text_which_it_is() -> None:
    field = decoded("ebusd/700/OutsideTemp", json.dumps({"temp": {"value": 6.1}, "sensor": {"value": "ok"}}))
    assert values(field) == {"temp": 6.1, "sensor": "ok"}
    assert values(decoded("a/b", json.dumps({"temp": 6.1, "sensor": "DHT22"}))) == {"temp": 6.1}


def test_the_level_of_a_lamp_is_no_illuminance() -> None:
    kinds = [meaning(key).kind for key in ("brightness", "brightness_lux", "lux")]
    assert kinds == ["", "illuminance", "illuminance"]
