"""Texts that stand where a value would, and are none."""

import re
from datetime import UTC
from typing import Any

import orjson

from mqtt.decoders.objects import plain_key
from mqtt.decoders.times import parse
from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import Meaning

NO_VALUES = frozenset(("nan", "n/a", "null", "undefined", "unavailable", "-", "--", "---"))
NO_NUMBERS = NO_VALUES | {"unknown", "none", "error", "err"}
"""In the place of what is measured in a unit."""
OPAQUE = words("payload data raw rawdata frmpayload hex bytes")
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}){2,}|(?=.*[+/])[A-Za-z0-9+/]{6,}|[A-Za-z0-9+/]{2,}={1,2}")
FRAMES = words("bytes raw rawdata rawbytes rawpayload frmpayload payloadbytes hex")
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


def is_frame(name: str, found: list[Any]) -> bool:
    """Whether an array is the frame that a codec read, byte by byte, beside what it made of it."""
    if plain_key(name.rpartition(".")[2]) not in FRAMES:
        return False
    return all(type(one) is int and 0 <= one <= 255 for one in found[:MOST_BYTES])


MOST_BYTES = 300
MOST_INNER = 1000
"""Braces and brackets in a text."""


def object_in(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, as clouds carry what a device sent; None for every other text."""
    if text[-1:] != "}" or text.count("{") + text.count("[") > MOST_INNER:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


LOG_LEVELS = words("trace verbose debug info notice warn warning error critical fatal")


def is_log(document: dict[str, Any]) -> bool:
    """Whether an object is a line of a log: how grave it is, and words."""
    if "level" not in document and "severity" not in document:
        return False
    grave = document.get("level", document.get("severity"))
    if not isinstance(grave, str) or grave.lower() not in LOG_LEVELS:
        return False
    return isinstance(document.get("message", document.get("msg")), str)
