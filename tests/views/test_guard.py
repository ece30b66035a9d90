"""The door of every page, when a session has ended meanwhile."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_button_pressed_after_the_session_ended_moves_the_whole_page(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/connections/?status=error"}
    answer = client.post("/connections/1/enable/", headers=headers)
    assert answer["HX-Redirect"] == "/login/?next=/connections/%3Fstatus%3Derror"


def test_a_foreign_page_is_no_way_back(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"}
    assert client.post("/connections/1/enable/", headers=headers)["HX-Redirect"] == "/login/?next=/"


def test_a_plain_button_leads_back_to_a_page_and_not_to_itself(client: Client) -> None:
    assert client.post("/connections/1/enable/")["Location"] == "/login/?next=/"
    assert client.get("/connections/?page=2")["Location"] == "/login/?next=/connections/%3Fpage%3D2"


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://testserver/connections/1/edit/?x=1", "/connections/1/edit/%3Fx%3D1"),
        ("https://evil.example/connections/1/edit/", "/"),
        ("http://[", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client: Client, page: str, back: str) -> None:
    answer = client.post("/connections/1/edit/", headers={"Referer": page})
    assert answer["Location"] == f"/login/?next={back}"
