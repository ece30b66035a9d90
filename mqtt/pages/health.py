"""How the console itself fares: its parts, its processes, what runs by itself, backup, disk, versions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mqtt.models import MqttConnection, PeriodicJob
from mqtt.permissions import ADMINISTER, User, can, visible_to
from mqtt.services import clock, disk, pressure
from mqtt.services.backup.made import Made, made
from mqtt.services.health import HealthState, check_health
from mqtt.services.versions import versions
from mqtt.supervisor.state import read_state

LOOKS = {HealthState.UP: ("ok", "disc"), HealthState.DEGRADED: ("warn", "half"), HealthState.DOWN: ("bad", "triangle")}
WORDS: dict[HealthState, Any] = {
    HealthState.UP: _("all is well"),
    HealthState.DEGRADED: _("works, with a loss"),
    HealthState.DOWN: _("does not work"),
}
PARTS: dict[str, Any] = {
    "database": _("Database"),
    "mqtt": _("MQTT process"),
    "channel layer": _("Live pages"),
    "storing": _("Storing"),
    "disk": _("Disk"),
    "clock": _("Clock"),
}
VERSION_WORDS: dict[str, Any] = {
    "database": _("Database"),
    "channel layer": _("Channel layer"),
    "system": _("Operating system"),
}
JOBS: dict[str, Any] = {
    "availability": _("Notice devices that are silent"),
    "backup": _("See whether a backup is due"),
    "commands": _("Delete old commands"),
    "device_tasks": _("Delete old tasks of devices"),
    "devices": _("Go on with what devices are to become"),
    "disk": _("Look at the disk"),
    "nightly_backup": _("Nightly backup"),
    "orphans": _("Delete readings of deleted sensors"),
    "deletions": _("Erase what was deleted"),
    "partitions": _("Prepare the tables of the coming days"),
    "retention": _("Delete history that is older than is kept"),
    "rollups": _("Sum up readings for charts"),
    "rollups of fast sensors": _("Sum up readings of fast sensors"),
    "tests": _("Delete old connection tests"),
    "undecoded": _("Bound what was not understood"),
}
"""What people call them; others are shown by their own name."""
OLD_BACKUP = timedelta(hours=50)


@dataclass(frozen=True)
class Flow:
    """One connection as the process that holds it sees it."""

    pk: int
    name: str
    now: pressure.ConnectionPressure

    @property
    def lag_milliseconds(self) -> int:
        """From receipt to store."""
        return round(self.now.lag_seconds * 1000)


@dataclass(frozen=True)
class Process:
    """One mqtt process with its connections."""

    name: str
    started_at: datetime
    now: pressure.ProcessPressure
    flows: list[Flow]


def report(user: User) -> dict[str, Any]:
    """Everything for the page."""
    health, doubt = check_health(), clock.doubt()
    checks = [
        {"name": PARTS.get(one.name, one.name), "detail": one.detail, **_shown(one.state)} for one in health.checks
    ]
    return {
        "state": _shown(health.state),
        "checks": checks,
        "processes": _processes(user),
        "children": read_state(settings.RUN_DIR),
        "jobs": _jobs(),
        "backup": _backup(),
        "disk": _disk(),
        "doubt": doubt,
        "doubt_says": clock.explain(doubt) if doubt else "",
        "now": timezone.now(),
        "can_confirm": can(user, ADMINISTER),
        "versions": {VERSION_WORDS.get(name, name): version for name, version in versions().items()},
    }


def _shown(state: HealthState) -> dict[str, Any]:
    tone, shape = LOOKS[state]
    return {"word": WORDS[state], "tone": tone, "shape": shape, "code": state.name.lower()}


def _processes(user: User) -> list[Process]:
    found = pressure.read_all() or []
    names = dict(visible_to(user, MqttConnection.objects.all()).values_list("pk", "name"))
    return [
        Process(
            name=one.title,
            started_at=datetime.fromtimestamp(one.started_at, UTC),
            now=one,
            flows=[
                Flow(flow.connection_id, names[flow.connection_id], flow)
                for flow in one.connections
                if flow.connection_id in names
            ],
        )
        for one in found
    ]


def _jobs() -> list[dict[str, Any]]:
    rows = [
        {
            "name": JOBS.get(job.name, job.name),
            "job": job,
            "took": job.finished_at - job.started_at if job.finished_at and job.finished_at > job.started_at else None,
        }
        for job in PeriodicJob.objects.order_by("name")
    ]
    return sorted(rows, key=lambda row: (not row["job"].error, str(row["name"])))


def _backup() -> dict[str, Any]:
    folder = settings.BACKUP_FOLDER
    newest: Made | None = next(iter(made(folder)), None) if folder else None
    return {
        "folder": folder,
        "newest": newest,
        "megabytes": newest.size / 1e6 if newest else 0,
        "is_old": newest is None or timezone.now() - newest.at > OLD_BACKUP,
        "has_keys": bool(settings.BACKUP_PASSPHRASE),
    }


def _disk() -> dict[str, Any] | None:
    found = disk.measure()
    if found is None:
        return None
    days = disk.full_in_days(timezone.now(), found)
    return {
        "found": found,
        "free_gigabytes": found.free / 1e9,
        "total_gigabytes": found.total / 1e9,
        "reusable_gigabytes": found.reusable / 1e9,
        "full_in_days": None if days in {None, disk.NEVER} else max(0, round(days)),
        "is_forecast_known": days is not None,
        "is_high": found.share >= disk.WARN_AT,
        "prunes": settings.DISK_PRUNE,
        "keep_days": settings.DISK_KEEP_DAYS,
    }
