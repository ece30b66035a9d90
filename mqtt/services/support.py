"""What somebody who helps must see: versions, health, jobs, configuration and logs, and no secrets."""

import io
import json
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from mqtt.models import MqttConnection, PeriodicJob
from mqtt.services import clock, disk
from mqtt.services.configuration.transfer import export_text
from mqtt.services.health import check_health
from mqtt.services.versions import versions

SECRETS = re.compile(r"vdt_[A-Za-z0-9_-]{20,}|://[^/@\s]+@|(password|passphrase|token|secret|key)=\S+", re.IGNORECASE)
SHOWN_SETTINGS = (
    "HTTP_HOST", "HTTP_PORT", "HTTPS", "DEBUG", "DEMO", "LAN", "EMBEDDED_BROKER", "EMBEDDED_BROKER_PORT",
    "EMBEDDED_VALKEY", "TIME_ZONE", "LANGUAGE_CODE", "LIVE_INTERVAL", "API_RATE", "BACKUP_HOUR", "BACKUP_KEEP",
    "DISK_PRUNE", "DISK_KEEP_DAYS",
)  # fmt: skip
LONGEST_LOG = 2 * 1024 * 1024


def write_bundle(path: Path, log: str = "") -> list[str]:
    """Write the archive; the names in it. What cannot be told says why there; `log` takes the place of our own."""
    parts: dict[str, Callable[[], str]] = {
        "versions.json": lambda: json.dumps(versions(), indent=1),
        "health.json": _health,
        "settings.json": lambda: json.dumps({name: str(getattr(settings, name)) for name in SHOWN_SETTINGS}, indent=1),
        "state.json": _state,
        "configuration.yaml": export_text,
        "log.txt": lambda: (log or kept_log())[-LONGEST_LOG:],
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, make in parts.items():
            data = without_secrets(_told(make)).encode()
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), int(datetime.now(UTC).timestamp()), 0o600
            tar.addfile(info, io.BytesIO(data))
    path.chmod(0o600)
    return list(parts)


def without_secrets(text: str) -> str:
    """The text with everything left out that looks like a password or a token."""
    return SECRETS.sub("[left out]", text)


def kept_log() -> str:
    """The newest lines that the supervisor kept, or why there are none."""
    newest = settings.LOG_FILE
    files = [path for path in (newest.with_name(f"{newest.name}.1"), newest) if path.is_file()]
    if not files:
        return f"There is no {newest}: the processes run apart, under systemd or Compose, and their logs lie there."
    return "".join(path.read_text(errors="replace") for path in files)


def _told(make: Callable[[], str]) -> str:
    try:
        return make()
    except DatabaseError as error:
        return f"The database does not answer: {error}"
    except OSError as error:
        return f"This cannot be read: {error}"


def _health() -> str:
    return json.dumps(
        [{"name": one.name, "state": one.state.name, "detail": one.detail} for one in check_health().checks], indent=1
    )


def _state() -> str:
    found = disk.measure()
    jobs = list(PeriodicJob.objects.values("name", "started_at", "finished_at", "amount", "error"))
    rows = MqttConnection.objects.values("name", "status", "status_reason", "retry_count", "is_enabled")
    state = {
        "jobs": jobs,
        "connections": list(rows),
        "clock": clock.doubt(),
        "disk_percent": found.percent if found else None,
        "migrations": sorted(MigrationRecorder(connection).applied_migrations()),
    }
    return json.dumps(state, indent=1, default=str)
