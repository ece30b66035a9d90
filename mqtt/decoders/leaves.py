"""Plain values out of nested JSON, for families whose keys mean something else than `words` says."""

from typing import Any

from mqtt.decoders.base import MAX_DEPTH, MAX_VALUES
from mqtt.decoders.general import MAX_ARRAY, MAX_TEXT, NUMBER, SWITCH_WORDS
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.exceptions import UndecodableError
from mqtt.messages import DecodedReading, DeviceRef

Leaf = tuple[str, str, Any]
"""(name with its path, key, value)."""


def leaves(found: dict[str, Any], prefix: str = "") -> list[Leaf]:
    """All plain values below an object, in their order; long arrays are waveforms and left out.

    Raises UndecodableError for structures that are too deep or too large.
    """
    into: list[Leaf] = []
    _collect(found.items(), prefix, "", into, 1)
    return into


def _collect(items: Any, prefix: str, above: str, into: list[Leaf], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UndecodableError("too_deep", limit=MAX_DEPTH)
    for key, value in items:
        kind = type(value)
        if kind is dict:
            _collect(value.items(), f"{prefix}{key}.", key, into, depth + 1)
        elif kind is list:
            if len(value) <= MAX_ARRAY:
                _collect(enumerate(value), f"{prefix}{key}.", key if type(key) is str else above, into, depth + 1)
        elif value is not None:
            into.append((f"{prefix}{key}", key if type(key) is str else above, value))
    if len(into) > MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)


def reading(
    device: DeviceRef,
    name: str,
    value: Any,
    unit: str = "",
    kind: str = "",
    *,
    is_switch: bool = False,
    is_text: bool = False,
) -> DecodedReading | None:
    """The reading of a plain value, if it can be one; the unit goes with numbers only, and texts stay as `is_text`."""
    text: str | None = None
    if type(value) is str:
        number, text = (None, clean(value)[:MAX_TEXT] or None) if is_text else plain(value, is_switch=is_switch)
        if text is not None:
            unit = ""
        elif number is None:
            return None
    elif isinstance(value, int | float):
        number = float(value)
    else:
        return None
    if "\0" in name:
        name = clean(name)
    return DecodedReading(device, name, number, text, unit, kind) if 0 < len(name) <= NAME_LENGTH else None


def plain(value: str, *, is_switch: bool = False) -> tuple[float | None, str | None]:
    """A text as number, as switch position, or as itself; neither when it is empty or long."""
    if is_switch and (switched := SWITCH_WORDS.get(value.lower())) is not None:
        return switched, None
    if NUMBER.fullmatch(value):
        return float(value), None
    if len(value) > MAX_TEXT:
        return None, None
    return None, clean(value).strip() or None
