"""What a line of a corpus expects, device by device."""

import re
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from mqtt.decoders import credentials
from mqtt.decoders.corpus.lines import CorpusError, Line
from mqtt.decoders.times import parse

PARTIAL = re.compile(r"\bsubset\b|\b(?:only|first)\b[^.;]*\blisted\b", re.IGNORECASE)
"""What a note says when the expected readings are only some of them."""


@dataclass(slots=True)
class ExpectedReading:
    """One value; without one (null) only its unit is announced, or the sensor is broken."""

    device: str | None
    """None: the message does not say, so any will do."""
    name: str
    value: Any
    unit: str | None
    time_us: int | None


@dataclass(slots=True)
class ExpectedDevice:
    """A device that must be found, unless nothing is to be said about it."""

    device: str
    gateway: str
    availability: str | None
    is_told: bool
    """Whether there is anything to say: a reading, an availability, facts, something announced."""


@dataclass(slots=True)
class Expected:
    """All that a message means."""

    devices: list[ExpectedDevice] = field(default_factory=list)
    readings: list[ExpectedReading] = field(default_factory=list)
    is_subset: bool = False
    """More readings than those listed may come."""
    is_anonymous: bool = False
    """No device is named: only the topic can name one."""
    battery: Any = None
    """The battery as a fact, which may come as a reading too."""


def expected(line: Line) -> Expected:
    """What a line expects. Raises CorpusError."""
    found = Expected(is_subset=PARTIAL.search(line.note) is not None)
    parts = line.expect.get("devices") or []
    try:
        for part in [line.expect, *parts]:
            _take(found, part, line.expect, line.message.payload)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"What {line.id} expects cannot be read: {error!r}") from None
    found.is_anonymous = not parts and line.expect.get("device") is None
    return found


def _take(found: Expected, part: dict[str, Any], whole: dict[str, Any], payload: bytes) -> None:
    device = part.get("device")
    if isinstance(device, str) and re.search(rb'PASSKEY"?\s*[=:]\s*"?' + re.escape(device.encode()), payload):
        device = credentials.alias(device)  # a station's secret must not be its name
    time = part.get("timestamp", whole.get("timestamp"))
    readings = part.get("readings") or []
    for one in readings:
        moment = parse(one.get("timestamp", time), UTC)
        found.readings.append(ExpectedReading(device, one["name"], one["value"], one.get("unit"), moment))
    meta = part.get("meta") or {}
    if found.battery is None:
        found.battery = meta.get("battery_percent")
    if device is not None:
        availability = part.get("availability")
        is_told = bool(readings or availability or meta or part.get("discovery"))
        found.devices.append(ExpectedDevice(device, part.get("gateway") or "", availability, is_told))
