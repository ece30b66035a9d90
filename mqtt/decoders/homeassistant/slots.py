"""How the topics of one discovered device are called below it, so that no two values share a name."""

from typing import Any

from mqtt.decoders.memory import Memory
from mqtt.decoders.places import GENERIC_LEVELS, NAME_LENGTH, clean
from mqtt.messages import Announcement

FAMILY = "homeassistant"
MOST_TOPICS = 400
_GENERIC = GENERIC_LEVELS | {"get", "value"}


class Slots:
    """The key of a device and the names of its topics: said by the first messages, and kept."""

    def __init__(self, memory: Memory, identifier: str, topic: str) -> None:
        """`topic` is the first of the device, if nothing is known of it yet."""
        self._index = f"slots {identifier}"
        known: dict[str, Any] = memory.get(FAMILY, self._index) or {}
        self._is_new = not known
        self.key: str = known.get("key") or f"{_owner(topic)}#{identifier}"
        self._slots: dict[str, str] = dict(known.get("topics", {}))
        self._changed = False

    def of(self, topic: str, name: str, *, is_json: bool) -> str:
        """The name of a topic; empty for the first with JSON, whose keys are names enough."""
        if topic not in self._slots:
            slot = self._free(topic, name, is_json=is_json)
            if len(self._slots) >= MOST_TOPICS:
                return slot
            self._slots[topic] = slot
            self._changed = True
        return self._slots[topic]

    def news(self) -> list[Announcement]:
        """What is to be remembered."""
        if not self._changed:
            return []
        return [Announcement(FAMILY, self._index, {"key": self.key, "topics": self._slots})]

    def _free(self, topic: str, name: str, *, is_json: bool) -> str:
        taken = set(self._slots.values())
        if is_json and "" not in taken:
            return ""
        levels = [clean(level) for level in bare(topic).split("/") if level.strip()]
        for count in range(1, len(levels) + 1):
            slot = ".".join(levels[-count:])[-NAME_LENGTH // 2 :]
            if slot not in taken:
                return slot
        return clean(name)[: NAME_LENGTH // 2] or "value"


def is_generic(topic: str) -> bool:
    """Whether the last level says what is sent and not of what it is: `…/state`."""
    return topic[topic.rfind("/") + 1 :].lower() in _GENERIC


def bare(topic: str) -> str:
    """A topic without such levels at its end."""
    levels = topic.split("/")
    while len(levels) > 1 and levels[-1].lower() in _GENERIC:
        levels.pop()
    return "/".join(levels)


def _owner(topic: str) -> str:
    owner = bare(topic)
    return owner.rpartition("/")[0] or owner
