"""OpenMQTTGateway, rtl_433, Ruuvi: what gateways hear by radio."""

import json

import pytest

from mqtt.decoders.memory import Memory
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import decoded, values


def test_a_bluetooth_device_is_known_by_its_address_however_it_is_written() -> None:
    one = decoded("home/gw/BTtoMQTT/AABBCCDDEEFF", '{"tempc": "19.5", "tempf": "67.1", "batt": 80, "rssi": -70}')
    other = decoded("home/gw/BTtoMQTT/AABBCCDDEEFF", '{"id": "aa:bb:cc:dd:ee:ff", "moi": 3}')
    assert values(one) == {"tempc": 19.5, "batt": 80.0}
    assert one.readings[0].device[:2] == ("home/gw#AABBCCDDEEFF", "AA:BB:CC:DD:EE:FF")
    assert other.readings[0].device.key == one.readings[0].device.key
    assert one.facts[0].facts == {"rssi": -70, "mac": "AA:BB:CC:DD:EE:FF"}


def test_codes_of_remote_controls_are_no_readings() -> None:
    assert decoded("home/gw/433toMQTT", '{"value": 123456, "protocol": 1, "length": 24}').readings == []


def test_a_gateway_tells_of_itself_and_its_last_will_counts_once_it_was_heard() -> None:
    memory = Memory()
    decoded("home/gw/SYStoMQTT", '{"version": "1.7", "uptime": 5}', memory=memory)
    (said,) = decoded("home/gw/LWT", "offline", memory=memory).availability
    assert (said.is_gateway, said.device.key, said.availability) == (True, "home/gw", Availability.OFFLINE)


def test_a_radio_sensor_is_its_model_channel_and_id() -> None:
    payload = {
        "time": "@0.5s",
        "model": "Brand-TH",
        "id": 7,
        "channel": 2,
        "temperature_C": 5,
        "wind_avg_km_h": 3,
        "battery_ok": 0,
    }
    result = decoded("rtl_433/host/events", json.dumps(payload))
    assert {one.name: (one.value, one.unit) for one in result.readings} == {
        "temperature_C": (5.0, "°C"), "wind_avg_km_h": (3.0, "km/h"), "battery_ok": (0.0, ""),
    }  # fmt: skip
    assert result.readings[0].device == ("rtl_433/host#Brand-TH/2/7", "Brand-TH/2/7", "rtl_433/host", "host")
    assert result.readings[0].time_us is None
    through = decoded("home/gw/RTL_433toMQTT/Brand-TH/2/7", json.dumps(payload))
    assert through.readings[0].device.identifier == "Brand-TH/2/7"


def test_a_field_in_a_topic_of_its_own() -> None:
    (reading,) = decoded("rtl_433/host/devices/Brand-TH/2/7/temperature_F", "41").readings
    assert (reading.device.identifier, reading.name, reading.unit) == ("Brand-TH/2/7", "temperature_F", "°F")


RUUVI_5 = "0201061BFF99040512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"


def test_a_ruuvi_advertisement_is_read() -> None:
    result = decoded(
        "ruuvi/AA/CB:B8:33:4C:88:4F", json.dumps({"gw_mac": "AA", "rssi": -50, "ts": "1789984800", "data": RUUVI_5})
    )
    found = values(result)
    assert (found["temperature"], found["humidity"], found["pressure"]) == (24.3, 53.49, 1000.44)
    assert (found["acceleration_x"], found["battery"], found["tx_power"]) == (4.0, 2977.0, 4.0)
    assert result.readings[0].time_us == 1_789_984_800_000_000


E1_LIGHT = "2BFF9904E110684E20C350000A0014001E0028025814000007D0808182000102" + "00"
SIX_LIGHT = "02010617FF99040610684E20C3500014025814007FFF2A00"


@pytest.mark.parametrize(("data", "light", "sequence"), [(E1_LIGHT, 20.0, 258.0), (SIX_LIGHT, 255.0, 42.0)])
def test_an_air_quality_advertisement_says_light_and_count(data: str, light: float, sequence: float) -> None:
    found = values(decoded("ruuvi/AA/BB", json.dumps({"gw_mac": "AA", "data": data})))
    assert (found["temperature"], found["co2"], found["voc_index"]) == (21.0, 600.0, 40.0)
    assert (found["luminosity"], found["measurement_sequence_number"]) == (light, sequence)


@pytest.mark.parametrize("data", ["", "zz", "FF9904", "FF990405", "FF990477" + "00" * 30])
def test_an_advertisement_that_cannot_be_read_says_so(data: str) -> None:
    with pytest.raises(UndecodableError):
        decoded("ruuvi/AA/BB", json.dumps({"gw_mac": "AA", "data": data}))


def test_what_passes_by_a_ruuvi_gateway_and_is_no_ruuvi_makes_no_device() -> None:
    advertisement = {"gw_mac": "AA:BB:CC:DD:EE:01", "rssi": -80, "data": "02011A0AFF4C001005031C5E2A4B"}
    with pytest.raises(UndecodableError, match="foreign_advertisement"):
        decoded("ruuvi/AA:BB:CC:DD:EE:01/4C:22:33:44:55:66", json.dumps(advertisement))


def test_events_and_the_tree_are_one_device() -> None:
    event = '{"time": "2026-03-01 10:00:00", "model": "Nexus-TH", "id": 77, "channel": 1, "temperature_C": 4.5}'
    (one,) = decoded("rtl_433/pi/events", event).readings
    (two,) = decoded("rtl_433/pi/devices/Nexus-TH/1/77/temperature_C", "4.5").readings
    assert one.device == two.device


def test_a_last_will_under_the_usual_name_is_a_gateways_before_it_was_heard() -> None:
    (said,) = decoded("home/OpenMQTTGateway/LWT", "online").availability
    assert said.is_gateway
