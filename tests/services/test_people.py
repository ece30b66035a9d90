import io
import sys
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry
from mqtt.permissions import CONFIGURE, OPERATE, VIEW, can
from mqtt.services.audit import Actor
from mqtt.services.people import has_other_administrator, role_of, set_role
from tests.servers import PATIENCE

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_reset_password_prints_a_new_one_and_ends_the_sessions(viewer: Any) -> None:
    browser = Client()
    browser.force_login(viewer)
    said = run("reset_password", "viewer")
    password = said.strip().removeprefix("user=viewer password=")
    viewer.refresh_from_db()
    assert viewer.check_password(password)
    session = browser.session
    assert session["_auth_user_hash"] != viewer.get_session_auth_hash()
    entry = AuditEntry.objects.get(action="password_set")
    assert (entry.label, entry.via) == ("viewer", "command")
    assert password not in str(entry.details)


def test_reset_password_takes_one_from_stdin_and_does_not_print_it(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("tr0mbone-and-drums\n"))
    assert "tr0mbone" not in run("reset_password", "viewer", "--stdin")
    viewer.refresh_from_db()
    assert viewer.check_password("tr0mbone-and-drums")


def test_reset_password_refuses_weak_passwords_and_unknown_names(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("1234\n"))
    with pytest.raises(CommandError, match="too short"):
        run("reset_password", "viewer", "--stdin")
    with pytest.raises(CommandError, match=r"no account 'nobody'\. Accounts: viewer"):
        run("reset_password", "nobody")


def test_set_role_gives_exactly_one_role(stranger: Any, administrator: Any) -> None:
    every = [VIEW, OPERATE, CONFIGURE]
    for rank, role in enumerate(("none", "viewer", "operator", "administrator")):
        run("set_role", "stranger", role)
        user = User.objects.get(username="stranger")
        assert role_of(user) == role.replace("none", "")
        assert [action for action in every if can(user, action)] == every[:rank]
        assert user.is_staff == (role == "administrator")


def test_the_last_administrator_cannot_be_taken_away(administrator: Any) -> None:
    with pytest.raises(CommandError, match="last administrator"):
        run("set_role", "administrator", "viewer")


def test_set_role_makes_an_account_when_asked() -> None:
    with pytest.raises(CommandError, match="--create"):
        run("set_role", "eve", "viewer")
    assert "password=" in run("set_role", "eve", "viewer", "--create")
    assert role_of(User.objects.get(username="eve")) == "viewer"
    for name in ("eve and adam", "e" * 151):
        with pytest.raises(CommandError, match=r"username|characters"):
            run("set_role", name, "viewer", "--create")


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_take_the_role_from_each_other_at_once(administrator: Any, viewer: Any) -> None:
    actor = Actor.command("test")
    set_role(actor, viewer, "administrator")
    seen: list[str] = []

    def take_the_other() -> None:
        try:
            set_role(actor, viewer, "viewer")
        except ServiceError as error:
            seen.append(error.code)
        finally:
            connection.close()

    other = threading.Thread(target=take_the_other)
    with transaction.atomic():
        set_role(actor, administrator, "viewer")
        other.start()
        other.join(0.5)  # long enough for one who does not wait
    other.join(PATIENCE)
    assert seen == ["last_administrator"]
    assert has_other_administrator(administrator)
