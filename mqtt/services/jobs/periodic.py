"""What has to be done from time to time, by one mqtt process at a time.

Each job is claimed by a conditional update of its row, so that several processes share the work; the row
also shows when it last ran. A job that fails is logged and tried again at its next turn.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from mqtt.models import Command, ConnectionTest, DeviceTask, PeriodicJob
from mqtt.services import clock, commands, deletion
from mqtt.services.jobs import device_tasks, disk_care, nightly, partitions, rollups
from mqtt.services.jobs.retention import OrphanSweep, RetentionSweep
from mqtt.services.jobs.silence import SilenceSweep
from mqtt.services.pipeline import undecoded

logger = logging.getLogger(__name__)

TESTS_KEPT = timedelta(days=1)
TASKS_KEPT = timedelta(days=30)

ERASE_EVERY = 5.0
ERASING = PRUNING = 4.0
"""Seconds of erasing in a row: the other jobs have their turn in between."""


@dataclass(frozen=True)
class Job:
    """A name that stays, how often, and what to do; `run` gets the time and says how much it did."""

    name: str
    every: timedelta
    run: Callable[[datetime], int]
    is_wanted: Callable[[], bool] = lambda: True
    """Asked first, where most of the time there is nothing to do."""


_silence = SilenceSweep()


def _sweep_availability(now: datetime) -> int:
    return len(_silence.run(now).events)


def _delete_old_tests(now: datetime) -> int:
    deleted, _ = ConnectionTest.objects.filter(requested_at__lt=now - TESTS_KEPT).delete()
    return deleted


def _delete_old_commands(now: datetime) -> int:
    deleted, _ = Command.objects.filter(requested_at__lt=now - commands.KEPT).delete()
    return deleted


def _may_prune() -> bool:
    return clock.doubt() is None


def _trim_undecoded(_now: datetime) -> int:
    return undecoded.trim()


def _erase_deleted(_now: datetime) -> int:
    return deletion.erase_deleted(ERASING)


def _is_leaving() -> bool:
    return deletion.leaving().exists()


def _go_on_with_devices(_now: datetime) -> int:
    return device_tasks.go_on(ERASING)


def _is_device_waiting() -> bool:
    return device_tasks.unfinished().exists()


def _delete_old_tasks(now: datetime) -> int:
    deleted, _ = DeviceTask.objects.filter(finished_at__lt=now - TASKS_KEPT).delete()
    return deleted


_retention = RetentionSweep()


def _apply_retention(now: datetime) -> int:
    return _retention.run(now, PRUNING).total


_orphans = OrphanSweep()


def _delete_orphans(_now: datetime) -> int:
    return _orphans.step()


JOBS = (
    Job("partitions", timedelta(hours=1), partitions.create_ahead),
    Job("availability", timedelta(seconds=20), _sweep_availability),
    Job("rollups", timedelta(seconds=20), rollups.roll_up),
    Job("rollups of fast sensors", timedelta(minutes=5), rollups.roll_up_fast),
    Job("undecoded", timedelta(seconds=30), _trim_undecoded),
    Job("tests", timedelta(hours=1), _delete_old_tests, _may_prune),
    Job("commands", timedelta(hours=1), _delete_old_commands, _may_prune),
    Job("backup", timedelta(minutes=5), nightly.start_if_due),
    Job("disk", timedelta(minutes=1), disk_care.care),
    Job("deletions", timedelta(seconds=ERASE_EVERY), _erase_deleted, _is_leaving),
    Job("devices", timedelta(seconds=ERASE_EVERY), _go_on_with_devices, _is_device_waiting),
    Job("device_tasks", timedelta(hours=1), _delete_old_tasks, _may_prune),
    Job("retention", timedelta(minutes=10), _apply_retention, _may_prune),
    Job("orphans", timedelta(minutes=10), _delete_orphans),
)


def run_due(now: datetime | None = None) -> list[str]:
    """Run every job whose time has come and that no other process took; returns their names."""
    now = now or timezone.now()
    last = dict(PeriodicJob.objects.values_list("name", "started_at"))
    done = []
    for job in JOBS:
        started = last.get(job.name)
        # A start in the future: the clock was set back.
        is_due = started is None or not now - job.every < started <= now
        if is_due and job.is_wanted() and _claim(job, started, now):
            done.append(job.name)
            _run(job, now)
    return done


def _claim(job: Job, started: datetime | None, now: datetime) -> bool:
    if started is None:
        _, made = PeriodicJob.objects.get_or_create(name=job.name, defaults={"started_at": now})
        return made
    return PeriodicJob.objects.filter(name=job.name, started_at=started).update(started_at=now) == 1


def _note(job: Job, error: Exception) -> None:
    why = f"{type(error).__name__}: {error}".replace("\0", "")[:500]
    PeriodicJob.objects.filter(name=job.name).update(error=why)


def _run(job: Job, now: datetime) -> None:
    try:
        amount = job.run(now)
    except (OperationalError, InterfaceError) as error:
        _note(job, error)  # raises when the database is away, which others tell and wait for: else it is the job's own
        logger.warning("The periodic job %s failed; it runs again at its next turn: %s", job.name, str(error).strip())
    except Exception as error:
        logger.exception("The periodic job %s failed; it runs again at its next turn.", job.name)
        _note(job, error)
    else:
        PeriodicJob.objects.filter(name=job.name).update(finished_at=timezone.now(), amount=amount, error="")
