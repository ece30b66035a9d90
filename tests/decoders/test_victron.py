from mqtt.enums import Availability
from tests.decoders.helpers import decoded, values


def test_units_follow_from_the_path() -> None:
    found = {
        path: decoded(f"N/portal/battery/256/{path}", '{"value": 12.5}').readings[0]
        for path in ("Dc/0/Voltage", "Dc/0/Current", "Soc", "Dc/0/Temperature", "History/DeepestDischarge")
    }
    assert [one.unit for one in found.values()] == ["V", "A", "%", "°C", ""]
    assert found["Soc"].device == ("N/portal/battery/256", "battery/256", "N/portal", "portal")


def test_identity_is_a_fact_and_null_is_nothing() -> None:
    assert decoded("N/p/solar/0/ProductName", '{"value": "MPPT"}').facts[0].facts == {"model": "MPPT"}
    assert decoded("N/p/solar/0/Yield/Power", '{"value": null}').readings == []
    assert values(decoded("N/p/system/0/Batteries", '{"value": [{"soc": 80}]}')) == {"Batteries.0.soc": 80.0}


def test_an_empty_payload_says_that_the_device_is_gone() -> None:
    (said,) = decoded("N/p/battery/256/Soc", "").availability
    assert said.availability is Availability.OFFLINE


def test_requests_are_no_readings() -> None:
    for topic in ("W/p/vebus/0/Mode", "R/p/keepalive", "R/p/system/0/Serial"):
        assert decoded(topic, '{"value": 3}').readings == []
    assert decoded("N/p/full_publish_completed", '{"value": 1}').readings == []


def test_a_charging_station_counts_the_energy_of_its_session() -> None:
    assert decoded("N/p/evcharger/40/Session/Energy", '{"value": 3.5}').readings[0].unit == "kWh"
