"""Moments as devices write them -> whole microseconds since 1970 UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = 946_684_800_000_000
"""2000-01-01: before that a clock was never set."""
DAY = 86_400_000_000

_EPOCH_TEXT = re.compile(r"\d{9,19}(?:\.\d{1,9})?")


def device_time(value: Any, received_us: int) -> int | None:
    """The moment of ISO 8601 with a zone, or of an epoch number in s, ms, µs or ns, told apart by magnitude.

    None when it is no moment, has no zone (the site's zone is not known here), or cannot be true: before
    2000, or more than a day ahead of the receipt.
    """
    moment: int | None = None
    if isinstance(value, str):
        moment = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _from_number(value)
    if moment is None or not EARLIEST <= moment <= received_us + DAY:
        return None
    return moment


def _from_number(value: float) -> int | None:
    if not 0 < value < 1e20:
        return None
    if value < 1e11:
        return round(value * 1_000_000)
    if value < 1e14:
        return round(value * 1000)
    if value < 1e17:
        return int(value)
    return int(value) // 1000


def _from_text(value: str) -> int | None:
    if len(value) > 40:
        return None
    if _EPOCH_TEXT.fullmatch(value):
        return _from_number(float(value) if "." in value else int(value))
    try:
        moment = datetime.fromisoformat(value.strip())
        return None if moment.tzinfo is None else (moment - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        return None
