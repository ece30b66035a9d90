"""Mappings: the decoder that a person makes for a topic that nothing understands.

A topic pattern with named levels says where it applies; JMESPath expressions pick device, time and values out of the
payload. Text with a separator is read as a table: a list of rows, each a list of texts.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.times import in_zone
from mqtt.decoders.walk import MAX_TEXT, NUMBER, SWITCH_WORDS
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedReading, DeviceRef

MOST_ITEMS = 1000
MOST_COPIES = 64
"""Of a message, that an expression could yield: what doubles it again and again would hold the ingest for ever."""
QUOTING = 4
"""How much longer to_string() may make a text: what is quoted twice is escaped twice."""
LONGEST_GLUE = 20
_LEVEL = re.compile(r"\{([A-Za-z_]\w{0,29})\}")
_COMMA_NUMBER = re.compile(r"[-+]?\d{1,15}(?:,\d{1,20})?")


@dataclass(frozen=True, slots=True)
class ValueRule:
    """One value: where it stands, and its name as text (with `{level}`s) or, when given, as a path."""

    path: str
    name: str = ""
    name_path: str = ""
    unit: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """A mapping as it is stored."""

    pk: int
    topic_pattern: str
    values: tuple[ValueRule, ...]
    items_path: str = ""
    """A list in the payload whose entries are devices or moments; paths below are then relative to an entry."""
    device: str = ""
    """The device's name with `{level}`s; empty: the topic's own."""
    device_path: str = ""
    """Where the payload says who it is."""
    time_path: str = ""
    time_format: str = ""
    """As in strptime; empty: ISO 8601 or an epoch number."""
    separator: str = ""
    decimal_comma: bool = False
    is_ignored: bool = False
    """Messages are left aside: counted, and nothing else."""


def pattern_error(pattern: str) -> str | None:
    """The reason code why a topic pattern cannot be used, or None."""
    names = _LEVEL.findall(pattern)
    levels = pattern.split("/")
    if not pattern or "\0" in pattern:
        return "filter_empty"
    if "#" in pattern and (levels[-1] != "#" or pattern.count("#") > 1):
        return "filter_hash_last"
    if len(set(names)) != len(names):
        return "pattern_twice"
    if any(("+" in level and level != "+") or set(_LEVEL.sub("", level)) & set("{}") for level in levels):
        return "pattern_level"
    return None


def path_error(path: str) -> str:
    """What is wrong with a JMESPath expression, in the library's words; empty when it is good."""
    if not path:
        return ""
    try:
        _expression(path)
    except (JMESPathError, RecursionError) as error:
        return str(error).partition("\n")[0][:200]
    return ""


def _expression(path: str) -> Any:
    """A JMESPath expression, ready to search. Raises JMESPathError, RecursionError."""
    expression = jmespath.compile(path)
    copies = _copies(expression.parsed)
    if copies > MOST_COPIES:
        raise JMESPathError(f"It could yield {copies} copies of a message, at most {MOST_COPIES} are allowed.")
    return expression


def _copies(node: Any) -> int:
    """How many times over an expression could yield what it is given: each `[@, @]` on the way doubles it."""
    children = [child for child in node["children"] if isinstance(child, dict)]  # a slice holds numbers
    inside = [_copies(child) for child in children]
    if node["type"].startswith("multi_select"):
        return max(1, sum(inside))
    if node["type"] == "function_expression" and node["value"] == "to_string":
        return QUOTING * math.prod(inside)
    if node["type"] == "function_expression" and node["value"] == "join":
        glue = children[0].get("value") if children and children[0]["type"] == "literal" else None
        if not isinstance(glue, str) or len(glue) > LONGEST_GLUE:
            raise JMESPathError(f"join() takes a text of at most {LONGEST_GLUE} characters first, as in join(', ', a).")
    return math.prod(inside)


def level_names(pattern: str) -> list[str]:
    """The named levels of a pattern."""
    return _LEVEL.findall(pattern)


