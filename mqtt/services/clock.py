"""Whether this computer's clock can be believed. While it cannot, nothing is deleted for its age.

Two things speak against it: it is before the newest time at which something was received, or most devices say
the same other time. What was seen of both lies in one row, for all processes and for the next start.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from mqtt.enums import AuditAction, NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import ClockMark, ConnectionActivity
from mqtt.presentation.spans import span
from mqtt.services import audit
from mqtt.services.audit import Actor

TOLERANCE = timedelta(seconds=60)
"""So far a clock may go back: computers that share the work differ a little, and time servers correct."""

BY_MARK = "mark"
BY_DEVICES = "devices"


class Doubt(NamedTuple):
    """Why the clock looks wrong, and by how many seconds it seems to be behind (negative: ahead)."""

    reason: str
    seconds: float


def mark(now: datetime) -> ClockMark:
    """The row; made when it is missing, from what an older version noted."""
    found = ClockMark.objects.filter(pk=1).first()
    if found is None:
        heard = ConnectionActivity.objects.aggregate(newest=Max("last_message_at"))["newest"]
        found, _made = ClockMark.objects.get_or_create(pk=1, defaults={"newest_received_at": heard or now})
    return found


def judged(row: ClockMark, now: datetime) -> Doubt | None:
    """What the row says of a clock that shows `now`."""
    if now < row.newest_received_at - TOLERANCE:
        return Doubt(BY_MARK, (row.newest_received_at - now).total_seconds())
    return None if row.off_seconds is None else Doubt(BY_DEVICES, row.off_seconds)


def doubt(now: datetime | None = None) -> Doubt | None:
    """Why the clock looks wrong; None: nothing speaks against it. Raises what the database raises."""
    row = ClockMark.objects.filter(pk=1).first()
    return judged(row, now or timezone.now()) if row else None


def explain(found: Doubt) -> str:
    """The sentence for people, in the active language."""
    facts = {"span": span(abs(found.seconds))}
    if found.reason == BY_MARK:
        return _("It is %(span)s before the newest message that was stored.") % facts
    if found.seconds > 0:
        return _("Most devices say that it is %(span)s later.") % facts
    return _("Most devices say that it is %(span)s earlier.") % facts


def insist() -> None:
    """Raise ServiceError while nothing may be deleted for its age."""
    if doubt():
        raise ServiceError("clock_in_doubt")


@transaction.atomic
def confirm(actor: Actor) -> bool:
    """Somebody says that the clock is right: the mark, or the devices, were wrong. False: nothing spoke against it."""
    row = ClockMark.objects.select_for_update().filter(pk=1).first()
    now = timezone.now()
    found = judged(row, now) if row else None
    if row is None or found is None:
        return False
    details = {"reason": found.reason, "seconds": round(found.seconds)}
    row.newest_received_at = min(row.newest_received_at, now)
    row.accepted_off_seconds, row.off_seconds = row.off_seconds, None
    row.save(update_fields=["newest_received_at", "accepted_off_seconds", "off_seconds"])
    audit.record(actor, AuditAction.CLOCK_CONFIRMED, NodeKind.CONSOLE, row, details)
    return True
