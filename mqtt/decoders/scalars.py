"""A bare number, word or short text: the topic's last level is its name, the levels before are its device."""

import math
import re

import orjson

from mqtt.decoders.base import Content
from mqtt.decoders.general import MAX_TEXT, NUMBER, SWITCH_WORDS
from mqtt.decoders.places import place
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedReading

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_FINITE = {"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "-nan"}


class ScalarDecoder:
    """Raw and JSON scalars."""

    name = "scalar"

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, _content: Content) -> bool:
        """What nobody else took."""
        return True

    def decode(self, content: Content) -> Decoded:
        """One reading."""
        where = place(content.topic)
        value, text = scalar(content.text)
        if text is not None and "mode" not in where.name.lower():
            switched = SWITCH_WORDS.get(text.lower())
            value, text = (value, text) if switched is None else (switched, None)
        means = where.meaning
        return Decoded(
            self.name,
            [DecodedReading(where.owner, where.name, value, text, means.unit if text is None else "", means.kind)],
        )


def scalar(text: str) -> tuple[float | None, str | None]:
    """A number when the whole text is one, else the text. Raises UndecodableError for what is neither."""
    if NUMBER.fullmatch(text):
        return float(text), None
    if not text or text == "null":
        raise UndecodableError("empty")
    if text[0] == '"':
        text = _unquoted(text)
    if len(text) > MAX_TEXT:
        raise UndecodableError("long_text", size=len(text))
    if text.lower() in _NOT_FINITE or _is_beyond(text):
        raise UndecodableError("no_number")
    if _CONTROL.search(text):
        raise UndecodableError("binary")
    return None, text


def _unquoted(text: str) -> str:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if not value:
        raise UndecodableError("empty")
    return str(value)


def _is_beyond(text: str) -> bool:
    """Whether it is a number that no double holds, like 1e400."""
    if not text[-1].isdigit() or len(text) > 40:
        return False
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


DECODER = ScalarDecoder()
