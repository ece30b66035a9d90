"""Texts that stand where a value would, and are none."""

import re
from datetime import UTC

from mqtt.decoders.objects import plain_key
from mqtt.decoders.times import parse
from mqtt.decoders.words import Meaning, words

NO_VALUES = frozenset(("nan", "n/a", "null", "undefined", "unavailable", "-", "--", "---"))
NO_NUMBERS = NO_VALUES | {"unknown", "none", "error", "err"}
"""In the place of what is measured in a unit."""
OPAQUE = words("payload data raw rawdata frmpayload hex bytes")
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}){2,}|(?=.*[+/])[A-Za-z0-9+/]{6,}|[A-Za-z0-9+/]{2,}={1,2}")
LEAST_MOMENT = 16
"""Letters of a date with hours and minutes."""


def is_nothing(value: str, means: Meaning) -> bool:
    """Whether a text says that there is no value, or is a moment, which is no state of anything."""
    word = value.strip().lower()
    if word in (NO_NUMBERS if means.unit or means.fine else NO_VALUES):
        return True
    return value[4:5] == "-" and len(value) >= LEAST_MOMENT and parse(value, UTC) is not None


def is_opaque(name: str, value: str) -> bool:
    """Whether a text is a frame of bytes that nobody can read here."""
    return plain_key(name.rpartition(".")[2]) in OPAQUE and _BYTES.fullmatch(value) is not None
