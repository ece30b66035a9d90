"""What happened to one connection or device; what went back and forth is one line of it, as on the overview."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from mqtt.enums import NodeKind
from mqtt.models import StatusChange
from mqtt.pages.base import Shown
from mqtt.presentation import formats

TIMELINE = 30
READ_FOR_A_LINE = 10
"""Changes that are read for each line: some lines stand for many."""
OFTEN = 4
FLAPPING = timedelta(minutes=15)
"""Something that changed more often than this within that time has one line, or it would bury all others."""


def timeline_of(kind: NodeKind, limit: int = TIMELINE) -> Any:
    """The context of a timeline part: the newest changes, each with how long it lasted."""

    def timeline(shown: Shown) -> dict[str, Any]:
        found = StatusChange.objects.filter(kind=kind, object_id=shown.object.pk)
        return {"timeline": lines(list(found[: limit * READ_FOR_A_LINE]))[:limit]}

    return timeline


def lines(changes: list[StatusChange]) -> list[dict[str, Any]]:
    """Changes of one object, newest first, as lines with how long each status lasted."""
    until: datetime | None = None
    found = []
    for together in runs(changes):
        change = together[0]
        lasted = formats.age((until or timezone.now()) - change.at)
        line = {"change": change, "lasted": lasted, "lasts": until is None}
        if len(together) > 1:
            line |= {"times": len(together), "since": together[-1].at}
        found.append(line)
        until = together[-1].at
    return found


def runs(changes: list[StatusChange]) -> list[list[StatusChange]]:
    """The same changes in the same order: each alone, those of a time of flapping together."""
    found: list[list[StatusChange]] = []
    flaps_until = 0
    for index, change in enumerate(changes):
        fifth = changes[index + OFTEN] if index + OFTEN < len(changes) else None
        is_within = index < flaps_until
        if fifth is not None and change.at - fifth.at <= FLAPPING:
            flaps_until = index + OFTEN + 1
        if is_within:
            found[-1].append(change)
        else:
            found.append([change])
    return found
