"""The part of a message that is one device's own: an object of values in the envelope of a family."""

from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.general import MAX_TEXT, Walk
from mqtt.decoders.places import clean
from mqtt.decoders.times import is_sane, parse
from mqtt.messages import Decoded, DecodedFacts, DecodedReading, DeviceRef

MEMBERS = 4000
"""Of one array; a message holds at most half as many values."""


class Part(Walk):
    """A walk whose findings join those of other parts."""

    __slots__ = ()

    def into(self, decoded: Decoded, time_us: int | None = None) -> list[DecodedReading]:
        """Add readings and facts to a result; `time_us` is that of readings without a nearer one."""
        for reading in self.readings:
            if reading.time_us is None:
                reading.time_us = time_us
        decoded.readings += self.readings
        decoded.facts += [DecodedFacts(ref, found) for ref, found in self._facts.items() if found]
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


def member(found: Any, *path: str) -> Any:
    """What stands at a path of keys; None where something is missing or of another kind."""
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def text(found: Any, *path: str) -> str:
    """A text or whole number at a path of keys, without NUL; empty when there is none."""
    value = member(found, *path)
    if isinstance(value, str):
        return clean(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def objects(found: Any) -> list[dict[str, Any]]:
    """The objects in an array, as far as anything reads them."""
    return [one for one in found[:MEMBERS] if isinstance(one, dict)] if isinstance(found, list) else []


def told(**facts: Any) -> dict[str, Any]:
    """Facts that are plain and not empty, bounded."""
    kept = {}
    for name, value in facts.items():
        plain = clean(value)[:MAX_TEXT] if isinstance(value, str) else value
        if plain not in ("", None) and isinstance(plain, str | int | float):
            kept[name] = plain
    return kept


def first_moment(content: Content, *candidates: Any) -> int | None:
    """The first of several times that can be true; they are not the device's own, so its clock is not judged."""
    for candidate in candidates:
        moment = parse(candidate, content.zone)
        if moment is not None and is_sane(moment, content.message.received_us):
            return moment
    return None
