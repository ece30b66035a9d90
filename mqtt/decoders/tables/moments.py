"""Times as spreadsheets and loggers write them; whether day or month comes first is told by all rows together."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from mqtt.decoders.times import EARLIEST, in_zone, parse

_SEPARATED = re.compile(
    r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*([AaPp][Mm])?"
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)[T ]?(\d\d)(\d\d)(\d\d)?")
DATE = re.compile(r"\d{1,4}([/.-])\d{1,2}\1\d{1,4}")
CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:\s*[AaPp][Mm])?")
DAY_FIRST, MONTH_FIRST = "day", "month"


def is_moment(text: str) -> bool:
    """Whether a text is a point in time, and not merely a number."""
    if not 8 <= len(text) <= 40 or not text[0].isdigit():
        return False
    if _SEPARATED.fullmatch(text):
        return True
    moment = read(text, DAY_FIRST, UTC)
    return moment is not None and moment >= EARLIEST


def order_of(texts: Iterable[str]) -> str:
    """Whether dates like 7/11/2026 begin with the day or the month: one day beyond 12 tells for all of them."""
    for text in texts:
        match = _SEPARATED.fullmatch(text)
        if match and len(match.group(1)) < 4 and int(match.group(1)) <= 12 < int(match.group(3)):
            return MONTH_FIRST
    return DAY_FIRST


def read(text: str, order: str, zone: tzinfo) -> int | None:
    """Microseconds since 1970; local time is read in `zone`. None for what is no moment."""
    match = _COMPACT.fullmatch(text)
    if match:
        return _made([int(part or 0) for part in match.groups()], 0, zone)
    match = _SEPARATED.fullmatch(text)
    if match is None:
        return parse(text, zone)
    first, _sign, second, third, hour, minute, seconds, fraction, half = match.groups()
    year, month, day = (first, second, third) if len(first) == 4 else (third, second, first)
    if len(first) < 4 and order == MONTH_FIRST:
        month, day = day, month
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    whole = int(year) + (2000 if int(year) < 100 else 0)
    micros = round(float(fraction) * 1_000_000) if fraction else 0
    return _made([whole, int(month), int(day), hours, int(minute), int(seconds or 0)], micros, zone)


def _made(parts: list[int], micros: int, zone: tzinfo) -> int | None:
    year, month, day, hour, minute, second = parts
    try:
        # The zone is put on by `in_zone`: which one it is, the caller knows.
        return in_zone(datetime(year, month, day, hour, minute, second, micros), zone)  # noqa: DTZ001
    except ValueError:
        return None
