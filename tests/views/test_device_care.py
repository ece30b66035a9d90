"""Replacing, merging and deleting devices on pages and by program."""

from typing import Any

import pytest
from django.test import Client

from mqtt.models import Datalogger, DeviceTask, Gateway, SensorDevice
from mqtt.services.jobs import device_tasks
from tests import factories
from tests.api.conftest import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def pair() -> tuple[Datalogger, Datalogger]:
    old = factories.make_datalogger(label="Vault 3", accepted_at="2026-01-01T00:00:00Z")
    new = factories.make_datalogger(old.connection, identifier="SN-77")
    for box, names in ((old, ("level", "battery")), (new, ("level", "humidity"))):
        for name in names:
            factories.make_reading(factories.make_sensor(box, name=name))
    return old, new


def test_a_device_is_replaced_after_a_look_at_what_will_happen(web: Client) -> None:
    old, new = pair()
    factories.make_datalogger(label="elsewhere")
    page = web.get(f"/dataloggers/{old.pk}/").content.decode()
    assert f"/dataloggers/{old.pk}/care/" in page
    assert f"/dataloggers/{old.pk}/replace/" in web.get(f"/dataloggers/{old.pk}/care/").content.decode()
    choices = web.get(f"/dataloggers/{old.pk}/replace/").content.decode()
    assert f"?with={new.pk}" in choices
    assert choices.count("?with=") == 1, "another connection's devices cannot be chosen"
    assert "?with=" not in web.get(f"/dataloggers/{old.pk}/replace/?q=nothing").content.decode()
    preview = web.get(f"/dataloggers/{old.pk}/replace/?with={new.pk}").content.decode()
    for words in ("1 are moved in the background", "goes on", "comes to Vault 3 as it is", "SN-77 has no such sensor"):
        assert words in preview
    assert Datalogger.objects.count() == 3
    answer = web.post(f"/dataloggers/{old.pk}/replace/", {"with": new.pk})
    assert answer["Location"] == f"/dataloggers/{old.pk}/"
    page = web.get(f"/dataloggers/{old.pk}/").content.decode()
    assert "The readings of SN-77 will be moved here in a moment." in page
    device_tasks.go_on(10)
    assert "will be moved" not in web.get(f"/dataloggers/{old.pk}/").content.decode()
    assert SensorDevice.objects.get(datalogger=old, name="level").readings.count() == 2


def test_a_further_topic_is_let_go_on_the_second_click(web: Client) -> None:
    old, _new = pair()
    alias = old.aliases.create(connection=old.connection, kind="datalogger", key="mill/before")
    assert f"/aliases/{alias.pk}/release/" in web.get(f"/dataloggers/{old.pk}/care/").content.decode()
    assert "mill/before" in web.get(f"/aliases/{alias.pk}/release/").content.decode()
    assert web.post(f"/aliases/{alias.pk}/release/")["Location"] == f"/dataloggers/{old.pk}/care/"
    assert not old.aliases.exists()


def test_a_sensor_is_merged_and_a_gateway_deleted(web: Client) -> None:
    old, _new = pair()
    one, other = old.sensors.order_by("name")
    assert "?with=" in web.get(f"/sensors/{one.pk}/merge/").content.decode()
    assert web.get(f"/sensors/{one.pk}/merge/?with={other.pk}").status_code == 200
    web.post(f"/sensors/{one.pk}/merge/", {"with": other.pk})
    assert list(old.sensors.all()) == [other]
    gateway = factories.make_gateway(old.connection)
    old.gateway = gateway
    old.save(update_fields=["gateway"])
    assert "stay, without a gateway: 1" in web.get(f"/gateways/{gateway.pk}/delete/").content.decode()
    web.post(f"/gateways/{gateway.pk}/delete/")
    assert not Gateway.objects.exists()


def test_a_page_says_what_a_deletion_takes_along_before_it_happens(web: Client) -> None:
    old, _new = pair()
    page = web.get(f"/dataloggers/{old.pk}/delete/").content.decode()
    assert "<dt>Readings</dt><dd>2</dd>" in page
    web.post(f"/dataloggers/{old.pk}/delete/")
    assert not Datalogger.objects.filter(pk=old.pk).exists()
    assert DeviceTask.objects.get().sensors


@pytest.mark.parametrize("given", ["", "x", "²", "0", "999999999999999999", "-1"])
def test_nonsense_instead_of_a_device_does_nothing(web: Client, given: str) -> None:
    old, new = pair()
    for method in (web.get, web.post):
        assert method(f"/dataloggers/{old.pk}/replace/", {"with": given}).status_code in {200, 404}
    assert web.get(f"/dataloggers/{old.pk}/replace/?with={old.pk}").status_code == 302
    assert web.post(f"/dataloggers/{old.pk}/merge/", {"with": old.pk}).status_code == 302
    assert {old, new} == set(Datalogger.objects.all())


def test_a_program_replaces_merges_and_deletes(administrator: Any, operator: Any) -> None:
    api, operating = client_of(administrator), client_of(operator)
    old, new = pair()
    base = "/api/v1/mqtt/dataloggers"
    assert operating.post(f"{base}/{old.pk}/replace/", {"by": new.pk}).status_code == 403
    answer = api.post(f"{base}/{old.pk}/replace/", {"by": new.pk})
    assert (answer.status_code, answer.json()["key"]) == (202, new.key)
    third = factories.make_datalogger(old.connection)
    answer = api.post(f"{base}/{third.pk}/merge/", {"into": old.pk})
    assert (answer.status_code, answer.json()["id"]) == (202, old.pk)
    assert api.post(f"{base}/{old.pk}/merge/", {"into": third.pk}).json() == {"into": ["There is no such device."]}
    assert api.post(f"{base}/{old.pk}/merge/", {"into": "x"}).status_code == 400
    assert api.post(f"{base}/{old.pk}/merge/", {"into": old.pk}).json()["code"] == "joined_with_itself"
    assert operating.delete(f"{base}/{old.pk}/").status_code == 403
    assert api.delete(f"{base}/{old.pk}/").status_code == 204
    assert not Datalogger.objects.exists()
