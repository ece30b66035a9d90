"""Accepting what is new."""

from typing import Any

import pytest
from django.test import Client

from mqtt.models import AuditEntry, Datalogger, Gateway
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_new_device_is_marked_until_somebody_accepts_it_on_its_page(client: Client, operator: Any) -> None:
    client.force_login(operator)
    device = factories.make_datalogger()
    assert 'class="tag"' in page(client, "/dataloggers/")
    assert 'data-action="accept"' in page(client, f"/dataloggers/{device.pk}/")
    assert client.post(f"/dataloggers/{device.pk}/accept/").status_code == 302
    assert 'class="tag"' not in page(client, "/dataloggers/")
    assert 'data-action="accept"' not in page(client, f"/dataloggers/{device.pk}/")
    assert AuditEntry.objects.get().label == str(device)
    client.post(f"/dataloggers/{device.pk}/accept/")
    assert AuditEntry.objects.count() == 1


def test_all_new_ones_that_match_are_accepted_after_a_question(client: Client, operator: Any) -> None:
    client.force_login(operator)
    one, other = factories.make_gateway(identifier="roof"), factories.make_gateway(identifier="cellar")
    assert "2 new devices" in page(client, "/gateways/")
    listed = page(client, "/gateways/?new=true&search=roof")
    assert "/gateways/accept/?new=true&amp;search=roof" in listed
    assert "New: yes" in listed
    assert "2 new gateways wait to be accepted" in page(client, "/")
    assert "Accept 1 new device?" in page(client, "/gateways/accept/?new=true&search=roof")
    assert client.post("/gateways/accept/?new=true&search=roof").status_code == 302
    assert list(Gateway.objects.filter(accepted_at=None)) == [other]
    assert one.identifier not in page(client, "/gateways/?new=true").split("<tbody", 1)[1]


def test_a_viewer_sees_what_is_new_and_cannot_accept(client: Client, viewer: Any) -> None:
    client.force_login(viewer)
    device = factories.make_datalogger()
    assert 'data-action="accept"' not in page(client, f"/dataloggers/{device.pk}/")
    assert "accept/" not in page(client, "/dataloggers/?new=true")
    for url in (f"/dataloggers/{device.pk}/accept/", "/dataloggers/accept/", "/gateways/accept/"):
        assert client.post(url).status_code == 403
    assert Datalogger.objects.get().accepted_at is None
