"""What everybody must know on every page: storing is behind, the database away, the disk full, the clock wrong.

Made without the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mqtt.services.clock import Doubt, explain
from mqtt.services.disk import WARN_AT
from mqtt.services.pressure import ProcessPressure


@dataclass(frozen=True, slots=True)
class Alert:
    """One banner; `code` chooses its sentence in _alerts.html."""

    code: str
    since: datetime
    percent: int = 0
    """How full the disk is."""
    doubt: Doubt | None = None
    """What speaks against the clock."""
    tone: str = "warn"
    """warn, or bad for what loses something or stands still."""

    @property
    def clock(self) -> str:
        """What speaks against the clock, in the active language."""
        return explain(self.doubt) if self.doubt else ""


def of(processes: Sequence[ProcessPressure] | None, database_lost_seconds: float = 0.0) -> list[Alert]:
    """The alerts that the heartbeats speak of; `database_lost_seconds`: for how long we ask it in vain ourselves."""
    now, said = timezone.now(), processes or ()
    return [*_storing(said, database_lost_seconds, now), *_disk(said, now), *_clock(said, now)]


def _storing(processes: Sequence[ProcessPressure], database_lost_seconds: float, now: datetime) -> list[Alert]:
    away = max((one.database_away_seconds for one in processes), default=0.0)
    behind = max((one.behind_seconds for one in processes if one.is_behind), default=0.0)
    if away or database_lost_seconds:
        return [Alert("database_away", _ago(now, max(away, database_lost_seconds, behind)), tone="bad")]
    return [Alert("behind", _ago(now, behind))] if behind else []


def _disk(processes: Sequence[ProcessPressure], now: datetime) -> list[Alert]:
    percent = int(max((one.disk_share for one in processes), default=0.0) * 100)
    if any(not one.keeps_history for one in processes):
        return [Alert("disk_full", now, percent, tone="bad")]
    return [Alert("disk_fills", now, percent)] if percent >= WARN_AT * 100 else []


def _clock(processes: Sequence[ProcessPressure], now: datetime) -> list[Alert]:
    """In whole minutes, so that the banner is not sent again with every heartbeat."""
    found = next((one for one in processes if one.clock_doubt), None)
    if found is None:
        return []
    doubt = Doubt(found.clock_doubt, round(found.clock_behind_seconds / 60) * 60.0)
    return [Alert("clock_wrong", now, doubt=doubt, tone="bad")]


def _ago(now: datetime, seconds: float) -> datetime:
    """Whole seconds: what grows with time stays the same moment, and is not sent again."""
    return (now - timedelta(seconds=seconds)).replace(microsecond=0)
