import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_complete(tmp_path: Path) -> None:
    target = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    text = target.read_text()
    for path in ("connections/{id}/test/", "sensors/{id}/readings/", "dataloggers/{id}/readings/", "health/"):
        assert f"/api/v1/mqtt/{path}" in text


def test_the_schema_is_served_to_who_may_look(looking: APIClient) -> None:
    answer = looking.get("/api/v1/schema/", {"format": "json"}, HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Vedetta"


def test_the_docs_page_needs_a_login_and_loads_nothing_from_elsewhere(viewer: Any) -> None:
    browser = Client()
    assert browser.get("/api/v1/docs/").status_code == 302
    browser.force_login(viewer)
    page = browser.get("/api/v1/docs/").content.decode()
    assert "<style" not in page
    assert not re.search(r"<script>(?!</script>)", page)
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) > 2
    assert all(link.startswith(("/static/", "/api/")) for link in links)


def test_an_interval_is_written_in_whole_seconds_and_may_be_learned_below_one(looking: APIClient) -> None:
    answer = looking.get("/api/v1/schema/", {"format": "json"}).json()
    named = answer["components"]["schemas"]
    read, written = (
        named[name]["properties"]["expected_interval_seconds"] for name in ("Sensor", "PatchedSensorRequest")
    )
    assert (read["type"], read["minimum"], read["nullable"]) == ("number", 0, True)
    assert (written["type"], written["minimum"], written["nullable"]) == ("integer", 1, True)


def test_the_docs_page_refuses_in_a_page_too(viewer: Any) -> None:
    browser = Client()
    browser.force_login(viewer)
    assert browser.post("/api/v1/docs/").status_code == 403
    assert browser.get("/api/v1/docs/", headers={"accept": "application/pdf"}).status_code == 406
    viewer.groups.clear()
    refused = browser.get("/api/v1/docs/")
    assert refused.status_code == 403
    assert "<h1" in refused.content.decode()
