"""Passwords, tokens and keys in messages become nothing that anybody sees."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders import credentials
from mqtt.decoders.credentials import is_credential, is_secret
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values

SECRET = "hunter22-0a1b2c3d4e5f"


def everything(result: Decoded) -> str:
    """All of a result that is stored or shown."""
    refs = [one.device for one in [*result.readings, *result.facts, *result.availability]]
    facts = [one.facts for one in result.facts]
    texts = [(one.name, one.text, one.value) for one in result.readings]
    return repr((refs, facts, texts, result.announcements))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("site/box", {"level": 1, "password": SECRET}),
        ("site/box", {"level": 1, "wifi": {"ssid": "hall", "psk": SECRET}, "MqttPassword1": SECRET}),
        ("site/box", {"level": 1, "credentials": {"user": SECRET, "word": SECRET}}),
        ("site/box", {"level": 1, "appKey": SECRET, "nwkSKey": SECRET, "keys": {"genAppKey": SECRET}}),
        ("site/box", {"level": 1, "attributes": {"accessToken": SECRET, "auth": f"Bearer {SECRET}"}}),
        ("site/box", {"level": 1, "broker": f"mqtts://box:{SECRET}@broker.example:8883"}),
        ("site/box", {"level": 1, "url": f"https://cloud.example/in?token={SECRET}"}),
        ("site/box", [{"id": "a", "level": 1, "password": SECRET}]),
        ("site/box/password", SECRET),
        ("site/box/login", f"user=me&password={SECRET}"),
        ("stat/plug/RESULT", {"SSId1": "hall", "Password1": SECRET, "POWER": "ON"}),
        ("tele/plug/INFO1", {"Info1": {"Module": "Plug", "Version": "14", "WebPassword": SECRET}}),
        ("shellies/box/info", {"mqtt": {"connected": True, "pass": SECRET}, "relays": [{"ison": True}]}),
        ("shellypro1/status/mqtt", {"connected": True, "password": SECRET}),
        ("zigbee2mqtt/lock", {"state": "LOCK", "pin_code": {"user": 1, "pin_code": SECRET}}),
        ("zigbee2mqtt/bridge/info", {"coordinator": {"ieee_address": "0x1"}, "network": {"network_key": SECRET}}),
        ("v1/devices/me/attributes", {"firmware": "1", "token": SECRET}),
        ("application/1/device/0102030405060708/event/up",
         {"devEUI": "0102030405060708", "object": {"t": 1, "appSKey": SECRET}}),
        ("weather/in", {"PASSKEY": SECRET, "stationtype": "GW1000", "dateutc": "now", "tempf": "70"}),
        ("weather/in", f"PASSKEY={SECRET}&stationtype=GW1000&dateutc=now&tempf=70"),
        ("weather/in", f"ID=IROME1&PASSWORD={SECRET}&dateutc=now&tempf=70"),
        ("weather/in", {"ID": "IROME1", "PASSWORD": SECRET, "dateutc": "now", "tempf": "70"}),
        ("homeassistant/sensor/t/config",
         {"state_topic": "a/b", "unique_id": "t", "device": {"ids": "d", "name": "D"}, "password": SECRET}),
    ],
)  # fmt: skip
def test_a_credential_shows_nowhere(topic: str, payload: Any) -> None:
    result = decoded(topic, payload if isinstance(payload, str) else json.dumps(payload))
    assert SECRET not in everything(result)


def test_what_only_sounds_like_one_stays() -> None:
    keys = [
        "high_pass",
        "keyboard",
        "compass",
        "bypass",
        "passengers",
        "tokens_used",
        "secretary",
        "key",
        "password_set",
    ]
    assert [key for key in keys if is_secret(key)] == []
    result = decoded("a/b", json.dumps(dict.fromkeys(keys, 1) | {"note": "token ring", "at": "http://host:80/x@y"}))
    assert len(result.readings) == len(keys) + 2


def test_a_station_is_known_by_a_sign_of_its_secret_and_always_by_the_same() -> None:
    form = f"PASSKEY={SECRET}&stationtype=GW1000&dateutc=now&tempf=70"
    (one,) = decoded("weather/in", form).readings
    (again,) = decoded("weather/in", form.replace("70", "71")).readings
    (other,) = decoded("weather/in", form.replace("hunter", "gather")).readings
    assert one.device == again.device != other.device
    assert one.device.key == f"weather/in#{credentials.alias(SECRET)}"


def test_a_station_of_weather_underground_is_read_with_its_units() -> None:
    result = decoded("wu", "ID=IROME1&PASSWORD=x&dateutc=2026-09-21 14:13:20&tempf=70.1&baromin=29.9&dailyrainin=0.1")
    assert values(result) == {"tempf": 70.1, "baromin": 29.9, "dailyrainin": 0.1}
    assert [one.unit for one in result.readings] == ["°F", "inHg", "in"]
    assert {one.device.identifier for one in result.readings} == {"IROME1"}


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert is_secret(text) in (True, False)
    assert is_credential(text) in (True, False)
