"""What a topic says about the device that speaks on it."""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.words import Meaning, Role, meaning, words
from mqtt.messages import DeviceRef

NAME_LENGTH = 250
LEAST_SERIAL = 8
"""Digits of a number that is somebody's own, such as an IMEI."""
_DIGIT = re.compile(r"\d")
GENERIC_LEVELS = words(
    """sensor sensors state status telemetry data event events json up values value readings reading measurement
    measurements attributes payload message uplink"""
)
"""A last level that says what is sent and not who sends it: the level before it is the better name."""


class Place(NamedTuple):
    """Where readings of a topic belong."""

    device: DeviceRef
    """For an object: the whole topic is the device."""
    owner: DeviceRef
    """For a single value: the device is the topic without its last level ..."""
    name: str
    """... and the last level is the value's name."""
    meaning: Meaning


@lru_cache(maxsize=20_000)
def place(topic: str) -> Place:
    """The devices that a topic may stand for; nothing is invented where levels are missing."""
    levels = topic.split("/")
    device = DeviceRef(topic, _identifier(levels))
    if len(levels) == 1:
        return Place(device, device, "value", Meaning(Role.VALUE))
    owner = DeviceRef(topic[: topic.rindex("/")], _identifier(levels[:-1]))
    name = clean(levels[-1])[:NAME_LENGTH] or "value"
    return Place(device, owner, name, meaning(name))


TAILS = words("state presentvalue present_value present-value value get current actual")
"""Last levels that say nothing of a number but that it is one: the level before names it."""


@lru_cache(maxsize=20_000)
def place_of_number(topic: str) -> Place:
    """Where a bare number belongs: `kitchen/temperature/state` is the temperature of the kitchen."""
    where = place(topic)
    levels = topic.split("/")
    if len(levels) < 3 or levels[-1].lower() not in TAILS:
        return where
    before = place(topic[: topic.rindex("/")])
    is_name = before.meaning.role is Role.VALUE and (before.meaning.kind or not _DIGIT.search(before.name))
    return before if is_name and before.name != "value" else where  # `0x00158d01/state` names a device


def _identifier(levels: list[str]) -> str:
    named = [level for level in levels if level.strip()]
    if len(named) > 1 and named[-1].lower() in GENERIC_LEVELS:
        named.pop()
    if len(named) > 1 and named[-1].isdecimal() and len(named[-1]) < LEAST_SERIAL:
        return clean("/".join(named[-2:]))[:NAME_LENGTH]  # `relay/0`: a small number names nothing
    return clean(named[-1] if named else "/".join(levels))[:NAME_LENGTH]


def clean(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot hold."""
    return text.replace("\0", "") if "\0" in text else text
