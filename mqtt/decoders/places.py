"""What a topic says about the device that speaks on it."""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import Meaning, Role, meaning
from mqtt.messages import DeviceRef, Moved

NAME_LENGTH = 250
LEAST_SERIAL = 8
"""Digits of a number that is somebody's own, such as an IMEI."""
_DIGIT = re.compile(r"\d")
GENERIC_LEVELS = words(
    """sensor sensors state status telemetry data event events json up values value readings reading measurement
    measurements attributes attrs feeds payload message uplink info alarm"""
)
"""A last level that says what is sent and not who sends it: the level before it is the better name."""


TRANSPORT = words("up rx tx out uplink data json telemetry")
"""Levels before such a last one that say how it came."""
LONGEST_NUMBER = 3
GROUP_ADDRESS = (31, 7, 255)
"""The highest of each level: `1/2/17` on a KNX bus is one value, and no device with parts."""


MOST_TOPICS = 150_000
"""Of which is remembered what they stand for: with more, each message would cost what the first of a topic costs."""


class Place(NamedTuple):
    """Where readings of a topic belong."""

    device: DeviceRef
    """For an object: the whole topic is the device."""
    owner: DeviceRef
    """For a single value: the device is the topic without its last level ..."""
    name: str
    """... and the last level is the value's name."""
    meaning: Meaning


@lru_cache(maxsize=MOST_TOPICS)
def places(topic: str) -> tuple[Place, Place]:
    """`place` and `place_of_number` of a topic, remembered together: with very many topics looking each up costs."""
    where = _found(topic)
    return where, _of_number(topic, where)


def place(topic: str) -> Place:
    """The devices that a topic may stand for; nothing is invented where levels are missing."""
    return places(topic)[0]


def place_of_number(topic: str) -> Place:
    """Where a bare number belongs: `kitchen/temperature/state` is the temperature of the kitchen."""
    return places(topic)[1]


WATSON = "iot-2"
_WATSON = re.compile(r"iot-2/type/[^/]+/id/([^/]+)(?=/evt/([^/]+)/fmt/)")
"""IBM's platform: events of one device under a topic each, which end in their format."""


def _found(topic: str) -> Place:
    levels = topic.split("/")
    if levels[0] == WATSON and (match := _WATSON.match(topic)):
        device = DeviceRef(match[0], clean(match[1])[:NAME_LENGTH])
        return Place(device, device, clean(match[2])[:NAME_LENGTH], meaning(match[2]))
    device = DeviceRef(topic, _identifier(levels))
    if len(levels) == 1:
        return Place(device, device, "value", Meaning(Role.VALUE))
    if is_group_address(levels):
        bus = levels[:-3]
        return Place(device, DeviceRef("/".join(bus), _identifier(bus)), "/".join(levels[-3:]), Meaning(Role.VALUE))
    owner = DeviceRef(topic[: topic.rindex("/")], _identifier(levels[:-1]))
    name = clean(levels[-1])[:NAME_LENGTH] or "value"
    return Place(device, owner, name, meaning(name))


TAILS = words("state presentvalue present_value present-value value get current actual")
"""Last levels that say nothing of a number but that it is one: the level before names it."""


def _of_number(topic: str, where: Place) -> Place:
    levels = topic.split("/")
    if len(levels) < 3:
        return where
    if len(levels[-1]) <= LONGEST_INDEX and levels[-1].isdecimal() and is_numbered(levels[-2]):
        owner = DeviceRef("/".join(levels[:-2]), _identifier(levels[:-2]))
        return Place(where.device, owner, f"{clean(levels[-2])}.{levels[-1]}"[:NAME_LENGTH], meaning(levels[-2]))
    if levels[-1].lower() not in TAILS:
        return where
    before = _found(topic[: topic.rindex("/")])
    is_name = before.meaning.role is Role.VALUE and (before.meaning.kind or not _DIGIT.search(before.name))
    return before if is_name and before.name != "value" else where  # `0x00158d01/state` names a device


LONGEST_INDEX = 2
NUMBERED = words(
    """dimmer channel input output relay switch adc ai ao di do analog digital gpio pin port outlet socket led
    shutter blind counter pulse probe analoginput analogoutput digitalinput digitaloutput aivalue aivaluescaled
    distatus dostatus counts zone valve"""
)
"""What a device has several of: `gate/relay/2` is its second relay, and no value "2" of a device `relay`."""


def is_numbered(level: str) -> bool:
    """Whether a number behind this level is one of several of its kind, and not of a room or a device."""
    plain = "".join(character for character in level.lower() if character.isalnum())
    return plain in NUMBERED or (bool(meaning(level).kind) and not _DIGIT.search(level))


def is_group_address(levels: list[str]) -> bool:
    """Whether a topic ends in a group address of a KNX bus."""
    if not any("knx" in level.lower() for level in levels[:-3]):
        return False
    return all(
        level.isdecimal() and level.isascii() and len(level) <= LONGEST_NUMBER and int(level) <= highest
        for level, highest in zip(levels[-3:], GROUP_ADDRESS, strict=True)
    )


def moved(topic: str) -> tuple[Moved, ...]:
    """Where versions before read a bare number, when that is elsewhere."""
    where, number = places(topic)
    if number is not where:
        return (Moved(where.owner.key, where.name, number.owner, number.name, rekeys=True),)
    if "/" not in number.name:
        return ()  # no group address
    key, _slash, last = topic.rpartition("/")
    return (Moved(key, last, number.owner, number.name),)


def _identifier(levels: list[str]) -> str:
    named = [level for level in levels if level.strip()]
    if len(named) > 1 and named[-1].lower() in GENERIC_LEVELS:
        named.pop()
        if len(named) > 1 and named[-1].lower() in TRANSPORT:
            named.pop()  # `node/up/status`
    if len(named) > 1 and named[-1].isdecimal() and len(named[-1]) < LEAST_SERIAL:
        return clean("/".join(named[-2:]))[:NAME_LENGTH]  # `relay/0`: a small number names nothing
    return clean(named[-1] if named else "/".join(levels))[:NAME_LENGTH]


def clean(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot hold."""
    return text.replace("\0", "") if "\0" in text else text
