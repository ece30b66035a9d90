"""Plain text of names and numbers, as small devices write it: `temp=21.5;hum=44`, `T:21.5 H:44`, `name: 7` in lines."""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import take_object
from mqtt.decoders.measures import measured
from mqtt.decoders.objects import device_of
from mqtt.decoders.places import place
from mqtt.decoders.times import parse
from mqtt.decoders.walk import NUMBER
from mqtt.decoders.words import Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded

LONGEST = 2000
LEAST = 2
ULTRALIGHT = "/attrs"
"""Where FIWARE's agents expect `t|21.5|h|44`."""
"""One name with a number may be a sentence."""
_BETWEEN = re.compile(r"[;,&|\n]")
_BLANKS = re.compile(r"\s+")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_.\-]{0,59})\s?[=:]\s?([^\s=:][^=:\n]{0,39})")


class PairsDecoder:
    """Texts in which each name has a number, with or without its unit."""

    name = "pairs"

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """At least two pairs and nothing else."""
        payload = content.message.payload
        if b"=" not in payload and b":" not in payload and not content.topic.endswith(ULTRALIGHT):
            return False
        if len(payload) > LONGEST:
            return False
        content.kept = _pairs(content)
        return bool(content.kept)

    def decode(self, content: Content) -> Decoded:
        """The same as an object of these names. Raises UndecodableError."""
        found = content.kept or _pairs(content)
        decoded = Decoded(self.name)
        take_object(found, device_of(found, place(content.topic)), content, decoded)
        if not found or not (decoded.readings or decoded.facts):
            raise UndecodableError("no_values")
        return decoded


def _pairs(content: Content) -> dict[str, Any]:
    """{name: number as a text, or with its unit}; empty when the text says anything else."""
    try:
        text = content.text
    except UndecodableError:
        return {}
    if content.topic.endswith(ULTRALIGHT) and text.count("|") % 2:
        names = text[:LONGEST].split("|")
        text = "&".join(f"{name}={value}" for name, value in zip(names[::2], names[1::2], strict=True))
    parts = [part.strip() for part in _BETWEEN.split(text[:LONGEST]) if part.strip()]
    if len(parts) < LEAST:
        parts = _BLANKS.split(text[:LONGEST])
    matches = [_PAIR.fullmatch(part) for part in parts]
    found = {match[1]: match[2].strip() for match in matches if match}
    if len(found) < LEAST or len(found) < len(parts):
        return {}
    named = {name: _by_letter(name, value) for name, value in found.items()}
    plain = sum(not isinstance(value, str) or _is_plain(name, value) for name, value in named.items())
    is_form = "&" in text and plain > 0  # a form's fields are parted beyond doubt, so some may be words
    return named if is_form or plain == len(named) else {}


LETTERS = {"T": "temperature", "t": "temperature", "V": "voltage", "U": "voltage", "I": "current"}
"""What a letter stands for before a number with a unit that agrees: `T=21.5C`."""


def _by_letter(name: str, value: str) -> str | dict[str, Any]:
    measure = measured(value, LETTERS[name]) if name in LETTERS else None
    return {"value": measure[0], "unit": measure[1]} if measure else value


def _is_plain(name: str, value: str) -> bool:
    means = meaning(name)
    if means.role is not Role.VALUE:
        return means.role is not Role.TIME or parse(value) is not None
    return NUMBER.fullmatch(value) is not None or measured(value, means.kind) is not None


DECODER = PairsDecoder()
