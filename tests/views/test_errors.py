"""Pages for what went wrong."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from mqtt.views import errors

pytestmark = pytest.mark.django_db


def test_a_wrong_address_is_explained_calmly(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get("/no/such/page/")
    assert page.status_code == 404
    assert "There is no such page" in page.content.decode()


def test_an_account_without_a_role_is_told_whom_to_ask(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    page = client.get("/account/tokens/")
    assert page.status_code == 403
    assert "Your account has no role yet" in page.content.decode()


def test_a_form_without_its_token_is_refused_in_words(viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)
    page = client.post("/account/tokens/new/", {"name": "x"})
    assert page.status_code == 403
    assert "This form is no longer valid" in page.content.decode()


def test_the_page_for_our_own_faults_needs_no_database(rf: RequestFactory, django_db_blocker: object) -> None:
    with django_db_blocker.block():  # type: ignore[attr-defined]
        page = errors.server_error(rf.get("/"))
    assert page.status_code == 500
    assert "Something went wrong" in page.content.decode()


def test_the_page_for_our_own_faults_survives_broken_templates(rf: RequestFactory, settings: object) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False}]  # type: ignore[attr-defined]
    page = errors.server_error(rf.get("/"))
    assert page.status_code == 500
    assert page["Content-Type"].startswith("text/plain")


def test_an_unknown_host_gets_a_page_that_says_what_to_set(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get("/account/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "ALLOWED_HOSTS" in page.content.decode()


def test_the_address_of_a_button_opened_by_hand_is_explained(client: Client, operator: User) -> None:
    client.force_login(operator)
    page = client.get("/connections/1/enable/")
    assert page.status_code == 405
    assert page.headers["Allow"] == "POST"
    assert "Nothing was done" in page.content.decode()


def test_a_wrong_method_at_the_api_stays_json(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    answer = client.delete("/api/v1/mqtt/topics/")
    assert answer.status_code == 405
    assert answer.headers["Content-Type"] == "application/json"
