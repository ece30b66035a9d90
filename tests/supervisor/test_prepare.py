from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from mqtt.supervisor import prepare
from tests.console import run_up


@pytest.mark.database
@pytest.mark.django_db
def test_nothing_is_migrated_when_all_tables_are_there() -> None:
    assert prepare.migrate() == 0


@pytest.mark.database
@pytest.mark.django_db
def test_the_first_account_is_an_administrator_who_can_log_in(client: Client) -> None:
    password = prepare.make_first_account()
    assert client.login(username="admin", password=password)
    user = User.objects.get()
    assert user.is_staff
    assert user.is_superuser
    assert [group.name for group in user.groups.all()] == ["administrator"]
    assert prepare.make_first_account() == ""
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_name_that_no_account_may_have_stops_the_start(settings: object) -> None:
    settings.ADMIN_USERNAME = "anna maria"  # type: ignore[attr-defined]
    with pytest.raises(SystemExit, match="ADMIN_USERNAME cannot be"):
        prepare.make_first_account()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_given_password_is_used_and_not_told(client: Client, settings: object) -> None:
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "anna", "a given password"  # type: ignore[attr-defined]
    assert prepare.make_first_account() == ""
    assert client.login(username="anna", password="a given password")


def test_a_key_that_is_none_is_named(settings: object) -> None:
    settings.CREDENTIALS_KEYS = ["too short"]  # type: ignore[attr-defined]
    with pytest.raises(SystemExit, match="CREDENTIALS_KEY"):
        prepare.check_keys()


def test_static_files_are_gathered_only_when_they_changed(settings: object, tmp_path: Path) -> None:
    source = tmp_path / "static"
    source.mkdir()
    (source / "one.css").write_text("a{}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source], tmp_path / "gathered"  # type: ignore[attr-defined]
    assert prepare.collect_static()
    assert (tmp_path / "gathered" / "one.css").exists()
    assert not prepare.collect_static()
    (source / "two.css").write_text("b{}")
    assert prepare.collect_static()
    assert (tmp_path / "gathered" / "two.css").exists()


@pytest.mark.django_db
def test_prepare_may_be_repeated(capsys: pytest.CaptureFixture[str], settings: object, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "gathered"  # type: ignore[attr-defined]
    call_command("prepare")
    assert "user=admin  password=" in capsys.readouterr().out
    call_command("prepare")
    assert "password" not in capsys.readouterr().out


@pytest.mark.parametrize("url", ["postgresql://a:b@127.0.0.1:1/x", "sqlite:////does/not/exist.sqlite3"])
def test_a_database_that_cannot_be_reached_is_said_in_one_line(tmp_path: Path, url: str) -> None:
    refused = run_up(tmp_path / "data", DATABASE_URL=url)
    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "vedetta.sqlite3").write_text("not a database " * 100)
    refused = run_up(tmp_path)
    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.database
@pytest.mark.django_db
def test_a_database_that_answers_is_good_enough() -> None:
    prepare.check_database()
