"""Telegraf's JSON: the points of its line protocol as objects, one or a batch under `metrics`."""

from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import objects, text
from mqtt.decoders.lineprotocol import take
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded


class TelegrafDecoder:
    """Points of any measurement; tags say who, fields are readings."""

    name = "telegraf"
    marks = frozenset(("fields", "metrics"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the topic is chosen by hand."""
        return True

    def claims(self, content: Content) -> bool:
        """A point by its name, fields and tags."""
        return bool(_points(content))

    def decode(self, content: Content) -> Decoded:
        """The readings of all points. Raises UndecodableError when there are too many."""
        decoded = Decoded(self.name)
        for point in _points(content):
            tags = {key: str(value) for key, value in point["tags"].items() if isinstance(value, str | int)}
            fields = {key: value for key, value in point["fields"].items() if isinstance(value, str | int | float)}
            whole = {"measurement": text(point, "name"), "tags": tags, "fields": fields, "time": point.get("timestamp")}
            take(decoded, content, whole)
            if len(decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
        return decoded


def _points(content: Content) -> list[dict[str, Any]]:
    found = content.object
    if found is None or ("fields" not in found and "metrics" not in found):
        return []
    listed = objects(found.get("metrics")) if "metrics" in found else [found]
    return listed if all(_is_point(one) for one in listed) else []


def _is_point(one: dict[str, Any]) -> bool:
    return isinstance(one.get("fields"), dict) and isinstance(one.get("tags"), dict) and text(one, "name") != ""


DECODER = TelegrafDecoder()
