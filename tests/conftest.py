"""Fixtures: the real servers, started once a run and only when a test asks for them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django.test
import hypothesis
import pytest
from django.conf import settings
from django.utils import translation

from tests import databases, servers, workers

pytest_xdist_auto_num_workers = workers.number

# As hypothesis does by itself in CI: an example that takes long on a busy machine is no failure.
hypothesis.settings.register_profile("calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
if not servers.IN_CI:
    hypothesis.settings.load_profile("calm")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> workers.Scheduler:
    """A function, because pytest takes no class for a hook."""
    return workers.Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; skip, with the reason, what needs a program that is missing, but not in CI."""
    items.sort(key=workers.place)
    if servers.IN_CI:
        return
    for marker, program in (("browser", servers.CHROMIUM), ("mosquitto", servers.MOSQUITTO)):
        if program is None:
            skip = pytest.mark.skip(reason=f"{marker} is not installed on this machine")
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(skip)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test counts as a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if servers.IN_CI and reporter and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run without a failed test fails."""
    if servers.IN_CI and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("In CI nothing may be skipped (see the lines above).", red=True)


@pytest.fixture(autouse=True)
def _plain_static_files(settings: object) -> None:
    """Tests render pages without a collectstatic run."""
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _fresh_sparklines() -> None:
    """They are kept by sensor, and the next test's sensors have the same numbers."""
    from mqtt.charts.sparklines import forget_everything  # needs Django's registry

    forget_everything()


@pytest.fixture(autouse=True)
def _english() -> None:
    """A page that an earlier test asked for in Italian leaves its language to the thread."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def _no_bare_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a test leads: a connection saved whole would write back a stale status."""
    from mqtt.models import MqttConnection  # needs Django's registry

    real = MqttConnection.save

    def save(self: MqttConnection, *args: Any, **kwargs: Any) -> None:
        named = kwargs.get("update_fields") is not None or kwargs.get("force_insert")
        assert named, "A connection is saved with update_fields."
        real(self, *args, **kwargs)

    monkeypatch.setattr(MqttConnection, "save", save)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Every test session, and so every worker, makes a database of its own."""
    databases.make_cheap()
    django.test.TransactionTestCase._fixture_teardown = databases.empty  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def valkey() -> Iterator["subprocess.Popen[bytes]"]:
    """The channel layer's server, on the socket that the settings name."""
    process = servers.valkey(Path(settings.VALKEY_SOCKET))
    yield process
    process.terminate()
    process.wait(servers.PATIENCE)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """rumqttd on a free loopback port."""
    with servers.running(servers.rumqttd(tmp_path_factory.mktemp("rumqttd"))) as server:
        yield server


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """Mosquitto on a free loopback port, anonymous."""
    with servers.running(servers.mosquitto(tmp_path_factory.mktemp("mosquitto"))) as server:
        yield server


@pytest.fixture
def viewer(django_user_model: type) -> object:
    """A user who may look."""
    return _user(django_user_model, "viewer")


@pytest.fixture
def operator(django_user_model: type) -> object:
    """A user who may look and switch."""
    return _user(django_user_model, "operator")


@pytest.fixture
def administrator(django_user_model: type) -> object:
    """A user who may do everything."""
    return _user(django_user_model, "administrator")


@pytest.fixture
def stranger(django_user_model: type) -> object:
    """An account without any role: may log in and see nothing."""
    return django_user_model.objects.create_user("stranger", password="stranger-password")  # type: ignore[attr-defined]


def _user(model: type, role: str) -> object:
    from django.contrib.auth.models import Group  # needs Django's registry

    user = model.objects.create_user(role, password=f"{role}-password")  # type: ignore[attr-defined]
    user.groups.add(Group.objects.get(name=role))
    return user
