"""Where a Tasmota message stands: `%prefix%/%topic%/NAME` by default, in another order where people changed it."""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.base import Content
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.messages import DeviceRef

FAMILY = "tasmota"
TELE, STAT = "tele", "stat"
NAME = re.compile(r"[A-Z][A-Z0-9_]*|ZbReceived")
"""Tasmota shouts the last level of its topics."""
TELEMETRY = ("LWT", "SENSOR", "STATE", "RESULT", "INFO1", "INFO2", "INFO3", "ENERGY")
ANSWERS = ("RESULT", "POWER", *(f"POWER{n}" for n in range(1, 9)), "DEEPSLEEP", "STATUS", *(
    f"STATUS{n}" for n in range(12)
))  # fmt: skip


COMMON = frozenset((*TELEMETRY, *ANSWERS))
"""Last levels by which a topic is tried although its prefix is none of the usual: it may have been announced."""


class Spot(NamedTuple):
    """What a topic says."""

    node: DeviceRef
    prefix: str
    name: str
    """The last level."""


@lru_cache(maxsize=20_000)
def spot(topic: str) -> Spot | None:
    """The spot by the usual prefixes, wherever among the levels they stand."""
    levels = topic.split("/")
    name = levels[-1]
    if len(levels) < 3 or not NAME.fullmatch(name):
        return None
    at = next((index for index in _order(len(levels) - 1) if levels[index] in {TELE, STAT}), None)
    if at is None:
        return None
    own = [level for index, level in enumerate(levels[:-1]) if index != at and level]
    if not own:
        return None
    key = "/".join([*levels[:at], TELE, *levels[at + 1 : -1]])
    return Spot(DeviceRef(key, clean("/".join(own))[:NAME_LENGTH]), levels[at], name)


def _order(count: int) -> list[int]:
    """First, then last, then between: the prefix stands at an end unless somebody meant it otherwise."""
    return [0, count - 1, *range(1, count - 1)]


def announced_spot(content: Content) -> Spot | None:
    """The spot by what the device announced: its prefixes may be any words."""
    for said in content.memory.told(content.topic, FAMILY):
        if "tele" in said:
            prefix = TELE if content.topic.startswith(said["tele"]) else STAT
            return Spot(DeviceRef(said["node"], said["topic"]), prefix, content.topic.rsplit("/", 1)[1])
    return None


def bare_spot(topic: str) -> Spot:
    """For a topic of any shape, when a person says that it is Tasmota's: its last level is the name."""
    before, _, name = topic.rpartition("/")
    return Spot(DeviceRef(before or topic, clean(before.rpartition("/")[2] or topic)[:NAME_LENGTH]), TELE, name)


def node_of(full_topic: str, prefixes: list[str], topic: str) -> tuple[DeviceRef, str, str]:
    """The device that announces these, with the beginnings of its telemetry and its answers."""
    tele, stat = (_filled(full_topic, prefix, topic) for prefix in (prefixes[2], prefixes[1]))
    key = spot(f"{tele}SENSOR")
    return (key.node if key else DeviceRef(tele.rstrip("/"), clean(topic)[:NAME_LENGTH])), tele, stat


def topics_of(tele: str, stat: str) -> tuple[str, ...]:
    """The topics that an announcement speaks about."""
    return (*(f"{tele}{name}" for name in TELEMETRY), *(f"{stat}{name}" for name in ANSWERS))


def _filled(full_topic: str, prefix: str, topic: str) -> str:
    filled = full_topic.replace("%prefix%", prefix).replace("%topic%", topic)
    return filled if filled.endswith("/") else f"{filled}/"
