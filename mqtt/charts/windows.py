"""The window of time that a chart shows, as an address says it: `last=24h`, or `from` and `to`."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, make_aware
from django.utils.translation import gettext as _

from mqtt.models import from_us, to_us
from mqtt.validators import EARLIEST, LATEST

USUAL = "24h"
LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "y": timedelta(days=365)}
LONGEST = timedelta(days=36525)
_LOST_PLUS = re.compile(r" (\d\d(:?\d\d)?)$", re.ASCII)
_LAST = re.compile(r"([1-9][0-9]{0,4})([mhdy])", re.ASCII)


class Window(NamedTuple):
    """From `start_us`, included, until `end_us` (microseconds since 1970 UTC)."""

    start_us: int
    end_us: int
    last: str
    """What moves with the clock, such as 24h; empty for a window that stands."""

    @property
    def start(self) -> datetime:
        """Where it begins."""
        return from_us(self.start_us)

    @property
    def end(self) -> datetime:
        """Where it ends."""
        return from_us(self.end_us)

    @property
    def query(self) -> dict[str, str]:
        """The parameters that say it."""
        if self.last:
            return {"last": self.last}
        return {"from": machine(self.start), "to": machine(self.end)}


def last(name: str, now: datetime) -> Window:
    """The window until now that `name` (30m, 24h, 7d, 1y) says. Raises ValidationError."""
    found = _LAST.fullmatch(name)
    if found is None or int(found[1]) * LENGTHS[found[2]] > LONGEST:
        raise ValidationError({"last": _("Write a span like 30m, 24h, 7d or 1y, at most 100 years.")})
    return Window(to_us(now - int(found[1]) * LENGTHS[found[2]]), to_us(now), name)


def read_window(params: Mapping[str, str], now: datetime) -> Window:
    """The window that `last`, or `from` and `to` say; the last 24 hours without them. Raises ValidationError."""
    start, end = read_moment("from", params.get("from", "")), read_moment("to", params.get("to", ""))
    if start is None and end is None:
        return last(params.get("last", "").strip() or USUAL, now)
    if params.get("last", "").strip():
        raise ValidationError({"last": _("Write either the last hours or days, or from and to.")})
    end = end or now
    if start is None:
        start = end - timedelta(hours=24) if to_us(end) > 0 else end
    if end <= start:
        raise ValidationError({"to": _("The end does not lie behind the start.")})
    if end - start > LONGEST:
        raise ValidationError({"from": _("Ask for at most 100 years at once.")})
    return Window(to_us(start), to_us(end), "")


def read_moment(name: str, given: str) -> datetime | None:
    """A parameter as a time; without a zone it is in this console's. Raises ValidationError."""
    given = given.strip()
    if not given:
        return None
    with suppress(ValueError, OverflowError):  # said below in words
        # A plus sign in a URL means a blank: `+02:00` often arrives as ` 02:00`.
        moment = parse_datetime(_LOST_PLUS.sub(r"+\1", given) if "T" in given else given)
        if moment is not None:
            aware = make_aware(moment, get_current_timezone()) if is_naive(moment) else moment
            if EARLIEST <= aware <= LATEST:
                return aware.astimezone(UTC)
    raise ValidationError({name: _("Write a time like 2026-05-01T12:00:00Z.")})


def machine(moment: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond, with a Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
