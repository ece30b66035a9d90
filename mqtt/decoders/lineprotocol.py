"""Influx line protocol: `measurement,tag=… field=…,… time`, a line a point; a bad line does not lose the good ones."""

import re
from collections.abc import Iterator
from typing import Any

from line_protocol_parser import LineFormatError, parse_line

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import reading
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DeviceRef

IDENTITY_TAGS = (
    "host",
    "device",
    "device_id",
    "deviceid",
    "dev_eui",
    "serial",
    "serial_number",
    "sensor_id",
    "sensor",
    "node",
    "id",
    "mac",
    "name",
    "station",
    "station_id",
    "logger",
    "meter",
    "machine",
    "asset",
)
_ESCAPE = r"\\[,= ]?+"
"""A backslash before anything else is itself."""
_WORD = rf"(?:[^\s,=\\]|{_ESCAPE})+"
_LINE = re.compile(rf"(?:[^\s,=\\{{}}\[\]\"]|{_ESCAPE})+(?:,{_WORD}={_WORD})* {_WORD}=\S")
_QUOTED = re.compile(r'(?<!\\)"')
MOST_LINES = 5000
LONGEST_LINE = 8_000
"""The parser's time grows with the square of a line's length: a line of 1 MB would take seconds."""
LARGEST = 2**63


class LineProtocolDecoder:
    """Points of any measurement; tags say who, fields are readings."""

    name = "influx"

    def knows_topic(self, _topic: str) -> bool:
        """Any: nothing but the payload tells."""
        return True

    def claims(self, content: Content) -> bool:
        """What begins like a line of it."""
        payload = content.message.payload
        if content.is_structure or b"=" not in payload[:1000] or b" " not in payload[:1000]:
            return False
        try:
            text = content.text
        except UndecodableError:
            return False
        return _LINE.match(next((line for line in text.split("\n", 50) if line and line[0] != "#"), "")) is not None

    def decode(self, content: Content) -> Decoded:
        """The readings of all good lines. Raises UndecodableError when none is good."""
        decoded = Decoded(self.name)
        for line in _lines(content.text):
            try:
                point = parse_line(line)
            except (LineFormatError, ValueError, OverflowError, UnicodeError):
                continue
            if point:  # a comment is none
                take(decoded, content, point)
            if len(decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
        if not decoded.readings:
            raise UndecodableError("no_values")
        return decoded


def _lines(text: str) -> Iterator[str]:
    """Lines; one goes on as long as a quoted text is open. What is longer than any device's is left out."""
    parts: list[str] = []
    size, is_open = 0, False
    for line in text.split("\n", MOST_LINES)[:MOST_LINES]:
        parts.append(line)
        size += len(line) + 1
        if size <= LONGEST_LINE:
            is_open ^= len(_QUOTED.findall(line)) % 2 == 1
            if is_open:
                continue
            whole = "\n".join(parts).strip()
            if whole and not whole.startswith("#"):
                yield whole
        parts, size, is_open = [], 0, False


def take(decoded: Decoded, content: Content, point: dict[str, Any]) -> None:
    """Add the readings of one point: measurement, tags, fields, time."""
    moment = point.get("time")
    time_us = content.time(moment) if moment else None
    device = _device(content.topic, point["tags"])
    for field, value in point["fields"].items():
        if isinstance(value, float) and not abs(value) < float("inf"):
            continue
        if isinstance(value, int) and not isinstance(value, bool) and not -LARGEST <= value < 2 * LARGEST:
            continue
        means = meaning(field)
        one = reading(device, f"{point['measurement']}.{field}", value, means.unit, means.kind, is_text=True)
        if one is not None:
            one.time_us = time_us
            decoded.readings.append(one)


def _device(topic: str, tags: dict[str, str]) -> DeviceRef:
    """Who the tags say it is, else the topic; series that differ in any tag keep apart."""
    whole = place(topic).device
    if not tags:
        return whole
    series = clean(",".join(f"{key}={value}" for key, value in sorted(tags.items())))
    named = next((tags[key] for key in IDENTITY_TAGS if tags.get(key)), "")
    return DeviceRef(f"{topic}#{series[:500]}", clean(named)[:NAME_LENGTH] or whole.identifier)


DECODER = LineProtocolDecoder()
