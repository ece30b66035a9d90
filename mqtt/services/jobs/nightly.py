"""The backup of every night: a process of its own, so that storing goes on and a long one holds up nothing."""

import logging
import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from mqtt.models import PeriodicJob
from mqtt.services.backup.made import made

logger = logging.getLogger(__name__)

NAME = "nightly_backup"
YOUNG = timedelta(hours=20)
"""A backup of the same night."""
OLD = timedelta(hours=30)
"""The machine was off at the hour: now will do as well."""
AGAIN = timedelta(hours=1)
"""Between two tries of a backup that fails."""
PATIENCE = 6 * 3600.0
NICE = 10

_lock = threading.Lock()


def start_if_due(now: datetime) -> int:
    """Begin a backup when it is time; returns how many were begun."""
    folder: Path | None = settings.BACKUP_FOLDER
    if folder is None or not is_due(now, folder) or not _lock.acquire(blocking=False):
        return 0
    try:
        PeriodicJob.objects.update_or_create(name=NAME, defaults={"started_at": now})
        threading.Thread(target=_run, args=(folder,), name="backup", daemon=True).start()
    except BaseException:
        _lock.release()  # else no other would ever begin
        raise
    return 1


def is_due(now: datetime, folder: Path) -> bool:
    """At its hour, or as soon as it can be made up for."""
    job = PeriodicJob.objects.filter(name=NAME).first()
    if job and now - AGAIN < job.started_at <= now:
        return False
    newest = next(iter(made(folder)), None)
    age = now - newest.at if newest else OLD
    is_hour = timezone.localtime(now).hour == settings.BACKUP_HOUR
    return age >= OLD or (is_hour and age >= YOUNG)


def _run(folder: Path) -> None:
    try:
        error = _make(folder)
        newest = next(iter(made(folder)), None)
        size = newest.size if newest and not error else 0
        values = {"error": error} if error else {"error": "", "finished_at": timezone.now(), "amount": size}
        PeriodicJob.objects.filter(name=NAME).update(**values)
    except Exception:
        logger.exception("The nightly backup failed; it is tried again.")
    finally:
        connection.close()
        _lock.release()


def _make(folder: Path) -> str:
    """Run the command; what it complained about, empty when all went well."""
    bound = settings.BASE_DIR / "mqtt" / "supervisor" / "end_with_parent.py"
    command = [
        *(sys.executable, "-I", "-S", str(bound), str(os.getpid())),
        *(sys.executable, str(settings.BASE_DIR / "manage.py"), "backup"),
        *("--to", str(folder), "--keep", str(settings.BACKUP_KEEP)),
    ]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return "It took more than six hours."
    except OSError as error:
        return f"It could not be started: {error}."
    said = output.strip().splitlines()[-1] if output.strip() else ""
    if process.returncode:
        logger.error("The nightly backup failed: %s", said)
        return said or f"It ended with code {process.returncode}."
    logger.info("The nightly backup is made: %s", output.strip().splitlines()[0] if said else folder)
    return ""
