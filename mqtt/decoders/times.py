"""Moments as devices write them -> whole microseconds since 1970 UTC."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = 946_684_800_000_000
"""2000-01-01: before that a clock was never set."""
DAY = 86_400_000_000
FIRST_SECOND = 100_000_000
"""Smaller numbers are counters and uptimes, no moments."""

_DAY_OR_MONTH = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T]|, ?)(\d{1,2}:\d\d(?::\d\d(?:\.\d{1,6})?)?)")
MONTHS = 12

WRAPPED = ("$date", "$numberLong", "seconds", "_seconds", "epochSeconds")
"""Keys of a moment in an object of its own, as databases and clouds write it."""
LARGEST = 3
_MAIL = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})")
_EPOCH_TEXT = re.compile(r"\d{9,19}(?:\.\d{1,20})?")


def is_sane(moment: int, received_us: int) -> bool:
    """Whether a device's time can be true: after 2000 and at most a day ahead of the receipt."""
    return EARLIEST <= moment <= received_us + DAY


def parse(value: Any, zone: tzinfo | None = None) -> int | None:
    """The moment of ISO 8601 or of an epoch number in s, ms, µs or ns, told apart by magnitude.

    Local time is read in `zone`, without one it is no moment. None for everything else.
    """
    if isinstance(value, str):
        return _from_text(value, zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    if isinstance(value, dict) and len(value) <= LARGEST:
        return parse(next((value[key] for key in WRAPPED if key in value), None), zone)
    return None


def in_zone(moment: datetime, zone: tzinfo | None) -> int | None:
    """A datetime as microseconds; local time is read in `zone`."""
    if moment.tzinfo is None:
        if zone is None:
            return None
        # A fifth of what it costs to give the moment its zone and subtract then; the zone's answer is the same.
        offset = None if zone is UTC else zone.utcoffset(moment)
        since = moment - NAIVE_EPOCH
        return (since - offset if offset else since) // MICROSECOND
    try:
        return (moment - EPOCH) // MICROSECOND
    except OverflowError:
        return None


def _from_number(value: float) -> int | None:
    if not FIRST_SECOND <= value < 1e20:
        return None
    if value < 1e11:
        return round(value * 1_000_000)
    if value < 1e14:
        return round(value * 1000)
    if value < 1e17:
        return int(value)
    return int(value) // 1000


def _from_text(value: str, zone: tzinfo | None) -> int | None:
    if len(value) > 40:
        return None
    if value[4:5] == "-" and value[:2] == "20":  # as nearly all of them are
        try:
            return in_zone(datetime.fromisoformat(value), zone)
        except ValueError:
            pass
    if _EPOCH_TEXT.fullmatch(value):
        return _from_number(float(value) if "." in value else int(value))
    value = value.strip()
    if value[3:5] == ", ":
        return in_zone(parsedate_to_datetime(value), UTC) if _MAIL.fullmatch(value) else None
    if value[4:5] == value[7:8] and value[4:5] in {"/", "."}:
        value = value.replace(value[4], "-", 2)  # as many loggers write it: 2026/09/21 10:00:00
    elif (match := _DAY_OR_MONTH.fullmatch(value)) is not None:
        value = _year_first(match)
    try:
        return in_zone(datetime.fromisoformat(value.upper()), zone)
    except ValueError:
        return None


def _year_first(match: re.Match[str]) -> str:
    """A date that begins with the day or the month in the order of ISO 8601; empty where nobody can tell which."""
    first, sign, second, year, clock = match.groups()
    if sign == "." or first == second or int(first) > MONTHS:
        day, month = first, second
    elif int(second) > MONTHS:
        month, day = first, second
    else:
        return ""
    hours, _sign, rest = clock.partition(":")
    return f"{year}-{month:0>2}-{day:0>2}T{hours:0>2}:{rest}"
