"""What the decoders made of a line, held against what it means."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mqtt.decoders.corpus.expected import Expected, ExpectedReading, expected
from mqtt.decoders.corpus.lines import Outcome
from mqtt.enums import Availability
from mqtt.messages import Announcement, Decoded, DecodedReading

ASPECTS = ("devices", "gateways", "readings", "times", "availability")
TOLERANCE = 1e-9


@dataclass(slots=True)
class Score:
    """Right ones of all, by aspect."""

    messages: int = 0
    right: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ASPECTS, 0))
    of: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ASPECTS, 0))
    false_readings: int = 0
    units_beyond: int = 0
    """Units where none was expected: counted, not wrong."""

    def add(self, other: "Score") -> None:
        """Add the figures of another."""
        self.messages += other.messages
        self.false_readings += other.false_readings
        self.units_beyond += other.units_beyond
        for aspect in ASPECTS:
            self.right[aspect] += other.right[aspect]
            self.of[aspect] += other.of[aspect]


class Verdict:
    """The score of one line, and a sentence for each thing that is wrong."""

    def __init__(self, outcome: Outcome) -> None:
        """Judge at once."""
        self.outcome = outcome
        self.score = Score(messages=1)
        self.wrong: list[str] = []
        self._expected = expected(outcome.line)
        self._decoded = outcome.decoded or Decoded("")
        self._judge_devices()
        self._judge_readings()
        self._judge_availability()

    def _count(self, aspect: str, is_right: bool, sentence: str) -> None:
        self.score.of[aspect] += 1
        self.score.right[aspect] += is_right
        if not is_right:
            self.wrong.append(sentence)

    def _judge_devices(self) -> None:
        named = _named(self._decoded)
        announced = set(_strings([one.data for one in self._decoded.announcements]))
        announced |= {one.key for one in self._decoded.announcements}
        if self._expected.is_anonymous:
            for device in named:
                is_right = device in self.outcome.line.message.topic
                self._count("devices", is_right, f"device {device!r} is not named by the topic")
        for one in self._expected.devices:
            is_found = one.device in named or one.device in announced or (not one.is_told and not named)
            self._count("devices", is_found, f"device {one.device!r} is missing, there is {sorted(named)}")
            if one.device in named:
                gateway = named[one.device]
                self._count("gateways", gateway == one.gateway, f"gateway {gateway!r} instead of {one.gateway!r}")

    def _judge_readings(self) -> None:
        rest = list(self._decoded.readings)
        for one in self._expected.readings:
            if one.value is None:
                self._judge_announced(one, rest)
                continue
            came = _closest(one, rest)
            if came is None:
                self._count("readings", False, f"{one.name} is missing")
                continue
            rest.remove(came)
            is_right = _is_value(one.value, came) and one.unit in (None, came.unit)
            self._count("readings", is_right, f"{one.name} is {_shown(came)} instead of {one.value!r} {one.unit or ''}")
            self.score.units_beyond += one.unit is None and came.unit != ""
            is_right = one.time_us == came.time_us
            self._count("times", is_right, f"{one.name} is of {came.time_us} instead of {one.time_us}")
        for came in rest:
            if not _is_allowed(came, self._expected):
                self.score.false_readings += 1
                self.wrong.append(f"{came.name} = {_shown(came)} of {came.device.identifier!r} is false")

    def _judge_announced(self, one: ExpectedReading, rest: list[DecodedReading]) -> None:
        """No value: of a discovery message the unit must be announced; else nothing must come."""
        if self.outcome.line.kind == "discovery":
            is_right = any(_announces(said, one) for said in self._decoded.announcements)
            self._count("readings", is_right, f"{one.name} in {one.unit} is not announced")
        else:
            is_right = not any(came.name == one.name and _is_of(one, came) for came in rest)
            self._count("readings", is_right, f"{one.name} has a value and should not")

    def _judge_availability(self) -> None:
        said = {one.device.identifier: one.availability for one in self._decoded.availability}
        for one in self._expected.devices:
            came = said.pop(one.device, None)
            if one.availability is not None:
                sentence = f"{one.device!r} is {came} instead of {one.availability}"
                self._count("availability", came == one.availability, sentence)
            elif came == Availability.OFFLINE:
                self._count("availability", False, f"{one.device!r} is {came}, which nobody said")
        for device, came in said.items():
            if came == Availability.OFFLINE:
                self._count("availability", False, f"{device!r} is {came}, which nobody said")


def _named(decoded: Decoded) -> dict[str, str]:
    """The devices of a message with their gateways."""
    refs = [one.device for one in decoded.facts]
    refs += [one.device for one in decoded.availability]
    refs += [one.device for one in decoded.readings]
    return {ref.identifier: ref.gateway_identifier for ref in refs}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _announces(said: Announcement, one: ExpectedReading) -> bool:
    strings = [*_strings(said.data), said.key]
    return one.unit in (None, *strings) and any(one.name.rpartition(".")[2] in text for text in strings)


def _is_of(one: ExpectedReading, came: DecodedReading) -> bool:
    return one.device is None or came.device.identifier == one.device


def _closest(one: ExpectedReading, rest: list[DecodedReading]) -> DecodedReading | None:
    """Of several readings of a name the one with this value and time, else with this value, else the first."""
    same = [came for came in rest if came.name == one.name and _is_of(one, came)]
    same.sort(key=lambda came: (not _is_value(one.value, came), came.time_us != one.time_us))
    return same[0] if same else None


def _is_value(value: Any, came: DecodedReading) -> bool:
    if isinstance(value, bool | int | float):
        return came.value is not None and math.isclose(float(value), came.value, rel_tol=TOLERANCE)
    return isinstance(value, str) and came.text == value


def _is_allowed(came: DecodedReading, expect: Expected) -> bool:
    if expect.is_subset:
        return True
    return expect.battery is not None and "bat" in came.name.lower() and _is_value(expect.battery, came)


def _shown(came: DecodedReading) -> str:
    return f"{came.value if came.text is None else came.text!r} {came.unit}".strip()
