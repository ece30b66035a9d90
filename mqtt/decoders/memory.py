"""What the devices of one connection announced about messages to come.

Decoders read it and never write: what they announce stands in their result, and whoever runs them puts it here
(`put`) and stores it. Tests and tools use a fresh Memory; nothing here touches the database.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Any, TypeVar

import orjson

from mqtt.messages import Announcement

MOST_ANNOUNCEMENTS = 50_000
"""Of one connection: ten for each of 5,000 devices."""
MOST_BYTES = 64 * 1024 * 1024
"""Of all announcements of one connection, as JSON; in memory they take two or three times as much."""
MOST_NOTES = 10_000

Derived = TypeVar("Derived")
Key = tuple[str, str]
"""(family, key)."""


class Memory:
    """Announcements by family and key, and by the topics that they speak about."""

    def __init__(self, zone_of: Callable[[str], tzinfo] = lambda _topic: UTC) -> None:
        """`zone_of` gives the time zone of local times on a topic."""
        self.zone_of = zone_of
        self.ahead_us = 0
        """How far devices may be ahead of the time of receipt, beyond the usual, because that is known to be behind."""
        self.notes: dict[Any, Any] = {}
        """For what may be lost: the last sequence number, the latest request. Bounded by `note`."""
        self._mappings: tuple[Any, ...] = ()
        self._mapping_of: dict[str, Any | None] = {}
        self._entries: dict[Key, Announcement] = {}
        self._sizes: dict[Key, int] = {}
        self._size = 0
        self._by_topic: dict[str, dict[Key, Announcement]] = {}
        self._derived: dict[str, dict[Any, Any]] = {}
        """By topic; only of topics that are spoken about, so no more than there are announcements."""
        self._before: dict[Key, Announcement | None] = {}
        """What stood under the keys that changed since the last commit."""

    def get(self, family: str, key: str) -> Any | None:
        """What was announced under a key."""
        entry = self._entries.get((family, key))
        return None if entry is None else entry.data

    def knows(self, key: Key) -> bool:
        """Whether anything was announced under a key."""
        return key in self._entries

    def about(self, topic: str) -> list[Announcement]:
        """The announcements that name this topic."""
        found = self._by_topic.get(topic)
        return list(found.values()) if found else []

    def told(self, topic: str, family: str) -> list[dict[str, Any]]:
        """What a family announced about this topic."""
        return [said.data for said in self.about(topic) if said.family == family and said.data is not None]

    def derive(self, topic: str, make: Callable[[str, list[Announcement]], Derived]) -> Derived:
        """What `make` draws from the announcements about a topic; drawn once, until they change."""
        known = self._derived.setdefault(topic, {})
        if make not in known:
            known[make] = make(topic, self.about(topic))
        found: Derived = known[make]
        return found

    def speaks_of(self, topic: str) -> bool:
        """Whether an announcement names this topic."""
        return topic in self._by_topic

    def use_mappings(self, mappings: tuple[Any, ...]) -> None:
        """Take the decoders that people made (`decoders.mapping`), in the order in which they are asked."""
        self._mappings = mappings
        self._mapping_of = {}

    def mapping_of(self, topic: str) -> Any | None:
        """The first mapping that covers a topic."""
        if not self._mappings:
            return None
        if topic not in self._mapping_of:
            if len(self._mapping_of) >= MOST_NOTES:
                self._mapping_of.clear()
            self._mapping_of[topic] = next((one for one in self._mappings if one.knows_topic(topic)), None)
        return self._mapping_of[topic]

    def note(self, key: Any, value: Any) -> None:
        """Remember something that may be lost."""
        if len(self.notes) >= MOST_NOTES and key not in self.notes:
            self.notes.clear()
        self.notes[key] = value

    def put(self, said: Announcement) -> bool:
        """Take an announcement, or take one back. False: there is no room for it, and what stood there stays."""
        key = (said.family, said.key)
        before = self._entries.get(key)
        if before is None:
            if said.data is None:
                return True
            if len(self._entries) >= MOST_ANNOUNCEMENTS:
                return False
        elif before.data == said.data and before.topics == said.topics:
            return True
        if not self._has_room(key, said):
            return False
        self._before.setdefault(key, before)
        self._set(key, said if said.data is not None else None)
        return True

    def load(self, entries: Iterator[Announcement]) -> None:
        """Fill a fresh memory with what was stored, as far as there is room."""
        for entry in entries:
            key = (entry.family, entry.key)
            if self._has_room(key, entry):
                self._set(key, entry)

    def _has_room(self, key: Key, said: Announcement) -> bool:
        more = _size(said) - self._sizes.get(key, 0)
        return more <= 0 or self._size + more <= MOST_BYTES

    def changed(self) -> list[Announcement]:
        """What is to be stored since the last commit; without data: to be deleted."""
        return [self._entries.get(key) or Announcement(*key, None) for key in self._before]

    def commit(self) -> None:
        """What changed is stored."""
        self._before.clear()

    def rollback(self) -> None:
        """What changed is not stored: its messages will come again."""
        for key, before in self._before.items():
            self._set(key, before)
        self._before.clear()

    def _set(self, key: Key, entry: Announcement | None) -> None:
        before = self._entries.pop(key, None)
        self._size -= self._sizes.pop(key, 0)
        for topic in before.topics if before else ():
            self._derived.pop(topic, None)
            about = self._by_topic.get(topic, {})
            about.pop(key, None)
            if not about:
                self._by_topic.pop(topic, None)
        if entry is not None:
            self._entries[key] = entry
            self._sizes[key] = _size(entry)
            self._size += self._sizes[key]
            for topic in entry.topics:
                self._derived.pop(topic, None)
                self._by_topic.setdefault(topic, {})[key] = entry


def _size(said: Announcement) -> int:
    return 0 if said.data is None else len(orjson.dumps([said.key, said.data, said.topics]))
