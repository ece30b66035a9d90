"""What happens as the disk fills, with a disk of our own making."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from mqtt import alerts
from mqtt.messages import InboundMessage
from mqtt.models import DiskSample, Reading, SensorState, to_us
from mqtt.services import disk, health
from mqtt.services.disk import Disk, DiskGuard
from mqtt.services.jobs import disk_care
from mqtt.services.pipeline.message_processor import MessageProcessor
from mqtt.services.pressure import ProcessPressure
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOW = timezone.now()


def full(share: float, *, holds_database: bool = True, reusable: int = 0) -> Disk:
    return Disk(Path("/"), 100_000, round(100_000 * (1 - share)) - reusable, reusable, holds_database)


class Disks:
    """Measured one after the other."""

    def __init__(self, *shares: float) -> None:
        self.shares = list(shares)

    def __call__(self) -> Disk:
        return full(self.shares.pop(0) if len(self.shares) > 1 else self.shares[0])


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Callable[[DiskGuard], bool]:
    """Look at once, whenever it was last; whether history is kept."""
    monkeypatch.setattr(disk, "LOOK_EVERY", -1.0)

    def look(guard: DiskGuard) -> bool:
        guard.look()
        return guard.keeps_history

    return look


def test_the_real_disk_is_measured_with_the_free_room_inside_the_database() -> None:
    found = disk.measure()
    assert found
    assert found.holds_database
    assert 0 < found.share < 1
    half = disk.measure(lambda _: SimpleNamespace(total=1000, free=500))
    assert half
    assert half.total == 1000
    if connection.vendor == "sqlite":
        assert half.reusable >= 0


def test_a_disk_that_cannot_be_asked_is_not_known() -> None:
    def broken(_: Path) -> Any:
        raise OSError

    assert disk.measure(broken) is None


def test_a_database_elsewhere_leaves_only_our_own_files_here(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "database_folder", lambda: None)
    found = disk.measure()
    assert found
    assert (found.folder, found.holds_database) == (settings.DATA_DIR, False)


def test_a_postgresql_that_is_away_is_no_disk_with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        return  # its folder is known without asking
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE pg_read_all_data")
        assert disk.database_folder() is None  # this user may not know
        cursor.execute("RESET ROLE")

    def gone(*_: object) -> NoReturn:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", gone)
    with pytest.raises(OperationalError):
        DiskGuard().look()


def test_history_stops_at_98_percent_and_goes_on_a_little_below(
    looked: Callable[[DiskGuard], bool], caplog: pytest.LogCaptureFixture
) -> None:
    guard = DiskGuard(Disks(0.5, 0.979, 0.98, 0.979, 0.976, 0.974, 0.979))
    assert [looked(guard) for _ in range(7)] == [True, True, False, False, False, True, True]
    said = [text for text in caplog.messages if "disk" in text]
    assert [("no longer kept" in text, "room again" in text) for text in said] == [(True, False), (False, True)]


def test_who_waited_for_room_does_not_wait_for_the_next_look() -> None:
    guard = DiskGuard(Disks(0.99, 0.5))
    guard.look()
    guard.look()
    assert not guard.keeps_history
    guard.look(at_once=True)
    assert guard.keeps_history


def test_another_machines_disk_stops_nothing(looked: Callable[[DiskGuard], bool]) -> None:
    assert looked(DiskGuard(lambda: full(0.99, holds_database=False)))
    assert looked(DiskGuard(lambda: None))


def test_room_inside_the_database_is_room(looked: Callable[[DiskGuard], bool]) -> None:
    assert looked(DiskGuard(lambda: full(0.9, reusable=9_000)))
    assert full(0.9, reusable=9_000).share == pytest.approx(0.9)


def test_on_a_full_disk_values_are_shown_and_not_kept(looked: Callable[[DiskGuard], bool], valkey: Any) -> None:
    one = factories.make_connection()
    guard = DiskGuard(Disks(0.99))
    looked(guard)
    processor = MessageProcessor(guard)

    def say(value: float, second: int) -> None:
        received = to_us(NOW + timedelta(seconds=second))
        message = InboundMessage(one.pk, "hall/meter/power", str(value).encode(), 1, False, received, False, second, 1)
        result = processor.process([message], {one.pk: one.lease.token})
        assert result.accepted == {one.pk}

    say(1.5, 1), say(2.5, 2)
    assert not Reading.objects.exists()
    assert SensorState.objects.get().value == 2.5
    guard.keeps_history = True
    say(3.5, 3)
    assert Reading.objects.get().value == 3.5


def sample(hours_ago: float, used: int) -> None:
    DiskSample.objects.create(at=NOW - timedelta(hours=hours_ago), used=used, total=100_000)


def test_the_forecast_follows_the_last_week() -> None:
    assert disk.full_in_days(NOW, full(0.5)) is None
    sample(5, 10_000)
    assert disk.full_in_days(NOW, full(0.5)) is None
    DiskSample.objects.all().delete()
    sample(24 * 30, 0)
    sample(48, 46_000)
    assert disk.full_in_days(NOW, full(0.5)) == pytest.approx(25)
    assert disk.full_in_days(NOW, full(0.46)) == disk.NEVER
    assert disk.full_in_days(NOW, full(0.40)) == disk.NEVER


def test_another_disk_begins_anew() -> None:
    DiskSample.objects.create(at=NOW - timedelta(days=2), used=10, total=50_000)
    assert disk.full_in_days(NOW, full(0.5)) is None


def test_it_is_noted_once_an_hour_and_forgotten_after_two_months() -> None:
    sample(24 * 61, 0)
    for minutes in (0, 1, 59, 61):
        disk_care.care(NOW + timedelta(minutes=minutes), full(0.5))
    assert DiskSample.objects.count() == 2


@pytest.fixture
def history() -> None:
    sensor, other = factories.make_sensor(), factories.make_sensor()
    for days in range(20):
        factories.make_reading(sensor, time=NOW - timedelta(days=days, minutes=1))
    factories.make_reading(other, time=NOW - timedelta(days=19, hours=6))


def ages() -> list[int]:
    return sorted((NOW - one.time).days for one in Reading.objects.all())


@pytest.mark.usefixtures("history")
def test_at_95_percent_the_oldest_day_goes_each_minute_until_the_days_to_keep() -> None:
    assert disk_care.care(NOW, full(0.94)) == 0
    assert disk_care.care(NOW, full(0.95)) >= 2
    assert max(ages()) <= 18
    for _ in range(40):
        disk_care.care(NOW, full(0.99))
    assert ages() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("history")
def test_nothing_is_deleted_where_that_is_not_wanted_or_would_not_help(settings: Any) -> None:
    assert disk_care.care(NOW, full(0.99, holds_database=False)) == 0
    settings.DISK_PRUNE = False
    assert disk_care.care(NOW, full(0.99)) == 0
    assert len(ages()) == 21


def process(share: float, *, keeps: bool = True) -> ProcessPressure:
    return ProcessPressure(name="one", at=0.0, disk_share=share, keeps_history=keeps)


def test_every_page_says_it() -> None:
    assert alerts.of([process(0.89)]) == []
    assert [(one.code, one.percent) for one in alerts.of([process(0.93)])] == [("disk_fills", 93)]
    assert [(one.code, one.tone) for one in alerts.of([process(0.99, keeps=False)])] == [("disk_full", "bad")]


def test_health_says_it(valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for share, keeps, state, words in (
        (0.5, True, "UP", "50 % full"), (0.91, True, "DEGRADED", "91 % full"),
        (0.98, False, "DEGRADED", "no longer kept"),
    ):  # fmt: skip
        monkeypatch.setattr(health.pressure, "read_all", lambda s=share, k=keeps: [process(s, keeps=k)])
        found = next(one for one in health.check_health().checks if one.name == "disk")
        assert found.state.name == state
        assert words in found.detail
