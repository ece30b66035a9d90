"""A bare number, word or short text: the topic's last level is its name, the levels before are its device."""

import math
import re

import orjson

from mqtt.decoders.base import Content
from mqtt.decoders.measures import measured
from mqtt.decoders.places import NAME_LENGTH, Place, clean, moved, place, places
from mqtt.decoders.texts import LEAST_MOMENT, NO_NUMBERS, NO_VALUES
from mqtt.decoders.times import parse
from mqtt.decoders.vocabulary import words
from mqtt.decoders.walk import MAX_TEXT, NUMBER, PADDED, SWITCH_WORDS
from mqtt.decoders.words import Role
from mqtt.exceptions import UndecodableError
from mqtt.messages import Announcement, Decoded, DecodedFacts, DecodedReading, Moved

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_FINITE = {"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "-nan"}

LONGEST_UNIT = 12
NO_UNITS = frozenset(("(null)", "none", "bool"))
"""What mpp-solar writes where a value has no unit."""
FACTS = words("firmware hardware manufacturer mac ip hostname ssid bssid rssi snr linkquality")
"""What a topic of its own may say about the device; a `name` or an `id` may be anything there."""


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
        """One reading, or the unit of a neighbour's."""
        topic, unit = content.topic, ""
        if topic.count("/") > 1 and topic.endswith(("/value", "/unit")):
            topic, _slash, last = topic.rpartition("/")
            if last == "unit":
                return self._unit(content, topic)
            unit = (content.memory.get(self.name, topic) or {}).get("unit", "")
        where, number = places(topic)
        if topic.startswith("/") and topic.count("/") == 3:
            where = number = _of_task(topic)  # ESPEasy: /unit/task/value
        value, text, own_unit = _quantity(content.text, number.meaning.kind)
        unit = own_unit or unit
        before: list[Moved] = []
        if value is not None or (number is not where and where.name.isdecimal()):
            before += moved(topic)
            where = number
        if text is not None and "mode" not in where.name.lower():
            switched = SWITCH_WORDS.get(text.lower())
            value, text = (value, text) if switched is None else (switched, None)
        means = where.meaning
        if text is not None and text.lower() in (NO_NUMBERS if means.unit or means.fine else NO_VALUES):
            raise UndecodableError("no_number")
        is_date = text is not None and len(text) >= LEAST_MOMENT and text[4:5] == "-"
        may_be_time = is_date or means.role in {Role.TIME, Role.MOMENT}
        if may_be_time and parse(text or content.text.strip('"'), content.zone) is not None:
            return Decoded(self.name)  # when something was said, not what
        if means.role is Role.FACT and means.of in FACTS:
            return Decoded(self.name, facts=[DecodedFacts(where.owner, {means.of: text if value is None else value})])
        return Decoded(
            self.name,
            [
                DecodedReading(
                    where.owner,
                    where.name,
                    value,
                    text,
                    "" if value is None else unit or means.unit or means.unit_of(value),
                    means.kind,
                )
            ],
            moved=before,
        )

    def _unit(self, content: Content, topic: str) -> Decoded:
        """`…/unit` beside `…/value` says the unit; anything longer is a value of its own, except mpp-solar's."""
        value, text = scalar(content.text)
        if text is not None and (text.lower() in NO_UNITS or topic.rpartition("/")[0].endswith("/status")):
            text = "" if text.lower() in NO_UNITS or len(text) > LONGEST_UNIT else text
        if value is not None or text is None or len(text) > LONGEST_UNIT:
            where = place(content.topic)
            return Decoded(self.name, [DecodedReading(where.owner, where.name, value, text)])
        return Decoded(self.name, announcements=[Announcement(self.name, topic, {"unit": text})])


def _quantity(whole: str, kind: str) -> tuple[float | None, str | None, str]:
    """A number, else the text, and the unit behind the number. Raises UndecodableError."""
    value, text = scalar(whole)
    if text is None:
        return value, None, ""
    if measure := measured(text, kind):
        return measure[0], None, measure[1]
    is_number = kind and PADDED.fullmatch(text)
    return (float(text.replace(",", ".")), None, "") if is_number else (None, text, "")


def _of_task(topic: str) -> Place:
    _empty, unit, task, name = topic.split("/")
    where = place(topic)
    owner = where.owner._replace(key=f"/{unit}", identifier=clean(unit)[:NAME_LENGTH] or where.owner.identifier)
    return where._replace(owner=owner, name=clean(f"{task}.{name}")[:NAME_LENGTH])


def scalar(text: str) -> tuple[float | None, str | None]:
    """A number when the whole text is one, else the text. Raises UndecodableError for what is neither."""
    if NUMBER.fullmatch(text):
        return float(text), None
    if not text or text == "null":
        raise UndecodableError("empty")
    if text[0] == '"':
        text = _unquoted(text)
        if NUMBER.fullmatch(text):
            return float(text), None
    if len(text) > MAX_TEXT:
        raise UndecodableError("long_text", size=len(text))
    if text.lower() in _NOT_FINITE or _is_beyond(text):
        raise UndecodableError("no_number")
    if _CONTROL.search(text) or text.startswith("data:image/"):
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
