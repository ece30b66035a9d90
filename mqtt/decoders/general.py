"""The decoder for everything without one of its own: JSON objects and arrays, whatever their shape.

Nested keys are joined by dots. Numbers, booleans (1 and 0), texts up to 250 characters and short arrays of
them are readings; times and facts about the device (model, firmware, address, signal, uptime) are not.
The battery is a reading: people want its curve. An object that is only a value with its unit and time is
one reading. In an array of objects each must say who it is or when it was; others are left out.
"""

from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.objects import BESIDE_TOLD, BESIDE_VALUE, VALUE_KEYS, told_name, value_of
from mqtt.decoders.places import Place, moved, places
from mqtt.decoders.texts import is_log
from mqtt.decoders.walk import HEADS, MAX_STEPS, Walk
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, Moved


class GeneralDecoder:
    """JSON of no known family."""

    name = "json"

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """What begins like a JSON object or array."""
        return content.is_structure

    def decode(self, content: Content) -> Decoded:
        """Readings and facts of the topic's device."""
        document = content.document
        where, number = places(content.topic)
        walk = Walk(where.device, content)
        # A topic that ends in a quantity says it better than what the message calls its sensor.
        beside = BESIDE_TOLD if where.meaning.kind else BESIDE_VALUE
        key, is_apart = value_of(document, beside) if isinstance(document, dict) else ("", False)
        if isinstance(document, dict) and (told := _told(document, where)):
            walk.told(document, where, told)
        elif key:
            walk.moved += moved(content.topic)
            if is_apart:
                walk.moved.append(Moved(where.device.key, key, number.owner, number.name, rekeys=True))
            walk.device = number.owner
            walk.single(document, number.name, number.meaning, key)
        elif isinstance(document, dict):
            if is_log(document):
                return Decoded(self.name)
            if len(document) > MAX_STEPS:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
            walk.whole(document, where)
            if not HEADS.isdisjoint(document):
                walk.date(document)
        elif any(isinstance(item, dict) for item in document):
            walk.array(document, "", where.meaning, 1)
        else:
            walk.device = where.owner
            walk.array(document, where.name, where.meaning, 1)
        return walk.result(self.name)


def _told(document: dict[str, Any], where: Place) -> str:
    """What a message with one value says that it is, where its topic does not say it better."""
    if VALUE_KEYS.isdisjoint(document) or where.meaning.kind:
        return ""
    return told_name(document) if value_of(document, BESIDE_TOLD)[0] else ""


DECODER = GeneralDecoder()
