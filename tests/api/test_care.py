"""Notes, corrections and mappings by program."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from mqtt.models import AuditEntry, Mapping, Note, SensorCorrection
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

BASE = "/api/v1/mqtt/"
BOX: dict[str, Any] = {
    "name": "Box", "topic_pattern": "box/{name}/#", "device": "{name}", "values": [{"path": "t", "unit": "°C"}],
}  # fmt: skip


def test_a_program_writes_finds_changes_and_deletes_its_notes(operating: APIClient, api: APIClient) -> None:
    sensor = factories.make_sensor()
    body = {"kind": "sensor", "object": sensor.pk, "at": "2026-05-01T12:00:00Z", "text": "Strap loose."}
    made = operating.post(f"{BASE}notes/", body).json()
    assert (made["author"], made["connection"]) == ("operator", sensor.connection_id)
    factories.make_note(factories.make_site())
    query = {"kind": "sensor", "object": sensor.pk, "start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    assert operating.get(f"{BASE}notes/", query).json()["results"] == [made]
    url = f"{BASE}notes/{made['id']}/"
    assert operating.patch(url, {"text": "Strap tight."}).json()["text"] == "Strap tight."
    assert operating.patch(url, {"object": 1}).json() == {"object": ["A note stays where it was written."]}
    foreign = factories.make_note(sensor)
    assert operating.delete(f"{BASE}notes/{foreign.pk}/").status_code == 403
    assert api.delete(f"{BASE}notes/{foreign.pk}/").status_code == 204
    assert operating.delete(url).status_code == 204
    assert AuditEntry.objects.filter(via="api").count() == 4


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"])
def test_a_moment_that_some_zone_has_no_date_for_is_refused_as_a_filter_and_as_a_value(
    api: APIClient, moment: str
) -> None:
    for name in ("start", "end"):
        answer = api.get(f"{BASE}notes/", {name: moment})
        assert (answer.status_code, [*answer.json()]) == (400, [name])
    sensor = factories.make_sensor()
    answer = api.post(f"{BASE}notes/", {"kind": "sensor", "object": sensor.pk, "at": moment, "text": "x"})
    assert (answer.status_code, [*answer.json()]) == (400, ["at"])
    correction = {"sensor": sensor.pk, "gain": 2, "reason": "x", "valid_from": moment}
    answer = api.post(f"{BASE}corrections/", correction)
    assert (answer.status_code, [*answer.json()]) == (400, ["valid_from"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "topic", "object": 1, "text": "x"}, "kind"),
        ({"kind": "sensor", "object": 999999, "text": "x"}, "object"),
        ({"kind": "sensor", "object": "1", "text": "x"}, "object"),
        ({"kind": "sensor", "object": 1, "text": " "}, "text"),
        ({"kind": "sensor", "object": 1, "text": "x", "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"kind": "sensor", "object": 1, "text": "x", "author": 3, "autor": 2}, "autor"),
    ],
)
def test_a_note_that_cannot_be_is_refused_with_its_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    answer = api.post(f"{BASE}notes/", body)
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_corrections_are_written_and_taken_back(api: APIClient) -> None:
    sensor = factories.make_sensor(value=20.0)
    body = {"sensor": sensor.pk, "valid_from": "2026-01-01T00:00:00Z", "offset": 1.5, "reason": "calibrated"}
    made = api.post(f"{BASE}corrections/", body)
    assert made.status_code == 201, made.content
    assert (made.json()["gain"], made.json()["author"]) == (1.0, "administrator")
    assert api.get(f"{BASE}sensors/{sensor.pk}/").json()["last_value"] == 21.5
    again = api.post(f"{BASE}corrections/", body)
    assert (again.status_code, again.json()["code"]) == (409, "corrected_then")
    zero = {**body, "gain": 0, "valid_from": "2026-01-02T00:00:00Z"}
    assert api.post(f"{BASE}corrections/", zero).status_code == 409
    assert api.get(f"{BASE}corrections/", {"sensor": sensor.pk}).json()["count"] == 1
    assert api.delete(f"{BASE}corrections/{made.json()['id']}/").status_code == 204
    assert not SensorCorrection.objects.exists()


def test_mappings_are_written_changed_and_deleted(api: APIClient) -> None:
    made = api.post(f"{BASE}mappings/", BOX)
    assert made.status_code == 201, made.content
    assert made.json()["values"] == [{"path": "t", "name": "", "name_path": "", "unit": "°C", "kind": ""}]
    url = f"{BASE}mappings/{made.json()['id']}/"
    assert api.patch(url, {"is_active": False}).json()["is_active"] is False
    assert api.post(f"{BASE}mappings/", BOX).json() == {"name": ["mapping with this name already exists."]}
    assert api.delete(url).status_code == 204
    assert not Mapping.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"topic_pattern": "{name}/#/b"}, "topic_pattern"),
        ({"device": "{other}"}, "device"),
        ({"time_path": "a["}, "time_path"),
        ({"values": [{"path": "a["}]}, "values"),
        ({"values": []}, "values"),
        ({"values": [{"path": "a", "x": "b"}]}, "values"),
        ({"connection": 999999}, "connection"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_field(api: APIClient, change: dict[str, Any], field: str) -> None:
    answer = api.post(f"{BASE}mappings/", {**BOX, **change})
    assert (answer.status_code, set(answer.json())) == (400, {field})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


WRITTEN = [
    "kind", "object", "at", "text", "sensor", "gain", "reason", "valid_from", "name", "connection", "topic_pattern",
    "values", "device", "items_path", "separator", "is_ignored",
]  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, field=st.sampled_from(WRITTEN))
def test_whatever_a_program_writes_is_answered(api: APIClient, value: Any, field: str) -> None:
    sensor = factories.make_sensor()
    bodies: dict[str, dict[str, Any]] = {
        "notes": {"kind": "sensor", "object": sensor.pk, "text": "x"},
        "corrections": {"sensor": sensor.pk, "valid_from": "2026-01-01T00:00:00Z", "reason": "x"},
        "mappings": BOX,
    }
    for path, body in bodies.items():
        answer = api.post(f"{BASE}{path}/", {**body, field: value})
        assert answer.status_code < 500, answer.content
    for model in (Note, SensorCorrection, Mapping):
        model.objects.all().delete()
