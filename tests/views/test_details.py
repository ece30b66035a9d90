"""Pages of devices, topics, sites and messages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from mqtt.enums import IntervalSource, ReadingFlag
from mqtt.fragments import Variant, render_part
from mqtt.models import AuditEntry, Datalogger, DataloggerRhythm, GatewayRhythm, SensorDevice, SensorRhythm, Site
from mqtt.pages.base import REGISTRY
from mqtt.pages.sites import with_counts
from mqtt.rhythm import NO_RHYTHM, Expectation, expect
from mqtt.services import places
from mqtt.services.audit import Actor
from tests import factories
from tests.views.conftest import body

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def test_a_sensors_page_shows_value_readings_and_neighbours(web: Client) -> None:
    datalogger = factories.make_datalogger(label="Vault 3")
    sensor, other = factories.make_sensor(datalogger, value=-0.83, unit="mrad"), factories.make_sensor(datalogger)
    for minutes in range(55):
        factories.make_reading(sensor, minutes, timezone.now() - timedelta(minutes=minutes))
    page = body(web, f"/sensors/{sensor.pk}/")
    assert 'data-value="-0.83"' in page
    assert "−0.83" in page
    assert page.split('id="readings"')[1].split("</table>")[0].count("<tr>") == 51, "fifty and the heading"
    assert f'id="sensor-{other.pk}"' in page
    assert f'id="sensor-{sensor.pk}"' not in page


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (expect(60, IntervalSource.LEARNED), ["every 60 s (learned)", "late after 3 min", "Next expected"]),
        (expect(600, IntervalSource.SAID, 36000), ["every 10 min (said by the device)", "silent for up to 10 h"]),
        (NO_RHYTHM, ["no rhythm"]),
        (None, ["not known yet", "late after 25 h"]),
    ],
)
def test_a_page_says_how_often_its_device_is_expected(
    web: Client, expected: Expectation | None, words: list[str]
) -> None:
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()))
    if expected is not None:
        SensorRhythm.objects.create(pk=sensor.pk, **expected._asdict())
        DataloggerRhythm.objects.create(pk=sensor.datalogger_id, **expected._asdict())
        GatewayRhythm.objects.create(pk=sensor.datalogger.gateway_id, **expected._asdict())
    pages = ("sensors", sensor.pk), ("dataloggers", sensor.datalogger_id), ("gateways", sensor.datalogger.gateway_id)
    for path, pk in pages:
        page = body(web, f"/{path}/{pk}/")
        assert all(word in page for word in words), path


def test_an_interval_is_set_by_hand_and_taken_back(web: Client) -> None:
    box = factories.make_datalogger()
    for given, stored, shown in (("90", 90, "every 90 s (set)"), ("", None, "not known yet")):
        web.post(f"/dataloggers/{box.pk}/edit/", {"label": "", "site": "", "expected_interval": given})
        assert Datalogger.objects.get().expected_interval == stored
        assert shown in body(web, f"/dataloggers/{box.pk}/")
    answer = web.post(f"/dataloggers/{box.pk}/edit/", {"label": "", "site": "", "expected_interval": "0"})
    assert b"greater than or equal to 1" in answer.content


def test_a_corrected_value_says_so_and_names_what_the_device_said(web: Client) -> None:
    sensor = factories.make_sensor(value=20.0, unit="°C")
    factories.make_reading(sensor, 20.0)
    factories.make_reading(sensor, 19.0, timezone.now() - timedelta(days=2))
    factories.make_correction(sensor, zero=1.0, gain=2.0, offset=0.5, reason="calibrated")
    page = body(web, f"/sensors/{sensor.pk}/")
    assert 'data-field="value" data-value="38.5"' in page
    assert "corrected; the device said 20" in page
    readings = page.split('id="readings"')[1].split("</table>")[0]
    assert 'data-value="38.5"' in readings
    assert 'data-value="19"' in readings, "before the correction began"
    assert "calibrated" in page
    assert "corrected; the device said 20" in body(web, "/sensors/")


def test_a_correction_is_written_and_taken_back(web: Client) -> None:
    sensor = factories.make_sensor(value=20.0)
    given = {"zero": "0", "gain": "1", "offset": "-0.5", "valid_from": "2026-01-01T12:00:00", "reason": "calibrated"}
    assert re.search(r'name="valid_from" value="20\d\d-', body(web, f"/sensors/{sensor.pk}/corrections/new/"))
    refused = web.post(f"/sensors/{sensor.pk}/corrections/new/", {**given, "gain": "0"})
    assert b"would leave nothing" in refused.content
    assert web.post(f"/sensors/{sensor.pk}/corrections/new/", given).status_code == 302
    again = web.post(f"/sensors/{sensor.pk}/corrections/new/", given)
    assert b"already a correction from this moment" in again.content
    assert 'data-value="19.5"' in body(web, f"/sensors/{sensor.pk}/")
    (correction,) = sensor.corrections.all()
    assert web.get(f"/corrections/{correction.pk}/delete/").status_code == 200
    web.post(f"/corrections/{correction.pk}/delete/")
    assert 'data-value="20"' in body(web, f"/sensors/{sensor.pk}/")


def test_flags_of_readings_are_explained(web: Client) -> None:
    sensor = factories.make_sensor()
    factories.make_reading(sensor, flags=ReadingFlag.UNCERTAIN | ReadingFlag.LATE | ReadingFlag.RETAINED)
    page = body(web, f"/sensors/{sensor.pk}/")
    for words in ("waited in the broker", "arrived after newer ones", "kept by the broker"):
        assert words in page


def test_a_sensor_without_a_value_shows_none_instead_of_zero(web: Client) -> None:
    sensor = factories.make_sensor()
    sensor.state.delete()
    page = body(web, f"/sensors/{sensor.pk}/")
    assert 'data-value=""' in page
    assert "no value yet" in page


def test_what_is_wrong_with_a_gateway_stands_before_everything_else(web: Client) -> None:
    gateway = factories.make_gateway(availability="offline")
    shown = body(web, f"/gateways/{gateway.pk}/")
    assert "offline" in shown.split('id="state"')[1].split("</div>")[0]
    assert shown.index('id="state"') < shown.index('class="grid"')


def test_breadcrumbs_lead_from_the_site_down(web: Client) -> None:
    site = factories.make_site(name="Duomo")
    gateway = factories.make_gateway(site=site, identifier="G-2")
    sensor = factories.make_sensor(factories.make_datalogger(gateway=gateway, identifier="A-12"))
    crumb = body(web, f"/sensors/{sensor.pk}/").split('class="crumb"')[1].split("</p>")[0]
    assert crumb.index("Duomo") < crumb.index("G-2") < crumb.index("A-12")


def test_a_topic_shows_what_its_payload_becomes(web: Client) -> None:
    payload = b'{"temperature": 4.3, "nested": {"humidity": 61.4}}'
    topic = factories.make_topic(topic="home/kitchen/fridge", last_payload=payload, last_size=len(payload))
    page = body(web, f"/topics/{topic.pk}/")
    assert 'data-value="4.3"' in page
    assert "nested.humidity" in page


@pytest.mark.parametrize(
    ("view", "words"), [("hex", "7b 22 61"), ("raw", "{&quot;a&quot;: 1}"), ("pretty", "  &quot;a&quot;")]
)
def test_a_payload_can_be_seen_three_ways(web: Client, view: str, words: str) -> None:
    topic = factories.make_topic(last_payload=b'{"a": 1}', last_size=8)
    assert words in body(web, f"/topics/{topic.pk}/?view={view}")


def test_a_payload_that_was_cut_is_not_decoded_again(web: Client) -> None:
    topic = factories.make_topic(last_payload=b"{" * 4096, last_size=1_000_000)
    page = body(web, f"/topics/{topic.pk}/")
    assert "cannot be read again" in page
    assert "Only the first 4,096 bytes are kept here." in page


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe\x00", b"[" * 4096, b'{"a": NaN}', b'{"a": 1e999}', b"\x1b[31mred"])
def test_odd_payloads_are_shown_and_explained(web: Client, payload: bytes) -> None:
    topic = factories.make_topic(last_payload=payload, last_size=len(payload))
    undecoded = factories.make_undecoded(payload=payload, size=len(payload))
    for view in ("pretty", "raw", "hex"):
        assert "\x1b" not in body(web, f"/topics/{topic.pk}/?view={view}")
        body(web, f"/undecoded/{undecoded.pk}/?view={view}")


def test_a_message_not_understood_says_why(web: Client) -> None:
    message = factories.make_undecoded(reason="not_utf8", context={"position": 128})
    assert "byte 128 is not valid UTF-8" in body(web, f"/undecoded/{message.pk}/")


def test_a_label_and_a_site_are_set_by_hand(web: Client) -> None:
    site, datalogger = factories.make_site(), factories.make_datalogger()
    answer = web.post(f"/dataloggers/{datalogger.pk}/edit/", {"label": "Vault 3", "site": site.pk})
    assert answer["Location"] == f"/dataloggers/{datalogger.pk}/"
    stored = Datalogger.objects.get()
    assert (stored.label, stored.site) == ("Vault 3", site)
    assert AuditEntry.objects.filter(kind="datalogger", action="changed").exists()


def test_a_sensor_is_renamed(web: Client) -> None:
    sensor = factories.make_sensor()
    web.post(f"/sensors/{sensor.pk}/edit/", {"label": "Air, vault 3"})
    assert SensorDevice.objects.get().label == "Air, vault 3"
    assert web.post(f"/sensors/{sensor.pk}/edit/", {"label": "x" * 121}).status_code == 200


def test_sites_are_rolled_up_worst_first(web: Client) -> None:
    calm, bad, empty = (factories.make_site(name=name) for name in ("A calm", "B bad", "C empty"))
    factories.make_datalogger(site=calm)
    factories.make_datalogger(site=bad, availability="offline")
    factories.make_datalogger(factories.make_connection(site=bad), availability="late")
    page = body(web, "/sites/")
    assert page.index("B bad") < page.index("A calm") < page.index("C empty")
    assert f'id="site-{bad.pk}" data-status="offline"' in page
    assert f'id="site-{empty.pk}" data-status=""' in page
    summary = body(web, f"/sites/{bad.pk}/").split('id="summary"')[1].split("</p>")[0]
    assert "2 devices" in summary


def test_a_site_is_made_changed_and_deleted_while_its_devices_stay(web: Client) -> None:
    web.post("/sites/new/", {"name": "Duomo", "topic_prefix": "duomo/", "time_zone": "Europe/Rome"})
    site = Site.objects.get()
    web.post(f"/sites/{site.pk}/edit/", {"name": "Duomo", "latitude": "45.4642", "longitude": "9.19"})
    assert Site.objects.get().latitude == pytest.approx(45.4642)
    datalogger = factories.make_datalogger(site=site)
    assert "One device stands here" in body(web, f"/sites/{site.pk}/delete/")
    page = web.get(f"/sites/{site.pk}/", headers={"Accept-Language": "it"}).content.decode()
    assert "45.4642, 9.19" in page, "with a comma within, nobody sees where the second begins"
    web.post(f"/sites/{site.pk}/delete/")
    assert not Site.objects.exists()
    datalogger.refresh_from_db()
    assert datalogger.site is None


@pytest.mark.parametrize("address", ["/sites/{}/edit/", "/admin/mqtt/site/{}/change/"])
def test_a_site_that_somebody_else_deletes_meanwhile_is_said_to_be_gone(
    web: Client, django_user_model: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    django_user_model.objects.update(is_staff=True, is_superuser=True)
    site = factories.make_site(name="Duomo")
    real = places.update_site

    def late(actor: Actor, given: Site, changed: Any) -> Site:
        Site.objects.filter(pk=given.pk).delete()
        return real(actor, given, changed)

    monkeypatch.setattr(places, "update_site", late)
    url = address.format(site.pk)
    answer = web.post(
        url, {"name": "Castello", "topic_prefix": "", "time_zone": "", "address": "", "contact": ""}, follow=True
    )
    assert "Castello was deleted meanwhile." in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("time_zone", "Mars/Base"), ("latitude", "91"), ("latitude", "nan"), ("topic_prefix", "a/#")],
)
def test_a_site_refuses_what_makes_no_sense(web: Client, field: str, value: str) -> None:
    answer = web.post("/sites/new/", {"name": "Duomo", "longitude": "9", "latitude": "45", field: value})
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in answer.content.decode()


def test_one_coordinate_alone_is_an_error(web: Client) -> None:
    answer = web.post("/sites/new/", {"name": "Duomo", "latitude": "45"})
    assert 'id="id_longitude_error"' in answer.content.decode()


def _gateway() -> Any:
    gateway = factories.make_gateway()
    return gateway, lambda: factories.make_datalogger(gateway=gateway)


def _datalogger() -> Any:
    datalogger = factories.make_datalogger()
    return datalogger, lambda: factories.make_sensor(datalogger)


def _sensor() -> Any:
    sensor = factories.make_sensor()

    def more() -> None:
        factories.make_sensor(sensor.datalogger)
        factories.make_reading(sensor)

    return sensor, more


def _site() -> Any:
    site = factories.make_site()

    def more() -> None:
        factories.make_datalogger(gateway=factories.make_gateway(site=site), site=site)

    return site, more


@pytest.mark.parametrize(
    ("name", "make"), [("gateways", _gateway), ("dataloggers", _datalogger), ("sensors", _sensor), ("sites", _site)]
)
def test_pages_cost_the_same_queries_with_one_row_and_with_three(
    web: Client, django_assert_max_num_queries: DjangoAssertNumQueries, name: str, make: Callable[[], Any]
) -> None:
    thing, more = make()
    more()
    with django_assert_max_num_queries(40) as one:
        web.get(f"/{name}/{thing.pk}/")
    more()
    more()
    with django_assert_max_num_queries(len(one)):
        web.get(f"/{name}/{thing.pk}/")


def test_a_datalogger_stands_with_its_gateway_wherever_that_is_said(web: Client, administrator: User) -> None:
    mill, yard, own = (factories.make_site(name=name) for name in ("Mill", "Yard", "Own"))
    connection = factories.make_connection(site=yard)
    gateway = factories.make_gateway(connection, site=mill)
    behind = factories.make_sensor(factories.make_datalogger(gateway=gateway, identifier="behind"), name="crack")
    apart = factories.make_sensor(factories.make_datalogger(gateway=gateway, site=own, identifier="apart"), name="tilt")
    alone = factories.make_sensor(factories.make_datalogger(connection, identifier="alone"), name="rain")
    boxes = [one.datalogger for one in (behind, apart, alone)]
    for site, sensor in ((mill, behind), (own, apart), (yard, alone)):
        box = sensor.datalogger
        assert f'href="/sites/{site.pk}/">{site}</a>' in body(web, f"/dataloggers/{box.pk}/")
        assert f'<span class="place">{site}</span>' in body(web, f"/dataloggers/?search={box.identifier}")
        for listing, things in (("dataloggers", boxes), ("sensors", [behind, apart, alone])):
            rows = body(web, f"/{listing}/?site={site.pk}").split("<tbody")[1]
            assert [one for one in things if f">{one}</a>" in rows] == [box if listing == "dataloggers" else sensor]
        assert [one for one in boxes if f">{one}</a>" in body(web, f"/sites/{site.pk}/")] == [box]
    found = {row["site"]: row["devices"] for row in with_counts(administrator, Site.objects.all())}
    assert found == {mill: 2, own: 1, yard: 1}, "the gateway, and each datalogger once"


def test_the_list_of_sites_costs_the_same_queries_with_one_row_and_with_three(
    web: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.make_datalogger(site=factories.make_site())
    with django_assert_max_num_queries(30) as one:
        web.get("/sites/")
    for _ in range(2):
        factories.make_datalogger(site=factories.make_site())
    with django_assert_max_num_queries(len(one)):
        web.get("/sites/")


@pytest.mark.parametrize("name", ["connections", "gateways", "dataloggers", "sensors", "topics", "sites"])
def test_every_part_is_pushed_as_it_stands_on_the_page(web: Client, administrator: User, name: str, rf: Any) -> None:
    sensor = factories.make_sensor()
    factories.make_reading(sensor)
    things: dict[str, Any] = {
        "connections": sensor.connection,
        "gateways": factories.make_gateway(sensor.connection),
        "dataloggers": sensor.datalogger,
        "sensors": sensor,
        "topics": factories.make_topic(sensor.connection),
        "sites": factories.make_site(),
    }
    thing, page = things[name], REGISTRY[name, True]
    whole = web.get(f"/{name}/{thing.pk}/").content.decode()
    shown = page.show(administrator, rf.get("/").GET.copy(), thing.pk)
    assert shown is not None
    assert shown.rows is not None
    for part in shown.page.parts:
        pushed = render_part(part.template, shown.part_context(part), Variant("en").language)
        assert pushed.startswith(f"<{part.element}"), part.name
        assert _without_ages(pushed) in _without_ages(whole), part.name


def _without_ages(html: str) -> str:
    return re.sub(r">\d+ (s|min)<", "><", html)


def test_a_table_on_its_owners_page_does_not_repeat_the_owner(web: Client) -> None:
    gateway = factories.make_gateway(site=factories.make_site())
    datalogger = factories.make_datalogger(gateway=gateway)
    sensor, _other = factories.make_sensor(datalogger), factories.make_sensor(datalogger)
    for url in (f"/gateways/{gateway.pk}/", f"/dataloggers/{datalogger.pk}/", f"/sensors/{sensor.pk}/"):
        table = body(web, url).split('<table class="cards owned">')[1].split("</table>")[0]
        for part in (table.split("</thead>")[0], table.split("</tr>")[1]):
            assert part.count("owner") == 1, "one heading, and one cell in a row, which the style hides"
    assert "owned" in body(web, f"/sites/{gateway.site_id}/")
