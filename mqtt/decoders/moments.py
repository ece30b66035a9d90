"""When a message was made, where it says date and time of day apart, or under a key that may hold something else."""

import re
from datetime import UTC
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.times import parse
from mqtt.decoders.vocabulary import words

SHORT_TIMES = words("t at dt created updated modified data ora orario datum uhrzeit zeit hora heure last_changed")
"""Keys of a time where the text is one; 21 under `t` is a temperature."""
LONGEST_PART = 15
"""Letters of a date or of a time of day."""
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
CLOCK = re.compile(_CLOCK)
"""A time of day."""
PART = re.compile(rf"\d{{4}}([/.-])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([/.-])\d{{1,2}}\2\d{{4}}|{_CLOCK}")
"""A date, or a time of day."""


def says_when(found: dict[str, Any]) -> bool:
    """Whether an object says when under a short key."""
    if SHORT_TIMES.isdisjoint(found):
        return False
    return any(type(found.get(key)) is str and parse(found[key], UTC) is not None for key in SHORT_TIMES)


def joined(parts: list[str], content: Content) -> int | None:
    """The time of a message that says date and time of day apart; else the first that is one alone."""
    clock = next((part for part in parts if CLOCK.fullmatch(part)), "")
    for part in parts:
        whole = f"{part} {clock}" if clock and part != clock else part
        if (moment := content.time(whole)) is not None:
            return moment
    return None
