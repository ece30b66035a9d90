import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError
from django.utils import timezone

from mqtt.models import PeriodicJob
from mqtt.services.jobs import nightly
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True)]

ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.BACKUP_FOLDER, settings.BACKUP_HOUR = tmp_path, 3
    return tmp_path


def put(folder: Path, at: datetime) -> None:
    path = folder / f"vedetta-{at:%Y%m%d-%H%M%S}.tar.gz"
    path.write_bytes(b"x")
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_it_is_made_at_its_hour_and_once_a_night(folder: Path) -> None:
    night = datetime(2026, 11, 25, 3, 5, tzinfo=ROME)
    put(folder, night - timedelta(days=1))
    assert nightly.is_due(night, folder)
    assert not nightly.is_due(night + timedelta(hours=2), folder)
    assert nightly.is_due(night + timedelta(hours=7), folder), "it was off at night"
    put(folder, night)
    assert not nightly.is_due(night + timedelta(minutes=30), folder)


def test_the_first_one_does_not_wait_for_the_night(folder: Path) -> None:
    assert nightly.is_due(datetime(2026, 11, 25, 15, tzinfo=ROME), folder)


def test_one_that_failed_is_tried_again_an_hour_later(folder: Path) -> None:
    night = datetime(2026, 11, 25, 3, 5, tzinfo=ROME)
    PeriodicJob.objects.create(name=nightly.NAME, started_at=night)
    assert not nightly.is_due(night + timedelta(minutes=50), folder)
    assert nightly.is_due(night + timedelta(minutes=61), folder)


def test_without_a_folder_there_is_none(settings: Any) -> None:
    settings.BACKUP_FOLDER = None
    assert nightly.start_if_due(timezone.now()) == 0


def test_what_went_wrong_stays_visible_until_it_goes_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "_make", lambda _: "The backup cannot be written.")
    now = timezone.now()
    assert nightly.start_if_due(now) == 1
    wait_for(lambda: PeriodicJob.objects.get(name=nightly.NAME).error, what="the error")
    assert PeriodicJob.objects.get(name=nightly.NAME).finished_at is None
    wait_for(lambda: not nightly._lock.locked(), what="its end")

    def well(target: Path) -> str:
        put(target, timezone.now())
        return ""

    monkeypatch.setattr(nightly, "_make", well)
    assert nightly.start_if_due(now + timedelta(hours=2)) == 1
    wait_for(lambda: PeriodicJob.objects.get(name=nightly.NAME).finished_at, what="the end")
    job = PeriodicJob.objects.get(name=nightly.NAME)
    assert (job.error, job.amount) == ("", 1)
    wait_for(lambda: not nightly._lock.locked(), what="its end")


def test_the_command_runs_as_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    began = time.time()
    assert nightly._make(tmp_path / "safe") == ""
    (made,) = (tmp_path / "safe").iterdir()
    assert made.stat().st_mtime >= began - 1
    (tmp_path / "blocked").write_text("")
    assert "cannot be written" in nightly._make(tmp_path / "blocked")


def test_a_database_that_is_away_at_its_hour_does_not_end_all_backups(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(nightly, "_make", lambda _: "")
    with monkeypatch.context() as outage:
        outage.setattr(nightly, "is_due", lambda *_: True)
        outage.setattr(PeriodicJob.objects, "update_or_create", away)
        with pytest.raises(OperationalError):
            nightly.start_if_due(timezone.now())
    assert nightly.start_if_due(timezone.now()) == 1
    wait_for(lambda: not nightly._lock.locked(), what="its end")
