"""Notes on the pages of what they are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from mqtt.charts import contents
from mqtt.charts.windows import Window
from mqtt.models import AuditEntry, Note
from mqtt.models.reading import to_us
from mqtt.services.audit import Actor
from mqtt.services.places import delete_site
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

KINDS = ["connection", "site", "gateway", "datalogger", "sensor"]


def make(kind: str) -> Any:
    return getattr(factories, f"make_{kind}")()


@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_writes_a_note_on_anything_and_everybody_reads_it(
    client: Client, operator: User, viewer: User, kind: str
) -> None:
    thing = make(kind)
    page = f"/{kind}s/{thing.pk}/"
    client.force_login(operator)
    answer = client.post(f"{page}note/", {"at": "2026-05-01T12:30", "text": "Strap loose.\r\nTightened <b>it</b>."})
    assert answer["Location"] == f"{page}#notes"
    note = Note.objects.get()
    assert (note.text, note.author, note.author_name) == ("Strap loose.\nTightened <b>it</b>.", operator, "operator")
    assert note.connection_id == (thing.pk if kind == "connection" else getattr(thing, "connection_id", None))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.kind, entry.object_id) == ("noted", kind, thing.pk)
    client.force_login(viewer)
    shown = client.get(page).content.decode()
    assert "Tightened &lt;b&gt;it&lt;/b&gt;." in shown
    assert f"/notes/{note.pk}/" not in shown, "a viewer gets no links that lead nowhere"
    assert client.post(f"{page}note/", {"at": "2026-05-01T12:30", "text": "x"}).status_code == 403


@pytest.mark.parametrize("zone", ["Europe/Rome", "America/New_York"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_note_of_a_moment_that_some_zone_has_no_date_for_is_refused_in_words(
    web: Client, settings: Any, zone: str, at: str
) -> None:
    settings.TIME_ZONE = zone
    page = f"/sensors/{make('sensor').pk}/"
    answer = web.post(f"{page}note/", {"at": at, "text": "Long ago, or far ahead."})
    assert "Write a time between the years 1 and 9999." in answer.content.decode()
    assert not Note.objects.exists(), "PostgreSQL could store it, and the page could not read it any more"
    assert web.get(page).status_code == 200


def test_only_the_author_and_administrators_change_or_delete_a_note(
    client: Client, operator: User, administrator: User, django_user_model: Any
) -> None:
    own = factories.make_note(make("sensor"), author=operator, author_name="operator")
    other = factories.make_note(make("sensor"), text="Mine.", author_name="somebody")
    changed = {"at": "2026-05-01T12:30", "text": "The strap was loose, and the nut."}
    client.force_login(operator)
    assert "Only somebody and administrators" in client.get(f"/notes/{other.pk}/").content.decode()
    assert client.post(f"/notes/{other.pk}/", changed).status_code == 403
    assert client.post(f"/notes/{other.pk}/delete/").status_code == 403
    client.post(f"/notes/{own.pk}/", changed)
    own.refresh_from_db()
    assert own.text.endswith("and the nut.")
    assert own.changed_at
    assert client.get(f"/notes/{own.pk}/delete/").status_code == 200
    client.post(f"/notes/{own.pk}/delete/")
    client.force_login(administrator)
    client.post(f"/notes/{other.pk}/delete/")
    assert not Note.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "note_changed", "note_deleted", "note_deleted",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "a\0b"])
def test_a_note_without_text_or_too_long_is_refused_in_words(client: Client, operator: User, text: str) -> None:
    client.force_login(operator)
    answer = client.post(f"/sensors/{make('sensor').pk}/note/", {"at": "2026-05-01T12:30", "text": text})
    assert answer.status_code == 200
    assert b"Nothing was saved yet." in answer.content


def test_the_field_for_a_time_names_the_zone_it_is_read_in(client: Client, operator: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Rome"
    client.force_login(operator)
    page = client.get(f"/sensors/{factories.make_sensor().pk}/note/").content.decode()
    assert "Time <small>Europe/Rome</small>" in page


def test_a_chart_finds_the_notes_of_all_that_its_sensor_hangs_on() -> None:
    gateway = factories.make_gateway()
    sensor = factories.make_sensor(factories.make_datalogger(gateway=gateway))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    for thing in (sensor, sensor.datalogger, gateway, sensor.connection):
        factories.make_note(thing, at=at, text=type(thing).__name__)
    factories.make_note(make("sensor"), at=at)
    factories.make_note(sensor, at=at + timedelta(days=2))
    day = 86_400_000_000
    found = contents.marks([sensor], Window(to_us(at) - day, to_us(at) + day, ""))
    assert {mark["text"] for mark in found} == {"SensorDevice", "Datalogger", "Gateway", "MqttConnection"}


def test_the_notes_on_a_site_go_with_it() -> None:
    site = factories.make_site()
    factories.make_note(site)
    delete_site(Actor.command("test"), site)
    assert not Note.objects.filter(kind="site").exists()
