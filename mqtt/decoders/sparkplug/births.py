"""What births announce: which name, datatype and unit stand behind an alias or a name in later messages."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from zlib import crc32

from mqtt.decoders.memory import Memory
from mqtt.messages import Announcement

FAMILY = "sparkplug"
PART = 400
"""Metrics of one announcement, which may have 64 KB; a large node needs several."""
MOST_PARTS = 100


class Known(NamedTuple):
    """A metric as its birth describes it."""

    name: str
    datatype: int
    unit: str


def announcements(
    memory: Memory, place: str, known: Iterable[tuple[int, Known]], more: dict[str, Any]
) -> Iterator[Announcement]:
    """The metrics of a node or device in parts; parts of an earlier, larger birth are taken back."""
    metrics = list(known)
    count = min(MOST_PARTS, 1 + len(metrics) // PART)
    parts: list[dict[str, Any]] = [{} for _ in range(count)]
    for alias, one in metrics:
        key = _key(alias, one.name)
        parts[_part(key, count)][key] = list(one)
    former = (memory.get(FAMILY, place) or {}).get("parts", 0)
    yield Announcement(FAMILY, place, {"parts": count, "metrics": parts[0], **more})
    for number in range(1, max(count, former)):
        yield Announcement(FAMILY, f"{place}#{number}", {"metrics": parts[number]} if number < count else None)


def find(memory: Memory, places: Iterable[str], alias: int, name: str) -> Known | None:
    """The metric in the first of these births that has it."""
    key = _key(alias, name)
    for place in places:
        main = memory.get(FAMILY, place)
        if main is None:
            continue
        number = _part(key, main["parts"])
        part = main if number == 0 else memory.get(FAMILY, f"{place}#{number}")
        found = part["metrics"].get(key) if part else None
        if found is not None:
            return Known(*found)
    return None


def _key(alias: int, name: str) -> str:
    """Metrics are found by their alias, those without by their name."""
    return str(alias) if alias >= 0 else f"={name}"


def _part(key: str, count: int) -> int:
    return crc32(key.encode()) % count if count > 1 else 0
