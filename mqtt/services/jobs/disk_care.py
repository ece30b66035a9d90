"""What is done about a disk that fills: measured every minute, noted every hour, and the oldest readings deleted."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from mqtt.models import DiskSample, Reading
from mqtt.services import clock
from mqtt.services.disk import PRUNE_AT, Disk, measure
from mqtt.services.jobs import retention

logger = logging.getLogger(__name__)

SAMPLE_EVERY = timedelta(hours=1)
KEPT = timedelta(days=60)
STEP = timedelta(days=1)
"""Deleted at a time; the next minute shows whether it was enough."""


def care(now: datetime, disk: Disk | None = None) -> int:
    """Note how full the disk is, and make room when it must be; returns how many readings went."""
    disk = disk or measure()
    if disk is None:
        return 0
    _note(now, disk)
    if disk.share < PRUNE_AT or not disk.holds_database or not settings.DISK_PRUNE:
        return 0
    if clock.doubt():
        logger.warning("The disk is %s %% full; nothing is deleted while the clock looks wrong.", disk.percent)
        return 0
    return _delete_oldest(now, disk)


def _note(now: datetime, disk: Disk) -> None:
    newest = DiskSample.objects.order_by("-at").first()
    if newest is None or not now - SAMPLE_EVERY < newest.at <= now:
        used = disk.total - disk.free - disk.reusable
        DiskSample(at=now, used=used, total=disk.total).save(force_insert=True)
        DiskSample.objects.filter(at__lt=now - KEPT).delete()


def _delete_oldest(now: datetime, disk: Disk) -> int:
    """The oldest day of readings, but none of the newest DISK_KEEP_DAYS."""
    oldest = _oldest_reading()
    newest = now - timedelta(days=settings.DISK_KEEP_DAYS)
    if oldest is None or oldest >= newest:
        return 0
    until = min(oldest + STEP, newest)
    deleted = retention.prune(until)
    logger.warning(
        "The disk of %s is %s %% full: %s readings older than %s were deleted.",
        disk.folder, disk.percent, deleted, until.isoformat(timespec="minutes"),
    )  # fmt: skip
    return deleted


def _oldest_reading() -> datetime | None:
    """By sensor, because that is how the history is ordered: one step of its index each."""
    found: datetime | None = None
    for pk in retention.sensor_ids():
        moment = Reading.objects.filter(sensor_id=pk).aggregate(oldest=Min("time"))["oldest"]
        if moment is not None and (found is None or moment < found):
            found = moment
    return found
