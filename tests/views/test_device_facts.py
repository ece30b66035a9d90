"""What devices say of themselves and measure, in a reader's words."""

import pytest
from django.test import Client

from mqtt.decoders.vocabulary import KINDS
from mqtt.presentation import device_facts
from tests import factories
from tests.views.conftest import body

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def test_facts_of_a_device_stay_bounded(web: Client) -> None:
    facts = {f"fact {number}": "x" * 5000 for number in range(500)}
    gateway = factories.make_gateway(facts=facts)
    page = body(web, f"/gateways/{gateway.pk}/")
    assert "Fact 59" in page
    assert "Fact 60" not in page
    assert len(page) < 60_000


def test_facts_of_a_device_are_written_for_people(web: Client) -> None:
    gateway = factories.make_gateway(
        facts={"batt_volt": 149.0, "is_charging": True, "hops": [1, 2], "serial": 4711000123}
    )
    page = body(web, f"/gateways/{gateway.pk}/")
    assert "<dt>Batt volt</dt><dd>149</dd>" in page
    assert "<dt>Is charging</dt><dd>yes</dd>" in page
    assert "<dt>Serial number</dt><dd>4711000123</dd>" in page
    assert "<dt>Hops</dt><dd>[1,2]</dd>" in page


def test_what_all_makers_have_is_said_in_the_readers_language(web: Client) -> None:
    gateway = factories.make_gateway(facts={"update_available": True})
    answer = web.get(f"/gateways/{gateway.pk}/", headers={"Accept-Language": "it"}).content.decode()
    assert "<dt>Aggiornamento disponibile</dt><dd>sì</dd>" in answer


def test_usual_facts_have_usual_names_and_units(web: Client) -> None:
    gateway = factories.make_gateway(facts={"ip": "10.1.2.3", "interval": 600, "rssi": -71, "snr": 9.5, "uptime": 5})
    page = body(web, f"/gateways/{gateway.pk}/")
    for name, fact in (
        ("IP address", "10.1.2.3"),
        ("Sends every", "10 min"),
        ("Signal", "-71 dBm"),
        ("Signal to noise", "9.5 dB"),
        ("Running for", "5"),
    ):
        assert f"<dt>{name}</dt><dd>{fact}</dd>" in page


@pytest.mark.parametrize(
    ("off", "words"),
    [(-1_293_840_000, "41 years behind"), (7_200, "2 h ahead"), (-90_000, "25 h behind"), (3 * 31_557_600, "3 years")],
)
def test_a_device_whose_clock_is_wrong_says_how_far(web: Client, off: int, words: str) -> None:
    logger = factories.make_datalogger(facts={"clock_off_seconds": off})
    page = body(web, f"/dataloggers/{logger.pk}/")
    assert words in page.split("<dt>Its clock</dt>")[1].split("</dd>")[0]
    assert "Clock off" not in page


def test_what_a_sensor_measures_is_said_in_the_readers_language(web: Client) -> None:
    assert set(KINDS) <= set(device_facts.KINDS)
    sensor = factories.make_sensor(kind="angle")
    assert "<dd>angle</dd>" in body(web, f"/sensors/{sensor.pk}/")
    answer = web.get(f"/sensors/{sensor.pk}/", headers={"Accept-Language": "it"}).content.decode()
    assert "<dd>angolo</dd>" in answer
    other = factories.make_sensor(kind="bee count")
    assert "<dd>bee count</dd>" in body(web, f"/sensors/{other.pk}/")


def test_what_a_message_says_of_its_device_has_the_names_of_the_devices_page(web: Client) -> None:
    payload = b'{"ip":"10.0.0.7","hn":"cabin","mac":"C4DD57A011E2","md":"Plug","sw":"14.6.0","tp":["cmnd"],"t":"cabin"}'
    topic = factories.make_topic(
        topic="tasmota/discovery/C4DD57A011E2/config", last_payload=payload, last_size=len(payload)
    )
    becomes = body(web, f"/topics/{topic.pk}/").split('id="becomes"')[1].split("</ul>")[0]
    for name, value in (("IP address", "10.0.0.7"), ("Model", "Plug"), ("Firmware", "14.6.0")):
        assert f"<span>{name}</span><span>{value}</span>" in becomes
