"""Two people have the same form open: what the first one saved is not taken back unseen by the second."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from mqtt.models import Mapping, MqttConnection, SensorDevice, Site, TopicSubscription
from tests import factories
from tests.forms.test_connection import filters, posted

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

MEANWHILE = "Somebody else changed this while you had it open: "


@pytest.fixture
def web(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def seen_in(page: bytes) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page.decode())
    assert found
    return found[1]


def test_a_connection_switched_off_meanwhile_is_not_switched_on_by_saving_its_name(web: Client) -> None:
    plant = factories.make_connection(name="Plant", host="broker.example", client_id="plant-1", filters=("#",))
    url = f"/connections/{plant.pk}/edit/"
    sent = {**posted(name="Works").dict(), **filters("#").dict(), "seen": seen_in(web.get(url).content)}
    MqttConnection.objects.filter(pk=plant.pk).update(is_enabled=False)
    TopicSubscription.objects.create(connection=plant, topic_filter="more", is_active=False)

    page = web.post(url, sent).content
    assert f"{MEANWHILE}Enabled, Topic filters." in page.decode()
    stored = MqttConnection.objects.get(pk=plant.pk)
    assert (stored.name, stored.is_enabled, stored.subscriptions.count()) == ("Plant", False, 2)

    assert web.post(url, sent | {"seen": seen_in(page)}).status_code == 302
    assert MqttConnection.objects.get(pk=plant.pk).name == "Works", "who was told may save all the same"


def test_what_both_wrote_alike_or_only_the_other_error_matters_is_no_conflict(web: Client) -> None:
    site = factories.make_site(name="Hall")
    url = f"/sites/{site.pk}/edit/"
    seen = seen_in(web.get(url).content)
    Site.objects.filter(pk=site.pk).update(contact="Ada")
    page = web.post(url, {"name": "", "contact": "Ada", "seen": seen}).content
    assert MEANWHILE not in page.decode()
    assert seen_in(page) == seen, "what was not told yet stays unseen"
    assert MEANWHILE in web.post(url, {"name": "Hall", "contact": "Eve", "seen": seen}).content.decode()
    assert web.post(url, {"name": "Great hall", "contact": "Ada", "seen": seen}).status_code == 302
    assert Site.objects.get().name == "Great hall"


def test_a_unit_that_a_device_said_meanwhile_is_not_emptied_by_saving_a_label(web: Client) -> None:
    sensor = factories.make_sensor(unit="")
    url = f"/sensors/{sensor.pk}/edit/"
    seen = seen_in(web.get(url).content)
    SensorDevice.objects.filter(pk=sensor.pk).update(unit="kWh")
    assert f"{MEANWHILE}Unit." in web.post(url, {"label": "Meter", "unit": "", "seen": seen}).content.decode()
    assert SensorDevice.objects.get(pk=sensor.pk).unit == "kWh"


def test_trying_a_mapping_tells_nothing_and_saving_it_does(web: Client) -> None:
    values = [{"path": "a", "name": "a", "name_path": "", "unit": "", "kind": ""}]
    mapping = Mapping.objects.create(name="Box", topic_pattern="box/#", values=values)
    url = f"/mappings/{mapping.pk}/"
    opened = web.get(url).content
    rows: dict[str, Any] = {"values-TOTAL_FORMS": "1", "values-INITIAL_FORMS": "0", "values-0-path": "b"}
    sent = {"name": "Box", "topic_pattern": "box/#", "is_active": "on", **rows, "seen": seen_in(opened)}
    Mapping.objects.filter(pk=mapping.pk).update(values=[{**values[0], "unit": "V"}])
    tried = web.post(url, sent | {"try": "1"}).content
    assert seen_in(tried) == sent["seen"]
    assert f"{MEANWHILE}Values." in web.post(url, sent | {"save": "1"}).content.decode()


@pytest.mark.parametrize("seen", ["", "x", ":::", "name:", "\x00 host:\ud800", "9" * 5000])
def test_nonsense_in_place_of_digests_does_no_harm(web: Client, seen: str) -> None:
    site = factories.make_site(name="Hall")
    answer = web.post(f"/sites/{site.pk}/edit/", {"name": "Hall", "seen": seen.encode("utf-8", "replace").decode()})
    assert answer.status_code in {200, 302}
