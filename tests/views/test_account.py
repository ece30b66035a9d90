"""Login, logout, password, API tokens, language."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from mqtt.models import ApiToken, AuditEntry
from mqtt.services import throttle
from mqtt.services.tokens import authenticate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_failures_yet() -> None:
    throttle.forget_everything()


def test_who_logs_in_goes_where_they_wanted(client: Client, viewer: User) -> None:
    answer = client.post("/login/", {"username": "viewer", "password": "viewer-password", "next": "/account/"})
    assert answer.status_code == 302
    assert answer["Location"] == "/account/"


def test_the_login_sends_nobody_to_a_foreign_site(client: Client, viewer: User) -> None:
    answer = client.post(
        "/login/", {"username": "viewer", "password": "viewer-password", "next": "https://evil.example/"}
    )
    assert answer["Location"] in {"/", "/overview/"}


def test_a_wrong_password_says_so_and_too_many_say_how_long_to_wait(client: Client, viewer: User) -> None:
    for _try in range(5):
        page = client.post("/login/", {"username": "viewer", "password": "wrong"})
        assert page.status_code == 200
    page = client.post("/login/", {"username": "viewer", "password": "viewer-password"})
    assert "Too many wrong passwords" in page.content.decode()


def test_the_login_page_tells_password_managers_what_is_what(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "reset_password" in page


def test_logging_out_needs_a_post(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert client.get("/account/").status_code == 302


def test_who_guesses_the_old_password_must_wait_at_the_login_too(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    wrong = {"old_password": "no", "new_password1": "vierzehn-gruen", "new_password2": "vierzehn-gruen"}
    for _ in range(5):
        assert "Too many" not in client.post("/account/password/", wrong).content.decode()
    right = {**wrong, "old_password": "viewer-password"}
    assert "Too many wrong passwords" in client.post("/account/password/", right).content.decode()
    assert viewer.check_password("viewer-password")
    login = Client().post("/login/", {"username": "viewer", "password": "viewer-password"})
    assert "Too many wrong passwords" in login.content.decode()


def test_a_new_password_needs_the_old_one(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    wrong = {"old_password": "no", "new_password1": "vierzehn-gruen", "new_password2": "vierzehn-gruen"}
    assert client.post("/account/password/", wrong).status_code == 200
    answer = client.post("/account/password/", {**wrong, "old_password": "viewer-password"})
    assert answer.status_code == 302
    assert client.get("/account/").status_code == 200, "the own session goes on"
    viewer.refresh_from_db()
    assert viewer.check_password("vierzehn-gruen")
    assert AuditEntry.objects.filter(action="password_set", actor="viewer").exists()


def test_a_tokens_secret_is_shown_once(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.post("/account/tokens/new/", {"name": "<b>backup</b>", "lifetime": "30"})
    secret = re.search(r'data-field="secret">([^<]+)<', page.content.decode())
    assert secret
    assert "<b>backup</b>" not in page.content.decode()
    token = authenticate(secret[1])
    assert token is not None
    assert token.user == viewer
    assert secret[1] not in client.get("/account/tokens/").content.decode()


def test_a_token_is_revoked_on_the_second_click(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    client.post("/account/tokens/new/", {"name": "backup", "lifetime": ""})
    token = ApiToken.objects.get()
    assert token.expires_at is None
    assert "Revoke backup?" in client.get(f"/account/tokens/{token.pk}/revoke/").content.decode()
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert not ApiToken.objects.exists()


def test_nobody_revokes_anothers_token(client: Client, viewer: User, operator: User) -> None:
    token = ApiToken.objects.create(user=operator, name="mine", digest="0" * 64)
    client.force_login(viewer)
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.exists()


def test_the_language_can_be_chosen(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.post("/i18n/setlang/", {"language": "it", "next": "/account/"})
    assert answer["Location"] == "/account/"
    assert '<html lang="it">' in client.get("/account/").content.decode()


def test_an_account_without_a_role_still_reaches_its_own_page(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    assert "ask an administrator" in client.get("/account/").content.decode()
    assert client.get("/account/tokens/").status_code == 403


def test_the_admin_sites_own_way_to_a_new_password_leads_to_ours(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    answer = client.get("/admin/password_change/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/password/")
