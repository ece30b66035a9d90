"""What everybody must know on every page: storing is behind, the database is away. Made without the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mqtt.services.pressure import ProcessPressure


@dataclass(frozen=True, slots=True)
class Alert:
    """One banner; `code` chooses its sentence in _alerts.html."""

    code: str
    since: datetime


def of(processes: Sequence[ProcessPressure] | None, database_lost_seconds: float = 0.0) -> list[Alert]:
    """The alerts that the heartbeats speak of; `database_lost_seconds`: for how long we ask it in vain ourselves."""
    now = timezone.now()
    away = max((one.database_away_seconds for one in processes or ()), default=0.0)
    behind = max((one.behind_seconds for one in processes or () if one.is_behind), default=0.0)
    if away or database_lost_seconds:
        return [Alert("database_away", _ago(now, max(away, database_lost_seconds, behind)))]
    return [Alert("behind", _ago(now, behind))] if behind else []


def _ago(now: datetime, seconds: float) -> datetime:
    """Whole seconds: what grows with time stays the same moment, and is not sent again."""
    return (now - timedelta(seconds=seconds)).replace(microsecond=0)
