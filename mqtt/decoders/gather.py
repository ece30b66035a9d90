"""What decoders of flat JSON do again and again: values by their path, readings, facts under their usual names."""

from typing import Any

from mqtt.decoders.base import MAX_VALUES
from mqtt.decoders.general import MAX_TEXT, SWITCH_WORDS
from mqtt.decoders.leaves import leaves, reading
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DeviceRef


def each(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """(path, value) of all plain values in a part of a document; nothing but itself for a plain one."""
    found = {path: value} if path else value if isinstance(value, dict) else {}
    return [(name, leaf) for name, _key, leaf in leaves(found)]


def add(
    decoded: Decoded,
    device: DeviceRef,
    name: str,
    value: Any,
    *,
    unit: str = "",
    time_us: int | None = None,
    is_switch: bool = False,
    numbers: bool = True,
) -> None:
    """Add a reading where the value can be one; null, long texts and endless names are left out.

    `is_switch`: on and off are 1 and 0. `numbers`: a text that is a number counts as one. Raises UndecodableError.
    """
    is_text = not numbers and isinstance(value, str) and not (is_switch and value.lower() in SWITCH_WORDS)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return
    found = reading(
        device, name, value, unit, meaning(name.rpartition(".")[2]).kind, is_switch=is_switch, is_text=is_text
    )
    if found is None:
        return
    if len(decoded.readings) >= MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)
    found.time_us = time_us
    decoded.readings.append(found)


def said(found: Any, *keys: str) -> str:
    """The first of these keys that holds a name or number, as a short text; empty when none does."""
    for key in keys:
        value = found.get(key) if isinstance(found, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return clean(str(value))[:NAME_LENGTH]
    return ""


def facts_from(found: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Facts by their usual names: {key in the payload: fact}."""
    facts: dict[str, Any] = {}
    for key, fact in names.items():
        value = found.get(key)
        if isinstance(value, str) and value:
            facts.setdefault(fact, clean(value)[:MAX_TEXT])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            facts.setdefault(fact, value)
    return facts
