"""Every setting is explained, a bad one is named in one line, and secrets are kept as they should be."""

import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import env
from tests.console import ROOT, environment

READERS = re.compile(
    r"\benv\.(?:text|flag|integer|number|words|hosts|origins|addresses|choice|folder|path|kept_secret|database|url)\(\s*\"([A-Z_]+)\""
)


def setting_names() -> set[str]:
    """Every variable that the code reads."""
    sources = [path.read_text() for room in ("app", "mqtt") for path in (ROOT / room).rglob("*.py")]
    return {name for source in sources for name in READERS.findall(source)} | {"TIME_ZONE"}


def load(data_dir: Path, code: str = "", **settings: object) -> "subprocess.CompletedProcess[str]":
    """Load the settings in a process of their own, and run some code on them as `settings`."""
    return subprocess.run(
        [sys.executable, "-c", f"from app import settings\n{code}"],
        cwd=ROOT,
        env=environment(**{"DATA_DIR": data_dir} | settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_setting_is_explained() -> None:
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert explained == setting_names()


def test_the_example_lists_every_setting_and_changes_none() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line]
    assert all(line.startswith("#") for line in lines)
    of_compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    named = {match[1] for line in lines if (match := re.match(r"#([A-Z_]+)=", line))}
    assert named == setting_names() | of_compose


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "eighty"),
        ("HTTP_PORT", "70000"),
        ("EMBEDDED_BROKER_PORT", "0"),
        ("EMBEDDED_BROKER", "perhaps"),
        ("DATABASE_URL", "mysql://root@localhost/vedetta"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "postgresql://"),
        ("REDIS_URL", "redis://localhost:high/0"),
        ("ALLOWED_HOSTS", "console.example.com,http://console.example.com"),
        ("ALLOWED_HOSTS", "console.example.com:8000"),
        ("ALLOWED_HOSTS", "fd00::5"),
        ("CSRF_TRUSTED_ORIGINS", "console.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "10.0.0.5,proxy"),
        ("REDIS_URL", "localhost:6379"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("LANGUAGE_CODE", "tlh"),
        ("LIVE_INTERVAL", "often"),
        ("LOG_LEVEL", "LOUD"),
        ("SECRET_KEY_FILE", "/does/not/exist"),
        ("DATA_DIR", "/dev/null/data"),
    ],
)
def test_a_bad_value_stops_the_start_with_one_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    done = load(tmp_path / "data", **{name: value})
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert name.removesuffix("_FILE") in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://ada:tr0m/bone@host/vedetta"),
        ("DATABASE_URL", "ada:tr0mbone@host/vedetta"),
        ("REDIS_URL", "http://:tr0mbone@host"),
    ],
)
def test_a_bad_address_is_refused_without_its_password(tmp_path: Path, name: str, value: str) -> None:
    done = load(tmp_path / "data", **{name: value})
    assert done.returncode == 1
    assert "tr0m" not in done.stderr


def test_the_database_is_for_its_owner_whoever_makes_it(tmp_path: Path) -> None:
    assert load(tmp_path / "data").returncode == 0
    assert stat.S_IMODE((tmp_path / "data" / "vedetta.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*,.example.com,10.0.0.5,[fd00::5]"),
        ("CSRF_TRUSTED_ORIGINS", "https://console.example.com:8443,https://*.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.5,fd00::5"),
        ("DATABASE_URL", "postgresql://?service=console"),
        ("REDIS_URL", "unix:///run/valkey.sock?db=1"),
    ],
)
def test_a_good_value_is_taken(tmp_path: Path, name: str, value: str) -> None:
    done = load(tmp_path / "data", **{name: value})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_own_address_is_asked_for_as_browsers_write_it(tmp_path: Path) -> None:
    done = load(tmp_path / "data", "print(settings.ALLOWED_HOSTS[-1])", HTTP_HOST="fd00::5")
    assert done.stdout == "[fd00::5]\n"


def test_a_setting_may_be_given_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    done = load(tmp_path / "data", "print(settings.SECRET_KEY)", SECRET_KEY_FILE=tmp_path / "secret")
    assert done.stdout == "from a file\n", done.stderr
    assert not (tmp_path / "data" / "secret_key").exists()


def test_two_first_starts_at_once_keep_one_secret(tmp_path: Path) -> None:
    code = "print(settings.SECRET_KEY, settings.CREDENTIALS_KEYS)"
    with ThreadPoolExecutor(4) as starts:
        printed = {done.stdout for done in starts.map(lambda _: load(tmp_path / "data", code), range(4))}
    assert len(printed) == 1
    assert printed != {""}
    for name in ("secret_key", "credentials_key", "broker_password"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert not list((tmp_path / "data").glob("tmp*"))


def test_an_emptied_secret_is_said_and_not_replaced(tmp_path: Path) -> None:
    load(tmp_path / "data")
    (tmp_path / "data" / "credentials_key").write_text("")
    done = load(tmp_path / "data")
    assert done.returncode == 1
    assert "CREDENTIALS_KEY" in done.stderr
    assert (tmp_path / "data" / "credentials_key").read_text() == ""


def test_lan_opens_both_servers_unless_they_are_set(tmp_path: Path) -> None:
    code = "print(settings.HTTP_HOST, settings.EMBEDDED_BROKER_HOST)"
    assert load(tmp_path / "data", code).stdout == "127.0.0.1 127.0.0.1\n"
    assert load(tmp_path / "data", code, LAN="on").stdout == "0.0.0.0 0.0.0.0\n"
    assert load(tmp_path / "data", code, LAN="on", EMBEDDED_BROKER_HOST="127.0.0.1").stdout == "0.0.0.0 127.0.0.1\n"


def test_an_env_file_that_may_not_be_read_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(env.env, "read_env", refuse)
    with pytest.raises(SystemExit, match=r"cannot be read .Permission denied.*chown"):
        env.read_file(tmp_path / ".env")


LOGIN_PAGE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "app.settings"
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("prepare", verbosity=0, stdout=open(os.devnull, "w"))
client = Client(headers={"x-forwarded-proto": "https"})
page = client.get("/login/")
client.post("/login/", {"username": "admin", "password": "tr0mbone-player"})
client.post("/i18n/setlang/", {"language": "it"})
cookies = {name: bool(one["secure"]) for name, one in client.cookies.items()}
print(page.headers.get("Strict-Transport-Security"), cookies)
"""


@pytest.mark.parametrize(("switch", "strict"), [("on", "max-age=31536000"), ("off", "None")])
def test_over_https_browsers_are_told_to_stay_there_and_cookies_go_nowhere_else(
    tmp_path: Path, switch: str, strict: str
) -> None:
    given = {"HTTPS": switch, "ALLOWED_HOSTS": "testserver", "TRUSTED_PROXIES": "127.0.0.1"}
    done = load(tmp_path, LOGIN_PAGE, ADMIN_PASSWORD="tr0mbone-player", **given)
    is_secure = switch == "on"
    cookies = {"csrftoken": is_secure, "sessionid": is_secure, "django_language": is_secure}
    assert done.stdout.splitlines()[-1] == f"{strict} {cookies}", done.stderr
