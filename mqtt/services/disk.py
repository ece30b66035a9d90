"""The disk that the database lives on: how full it is, when it will be, and whether history may still be stored.

At 90 % people are warned, at 95 % the oldest raw readings go (`disk_care`), at 98 % no more of them are stored:
latest values, statuses and the login go on, where a database on a full disk would do nothing at all.
"""

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from mqtt.models import DiskSample

logger = logging.getLogger(__name__)

WARN_AT = 0.90
PRUNE_AT = 0.95
STOP_AT = 0.98
GO_ON_AT = 0.975
"""Below what was stopped at, so that it does not flicker."""
LOOK_EVERY = 5.0
"""Seconds between two looks of a process."""
FORECAST_FROM = timedelta(days=7)
FORECAST_LEAST = timedelta(hours=6)
"""A forecast from less time would only say what the last hour was like."""
FARTHEST = 3650
"""Days; what is farther away than ten years is no news."""

Usage = Callable[[Path], Any]
"""Like shutil.disk_usage: an object with total and free, in bytes."""


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk, in bytes."""

    folder: Path
    total: int
    free: int
    reusable: int
    """Free room inside the database's own file, which it takes before it grows."""
    holds_database: bool
    """False: the database is on another machine, and only our own files lie here."""

    @property
    def share(self) -> float:
        """How full it is, 0 to 1, room inside the database counted as free."""
        return max(0.0, 1 - (self.free + self.reusable) / self.total) if self.total else 0.0

    @property
    def percent(self) -> int:
        """The same for people; 100 only when nothing is left."""
        return int(self.share * 100)


def measure(usage: Usage = shutil.disk_usage) -> Disk | None:
    """The disk as it is now; None when it cannot be asked. Raises what the database raises."""
    folder = database_folder()
    place = folder or settings.DATA_DIR
    try:
        found = usage(place)
    except OSError:
        return None
    return Disk(place, found.total, found.free, _reusable() if folder else 0, folder is not None)


def database_folder() -> Path | None:
    """Where the database keeps its files, when that is on this machine."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        return Path(name).parent if Path(name).exists() else settings.DATA_DIR
    host = str(connection.settings_dict.get("HOST") or "")
    if host and not host.startswith("/") and host not in {"localhost", "127.0.0.1", "::1"}:
        return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            folder = Path(str(cursor.fetchone()[0]))
    except ProgrammingError:
        return None  # this user may not know
    return folder if _exists(folder) else None


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False


def _reusable() -> int:
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT freelist_count * page_size FROM pragma_freelist_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


NEVER = float("inf")


def full_in_days(now: datetime, disk: Disk) -> float | None:
    """When the disk will be full at the rate of the last week; NEVER: not within years. None: not known yet."""
    first = DiskSample.objects.filter(at__gt=now - FORECAST_FROM, total=disk.total).order_by("at").first()
    if first is None or now - first.at < FORECAST_LEAST:
        return None
    grown = disk.total - disk.free - disk.reusable - first.used
    if grown <= 0:
        return NEVER
    days = (now - first.at) / timedelta(days=1) * (disk.free + disk.reusable) / grown
    return days if days <= FARTHEST else NEVER


class DiskGuard:
    """What one mqtt process knows of the disk; any of its threads may look and read."""

    def __init__(self, measure_disk: Callable[[], Disk | None] = measure) -> None:
        self._measure = measure_disk
        self._due_at = 0.0
        self.disk: Disk | None = None
        self.keeps_history = True
        """Whether readings go into the history; latest values always do."""

    def look(self, *, at_once: bool = False) -> None:
        """Measure, when it is time again or `at_once`. Raises what the database raises."""
        now = time.monotonic()
        if now < self._due_at and not at_once:
            return
        self._due_at = now + LOOK_EVERY
        self.disk = disk = self._measure()
        if disk is None or not disk.holds_database or disk.share < GO_ON_AT:
            self._keep_history(True)
        elif disk.share >= STOP_AT:
            self._keep_history(False)

    def _keep_history(self, keep: bool) -> None:
        if keep == self.keeps_history:
            return
        self.keeps_history = keep
        if keep:
            logger.warning("The disk has room again: readings are kept in the history.")
        elif self.disk:
            sentence = "The disk of %s is %s %% full: readings are no longer kept in the history, only latest values."
            logger.warning(sentence, self.disk.folder, self.disk.percent)
