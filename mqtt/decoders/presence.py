"""Availability topics: a device, or the broker in its name, says whether it is there."""

from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import take_object
from mqtt.decoders.places import place
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability

LEVELS = frozenset(
    ("lwt", "status", "state", "availability", "available", "online", "connected", "connection", "alive", "will",
     "birth", "presence")
)  # fmt: skip
WORDS = {
    "online": Availability.ONLINE,
    "connected": Availability.ONLINE,
    "alive": Availability.ONLINE,
    "offline": Availability.OFFLINE,
    "disconnected": Availability.OFFLINE,
    "lost": Availability.OFFLINE,
    "dead": Availability.OFFLINE,
}
BOOLEANS = {
    "true": Availability.ONLINE,
    "1": Availability.ONLINE,
    "false": Availability.OFFLINE,
    "0": Availability.OFFLINE,
}
LINKED = {"2": Availability.ONLINE}
"""On `connected`, by the mqtt-smarthome convention: 1 without its hardware, 2 with it."""
SWITCHABLE = frozenset(("status", "state", "presence"))
"""Here true and 1 may be a switch's position, so only words count."""
WHY = frozenset(("reason", "cause", "message", "error"))
KEYS = ("state", "status", "availability", "online", "connected")


class PresenceDecoder:
    """`…/LWT`, `…/status`, `…/availability` and their like."""

    name = "availability"

    def knows_topic(self, topic: str) -> bool:
        """By the last level."""
        return "/" in topic and topic[topic.rindex("/") + 1 :].lower() in LEVELS

    def claims(self, content: Content) -> bool:
        """Only the few known words, bare or as the one thing that an object says."""
        return said(content) is not None

    def decode(self, content: Content) -> Decoded:
        """The availability of the device that the topic's prefix names."""
        found = said(content)
        if found is None:
            raise UndecodableError("no_values")
        owner = place(content.topic).owner
        if owner.key.endswith("/bridge"):
            # A bridge speaks for all its devices: it takes them down, and each comes back by itself.
            owner = owner._replace(key=owner.key.removesuffix("/bridge"))
            if found is Availability.ONLINE:
                return Decoded(self.name)
        decoded = Decoded(self.name, availability=[DecodedAvailability(owner, found)])
        if content.is_structure:
            take_object(_rest(content), owner, content, decoded)
        return decoded


def said(content: Content) -> Availability | None:
    """What a payload says about whoever sent it; None when it says something else."""
    if len(content.message.payload) > 200:
        return None
    topic = content.topic
    with_booleans = topic[topic.rfind("/") + 1 :].lower() not in SWITCHABLE
    if not content.is_structure:
        linked = LINKED.get(content.text) if topic.endswith("/connected") else None
        return linked or _word(content.text, with_booleans)
    document = content.document
    if not isinstance(document, dict):
        return None
    found = [_word(document[key], with_booleans or key in {"online", "connected"}) for key in KEYS if key in document]
    return found[0] if len(found) == 1 and len(document) <= 2 else None


def _rest(content: Content) -> dict[str, Any]:
    """What an object says beside."""
    if not content.is_structure or not isinstance(content.document, dict):
        return {}
    return {key: value for key, value in content.document.items() if key not in KEYS and key not in WHY}


def _word(value: Any, with_booleans: bool) -> Availability | None:
    word = str(value).strip().strip('"').lower() if isinstance(value, str | int) else ""
    return WORDS.get(word) or (BOOLEANS.get(word) if with_booleans else None)


DECODER = PresenceDecoder()
