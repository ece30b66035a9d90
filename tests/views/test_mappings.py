"""Mappings, made by clicking values out of a payload."""

import html
import re

import pytest
from django.test import Client

from mqtt.models import AuditEntry, Mapping
from mqtt.services.announcements import load_memory
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

PAYLOAD = b'{"hdr": {"sn": "B7", "t": 1789984800}, "rows": [{"n": "<b>", "v": 1.5}]}'


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page.split('id="mapping"')[1].split("</form>", maxsplit=1)[0]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        is_box = 'type="checkbox"' in tag
        if name and (not is_box or "checked" in tag):
            found[name.group(1)] = "on" if is_box else html.unescape(value.group(1)) if value else ""
    return found


def test_a_mapping_is_clicked_together_from_a_message_that_was_not_understood(web: Client) -> None:
    topic = factories.make_topic(topic="odd/x", last_payload=PAYLOAD, last_size=len(PAYLOAD))
    message = factories.make_undecoded(topic.connection, topic="odd/x", payload=PAYLOAD)
    url = f"/mappings/new/?message={message.pk}"
    page = web.get(url).content.decode()
    assert "value:rows[0].v" in page
    assert "&quot;&lt;b&gt;&quot;" in page
    for pick in ("value:rows[0].v", "name:rows[0].n", "time:hdr.t", "device:hdr.sn"):
        page = web.post(url, {**fields(page), "pick": pick}).content.decode()
    assert 'data-value="1.5"' in page
    assert "1 of 1 message understood" in page
    answer = web.post(url, {**fields(page), "save": "1", "name": "Odd boxes", "connection": topic.connection_id})
    assert answer.status_code == 302
    (mapping,) = Mapping.objects.all()
    assert (mapping.connection, mapping.topic_pattern) == (topic.connection, "odd/x")
    assert (mapping.device_path, mapping.time_path) == ("hdr.sn", "hdr.t")
    assert mapping.values == [{"path": "rows[0].v", "name": "v", "name_path": "rows[0].n", "unit": "", "kind": ""}]
    assert AuditEntry.objects.get().label == "Odd boxes"
    decoder = load_memory(topic.connection_id).mapping_of("odd/x")
    assert decoder is not None
    assert load_memory(factories.make_connection(name="other").pk).mapping_of("odd/x") is None


def test_nothing_is_saved_with_a_bad_path_or_without_a_value(web: Client) -> None:
    given = {"name": "x", "topic_pattern": "a/{b}", "device": "{c}", "save": "1", "items_path": "a..b",
             "values-TOTAL_FORMS": "0", "values-INITIAL_FORMS": "0"}  # fmt: skip
    page = web.post("/mappings/new/", given).content.decode()
    assert not Mapping.objects.exists()
    for sentence in ("no path into the payload", "have no level {c}", "Take at least one value"):
        assert sentence in page


def test_a_mapping_is_changed_switched_off_and_deleted(web: Client) -> None:
    row = Mapping.objects.create(name="m", topic_pattern="a/#", values=[{"path": "v", "name": "x"}])
    connection = factories.make_connection()
    page = web.get(f"/mappings/{row.pk}/").content.decode()
    sent = {key: value for key, value in fields(page).items() if key != "is_active"}
    assert web.post(f"/mappings/{row.pk}/", {**sent, "save": "1", "values-0-unit": "m"}).status_code == 302
    row.refresh_from_db()
    assert (row.is_active, row.values[0]["unit"]) == (False, "m")
    assert load_memory(connection.pk).mapping_of("a/b") is None
    assert "switched off" in web.get("/mappings/").content.decode()
    assert web.post(f"/mappings/{row.pk}/delete/").status_code == 302
    assert not Mapping.objects.exists()


def test_a_mapping_that_was_broken_past_the_form_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    Mapping.objects.create(name="m", topic_pattern="a/#", values=[{"path": "v..", "name": "x"}])
    assert load_memory(factories.make_connection().pk).mapping_of("a/b") is None
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_may_not_configure_looks_only(client: Client, role: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(role))
    row = Mapping.objects.create(name="m", topic_pattern="a/#", values=[{"path": "v", "name": "x"}])
    assert client.get("/mappings/").status_code == 200
    for url in ("/mappings/new/", f"/mappings/{row.pk}/"):
        assert client.get(url).status_code == 403
    assert client.post(f"/mappings/{row.pk}/delete/").status_code == 403