def _regex(pattern: str) -> re.Pattern[str]:
    parts = []
    for level in pattern.split("/"):
        if level in {"+", "#"}:
            parts.append("[^/]*" if level == "+" else ".*")
        else:
            pieces = _LEVEL.split(level)
            named = (f"(?P<{piece}>[^/]+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
            parts.append("".join(named))
    if parts[-1] == ".*" and len(parts) > 1:
        return re.compile("/".join(parts[:-1]) + "(?:/.*)?", re.DOTALL)  # `a/#` covers `a` itself
    return re.compile("/".join(parts), re.DOTALL)


class MappingDecoder:
    """One mapping, ready to decode. Raises JMESPathError for a bad path; see `path_error`."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.name = "ignored" if rules.is_ignored else f"mapping:{rules.pk}"
        self._topic = _regex(rules.topic_pattern)
        self._items = _compiled(rules.items_path)
        self._device = _compiled(rules.device_path)
        self._time = _compiled(rules.time_path)
        self._values = [(one, _compiled(one.path), _compiled(one.name_path)) for one in rules.values]

    def knows_topic(self, topic: str) -> bool:
        """Whether the pattern covers the topic."""
        return self._topic.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Everything on its topics: a person said so."""
        return self.rules.is_ignored or not content.is_empty

    def decode(self, content: Content) -> Decoded:
        """What the paths find. Raises UndecodableError when that is nothing."""
        match = self._topic.fullmatch(content.topic)
        levels = match.groupdict() if match else {}
        decoded = Decoded(self.name)
        if self.rules.is_ignored:
            return decoded
        try:
            for item in self.items(content):
                decoded.readings += self._read(content, item, levels)
                if len(decoded.readings) > MAX_VALUES:
                    raise UndecodableError("too_many_values", limit=MAX_VALUES)
        except (JMESPathError, RecursionError) as error:
            raise UndecodableError("mapping_failed", detail=str(error).partition("\n")[0][:200]) from None
        if not decoded.readings:
            raise UndecodableError("mapping_found_nothing")
        return decoded

    def document(self, content: Content) -> Any:
        """The payload as the paths see it: JSON, a table, or plain text."""
        if self.rules.separator:
            lines = content.text.splitlines()[:MOST_ITEMS]
            return [[cell.strip() for cell in line.split(self.rules.separator)] for line in lines if line.strip()]
        if content.is_structure:
            return content.document
        try:
            return orjson.loads(content.text)
        except orjson.JSONDecodeError:
            return content.text

    def items(self, content: Content) -> list[Any]:
        """The entries that are read one by one; the whole payload when there is no list."""
        document = self.document(content)
        found = self._items.search(document) if self._items else document
        many = isinstance(found, list) and (self._items is not None or bool(self.rules.separator))
        return found[:MOST_ITEMS] if many else [] if found is None else [found]

    def _read(self, content: Content, item: Any, levels: dict[str, str]) -> Iterator[DecodedReading]:
        device = self._who(content, item, levels)
        time_us = self._when(content, item)
        for rule, path, name_path in self._values:
            value, text = self._value(path.search(item)) if path else (None, None)
            name = _scalar(name_path.search(item)) if name_path else _filled(rule.name, levels)
            if (value is None and text is None) or (name_path and not name):
                continue
            means = meaning(name or rule.path)
            name = name or rule.path.replace('"', "")[:NAME_LENGTH] or "value"
            unit = "" if text is not None else rule.unit or means.unit
            yield DecodedReading(device, name, value, text, unit, rule.kind or means.kind, time_us)

    def _who(self, content: Content, item: Any, levels: dict[str, str]) -> DeviceRef:
        if self._device is not None:
            said = _scalar(self._device.search(item))
            if said:
                return DeviceRef(f"{content.topic}#{said}", said)
        if self.rules.device:
            named = level_names(self.rules.device)
            return DeviceRef(self._prefix(content.topic, named), _filled(self.rules.device, levels) or content.topic)
        return place(content.topic).device

    def _prefix(self, topic: str, named: list[str]) -> str:
        """The topic as far as the levels that name the device."""
        pattern = self.rules.topic_pattern.split("/")
        at = [index for index, level in enumerate(pattern) if set(_LEVEL.findall(level)) & set(named)]
        return "/".join(topic.split("/")[: at[-1] + 1]) if at else f"{topic}#{self.rules.device}"

    def _when(self, content: Content, item: Any) -> int | None:
        said = self._time.search(item) if self._time else None
        if said is None or not self.rules.time_format:
            return content.time(said)
        try:
            moment = datetime.strptime(_scalar(said), self.rules.time_format)  # noqa: DTZ007 - the zone comes next
        except (ValueError, re.error):
            return None
        return content.checked(in_zone(moment, content.zone))

    def _value(self, found: Any) -> tuple[float | None, str | None]:
        if isinstance(found, bool | int | float):
            return float(found), None
        if not isinstance(found, str) or not found.strip() or len(found) > MAX_TEXT:
            return None, None
        text = found.strip()
        if self.rules.decimal_comma and _COMMA_NUMBER.fullmatch(text):
            return float(text.replace(",", ".")), None
        if NUMBER.fullmatch(text):
            return float(text), None
        switched = SWITCH_WORDS.get(text.lower())
        return (switched, None) if switched is not None else (None, clean(text) or None)


def _compiled(path: str) -> Any:
    return _expression(path) if path else None


def _scalar(found: Any) -> str:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return clean(str(found)).strip()[:NAME_LENGTH]


def _filled(template: str, levels: dict[str, str]) -> str:
    return clean(_LEVEL.sub(lambda match: levels.get(match.group(1)) or "", template)).strip()[:NAME_LENGTH]
