"""What decoders do again and again: find things in a document, make readings of them, facts by their usual names."""

from typing import Any

from mqtt.decoders.base import MAX_DEPTH, MAX_VALUES, Content
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.times import is_sane, parse
from mqtt.decoders.walk import MAX_ARRAY, MAX_TEXT, NUMBER, SWITCH_WORDS, Walk
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DecodedReading, DeviceRef

MEMBERS = 4000
"""Of one array; a message holds at most half as many values."""

Leaf = tuple[str, str, Any]
"""(name with its path, key, value)."""


def member(found: Any, *path: str) -> Any:
    """What stands at a path of keys; None where something is missing or of another kind."""
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def text(found: Any, *path: str) -> str:
    """A text or whole number at a path of keys, without NUL; empty when there is none."""
    for key in path:
        if not isinstance(found, dict):
            return ""
        found = found.get(key)
    kind = type(found)  # as _shown does, without calls: every uplink asks ten times
    if kind is str:
        return found if "\0" not in found else clean(found)
    return str(found) if kind is int else ""


def _shown(value: Any) -> str:
    if type(value) is str:
        return clean(value)
    return str(value) if type(value) is int else ""


def said(found: Any, *keys: str) -> str:
    """The first of these keys that holds a name or number, as a short text; empty when none does."""
    if not isinstance(found, dict):
        return ""
    for key in keys:
        value = found.get(key)
        if value is not None and (shown := _shown(value)):
            return shown[:NAME_LENGTH]
    return ""


def objects(found: Any) -> list[dict[str, Any]]:
    """The objects in an array, as far as anything reads them."""
    return [one for one in found[:MEMBERS] if isinstance(one, dict)] if isinstance(found, list) else []


def told(**facts: Any) -> dict[str, Any]:
    """Facts that are plain and not empty, bounded."""
    kept: dict[str, Any] = {}
    for name, value in facts.items():
        if value is None:
            continue
        if type(value) is str:
            if shown := clean(value)[:MAX_TEXT]:
                kept[name] = shown
        elif isinstance(value, str | int | float):
            kept[name] = value
    return kept


def facts_from(found: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Facts by their usual names: {key in the payload: fact}; the first key of a fact counts, and no booleans."""
    facts: dict[str, Any] = {}
    for key, fact in names.items():
        value = found.get(key)
        if fact not in facts and not isinstance(value, bool):
            facts |= told(**{fact: value})
    return facts


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


def each(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """(path, value) of all plain values in a part of a document; nothing but itself for a plain one."""
    found = {path: value} if path else value if isinstance(value, dict) else {}
    return [(name, leaf) for name, _key, leaf in leaves(found)]


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
    word: str | None = None
    if type(value) is str:
        number, word = (None, clean(value)[:MAX_TEXT] or None) if is_text else plain(value, is_switch=is_switch)
        if word is not None:
            unit = ""
        elif number is None:
            return None
    elif isinstance(value, int | float):
        number = float(value)
    else:
        return None
    if "\0" in name:
        name = clean(name)
    return DecodedReading(device, name, number, word, unit, kind) if 0 < len(name) <= NAME_LENGTH else None


def plain(value: str, *, is_switch: bool = False) -> tuple[float | None, str | None]:
    """A text as number, as switch position, or as itself; neither when it is empty or long."""
    if is_switch and (switched := SWITCH_WORDS.get(value.lower())) is not None:
        return switched, None
    if NUMBER.fullmatch(value):
        return float(value), None
    if len(value) > MAX_TEXT:
        return None, None
    return None, clean(value).strip() or None


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
    kind = meaning(name.rpartition(".")[2]).kind
    found = reading(device, name, value, unit, kind, is_switch=is_switch, is_text=is_text)
    if found is None:
        return
    if len(decoded.readings) >= MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)
    found.time_us = time_us
    decoded.readings.append(found)


class Part(Walk):
    """A walk through the part of a message that is one device's own; its findings join those of other parts."""

    __slots__ = ()

    def into(self, decoded: Decoded, time_us: int | None = None) -> list[DecodedReading]:
        """Add readings and facts to a result; `time_us` is that of readings without a nearer one."""
        for found in self.readings:
            if found.time_us is None:
                found.time_us = time_us
        decoded.readings += self.readings
        decoded.facts += [DecodedFacts(ref, facts) for ref, facts in self._facts.items() if facts]
        return self.readings


def take_object(
    found: Any, device: DeviceRef, content: Content, decoded: Decoded, time_us: int | None = None
) -> list[DecodedReading]:
    """Add what an object says to a result; nothing when it is no object. Raises UndecodableError for a monster."""
    if not isinstance(found, dict):
        return []
    part = Part(device, content)
    part.object(found, "", 1)
    return part.into(decoded, time_us)


def first_moment(content: Content, *candidates: Any) -> int | None:
    """The first of several times that can be true; they are not the device's own, so its clock is not judged."""
    for candidate in candidates:
        moment = parse(candidate, content.zone)
        if moment is not None and is_sane(moment, content.message.received_us + content.memory.ahead_us):
            return moment
    return None
