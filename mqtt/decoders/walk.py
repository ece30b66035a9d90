"""One pass through a JSON document, collecting readings, times and facts: for the general decoder and many a family."""

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

from mqtt.decoders.base import MAX_DEPTH, MAX_VALUES, Content
from mqtt.decoders.measures import MEASURED_IN, measured, unit_of_pair
from mqtt.decoders.members import NAMES_KEYS, are_parts, identity_of, quantity_of, tag_of, under_names
from mqtt.decoders.moments import LONGEST_PART, PART, SHORT_TIMES, joined, says_when
from mqtt.decoders.objects import (
    BESIDE_TAG,
    BESIDE_TOLD,
    ENVELOPED,
    TELEGRAM,
    USUAL_KEYS,
    VALUE_KEYS,
    device_of,
    is_bad,
    known_before,
    plain_key,
    unwrapped,
    value_of,
)
from mqtt.decoders.places import NAME_LENGTH, Place, clean, place_of_number
from mqtt.decoders.scales import MOST_SCALES, is_scale, scaled
from mqtt.decoders.texts import is_frame, is_nothing, is_opaque, object_in
from mqtt.decoders.times import parse
from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import STATISTICS, Meaning, Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DecodedReading, DeviceRef, Moved

MAX_TEXT = 250
PLAIN = Meaning(Role.VALUE)
CHIP = Meaning(Role.FACT, of="type")
MAX_ARRAY = 64
"""A longer array is a waveform and no row of sensors."""
MAX_FACTS = 50
MAX_STEPS = 3 * MAX_VALUES
"""Members of objects and arrays, values or not."""
NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,14})(?:\.\d{1,20})?(?:[eE][-+]?\d{1,2})?")
"""A whole number text; not `007` and not sixteen digits, which are names."""
PADDED = re.compile(r"[-+]?0\d{1,14}(?:[.,]\d{1,20})?|[-+]?\d{1,12},(?:\d{1,2}|\d{4,9})")
"""A number in a field of fixed width, `055`, or with a decimal comma; where the key says that something is measured.
Three digits behind a comma may be thousands."""
SWITCH_WORDS = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0}
HEADS = frozenset(("head", "header", "Head", "Header", "info", "meta", "metadata", "envelope"))
"""Objects that are about the whole message, and whose time is its."""
UNUSUAL = ENVELOPED | frozenset(NAMES_KEYS)
"""One of these keys stands in each document that is put in order before it is read."""
LABEL_KEYS = words("objectname description desc title")


def _is_of_level(document: dict[str, Any], where: Place) -> bool:
    """Whether the topic ends in what alone is measured: `…/kitchen/temperature` with `{"temperature": 21}`."""
    return (
        "/" in where.owner.key
        and len(document) <= USUAL_KEYS
        and not isinstance(document[where.name], dict | list)
        and [key for key in document if meaning(key).role is Role.VALUE] == [where.name]
    )


class Walk:
    """One pass through a document, collecting what it says. A family changes what stands on the class."""

    __slots__ = ("_content", "_facts", "_refused", "_steps", "device", "moved", "readings")

    meaning: Callable[[str], Meaning] = staticmethod(meaning)
    """What a key says; a family's own: `dialects.dialect`."""
    joins_single = True
    """Whether an object that is only a value with its unit and time is one reading by the object's own name."""
    counts_members = False
    """Whether objects in an array are parts of this device, by index, and not devices or times of their own."""
    labels = words("sensor sensor_name sensorName Sensor")
    """Keys of the whole message whose words say what measured, not what was measured."""
    reads_numbers = True
    """Whether a text that is a number counts as one; where numbers come as numbers, `"60"` is a name."""

    def __init__(self, device: DeviceRef, content: Content) -> None:
        self.device = device
        self.readings: list[DecodedReading] = []
        self.moved: list[Moved] = []
        self._content = content
        self._facts: dict[DeviceRef, dict[str, Any]] = {}
        self._refused = "no_values"
        self._steps = 0

    def result(self, decoder: str) -> Decoded:
        """What was found. Raises UndecodableError when that is nothing."""
        if not self.readings and not self._facts:
            raise UndecodableError(self._refused, size=MAX_TEXT + 1, limit=NAME_LENGTH)
        return Decoded(decoder, self.readings, [], self.facts(), moved=self.moved)

    def facts(self) -> list[DecodedFacts]:
        """What the devices said about themselves."""
        return [DecodedFacts(ref, found) for ref, found in self._facts.items()]

    def date(self, document: dict[str, Any]) -> None:
        """Give the time in the head of a message to what has none."""
        heads = [document[key] for key in HEADS if isinstance(document.get(key), dict)]
        times = [value for head in heads for key, value in head.items() if meaning(key).role is Role.TIME]
        moment = next((at for value in times if (at := self._content.time(value)) is not None), None)
        for reading in self.readings:
            reading.time_us = reading.time_us or moment

    def object(self, found: dict[str, Any], prefix: str, depth: int) -> None:  # noqa: C901 - one arm a role
        """All values of an object; its time is theirs unless they have a nearer one."""
        self._enter(found, depth)
        first = len(self.readings)
        time_us: int | None = None
        units: dict[str, str] | None = None
        scales: dict[str, int] | None = None
        parts: list[str] | None = None
        meaning_of, device, readings = self.meaning, self.device, self.readings
        for key, value in found.items():
            means = meaning_of(key)
            role = means.role
            if role is Role.VALUE:
                name = prefix + key
                kind = type(value)
                if (kind is float or kind is int) and 0 < len(name) <= NAME_LENGTH and "\0" not in name:
                    # Most by far: the same as below without two calls.
                    number = float(value)
                    unit = means.unit_of(number) if means.fine else means.unit
                    readings.append(DecodedReading(device, name, number, None, unit, means.kind))
                elif kind is str and key in SHORT_TIMES and PART.fullmatch(value):
                    parts = [*(parts or ()), value]
                elif kind is str and key in SHORT_TIMES and (moment := self._content.time(value)) is not None:
                    time_us = moment if time_us is None else time_us
                else:
                    self.value(value, name, means, depth)
            elif role is Role.TIME:
                if type(value) is str and len(value) <= LONGEST_PART:
                    parts = [*(parts or ()), value]
                elif time_us is None:
                    time_us = self._content.time(value)
            elif role is Role.UNIT:
                if means.of and means.of not in found:  # a word that ends so, and no unit of anything here
                    self.value(value, prefix + key, PLAIN, depth)
                elif isinstance(value, str):
                    units = units or {}
                    units[means.of] = value
            elif role is Role.NOTHING:
                continue
            elif role is Role.MOMENT:
                if parse(value, UTC) is None:
                    self.value(value, prefix + key, PLAIN, depth)
            elif role is Role.SCALE:
                scales = scales or {}
                if is_scale(value) and len(scales) < MOST_SCALES:
                    scales[means.of] = value
                else:
                    self.value(value, prefix + key, PLAIN, depth)
            elif isinstance(value, dict):
                self.object(value, f"{prefix}{key}.", depth + 1)
            else:
                self.fact(means.of, value)
        if parts and time_us is None:
            time_us = joined(parts, self._content)
        if time_us is not None:
            for reading in self.readings[first:]:
                if reading.time_us is None:
                    reading.time_us = time_us
        if scales:
            readings[first:] = scaled(readings[first:], prefix, scales)
        if units:
            self._apply_units(units, prefix, first)

    def value(self, value: Any, name: str, means: Meaning, depth: int) -> None:
        """One value of whatever type."""
        kind = type(value)
        if kind is float or kind is int:
            self._add(name, float(value), None, means)
        elif kind is bool:
            self._add(name, 1.0 if value else 0.0, None, means)
        elif kind is str:
            if value[:1] == "{" and (inner := object_in(value)):
                self.object(inner, name + ".", depth + 1)
            else:
                self._text(value, name, means)
        elif kind is dict:
            key, is_apart = value_of(value) if self.joins_single else ("", False)
            if key:
                if is_apart:
                    self.moved.append(Moved(self.device.key, f"{name}.{key}", self.device, name))
                self.single(value, name, means, key)
            else:
                self.object(value, name + ".", depth + 1)
        elif kind is list:
            self.array(value, name, means, depth)
        else:
            self._refused = "no_number"

    def single(self, found: dict[str, Any], name: str, means: Meaning, at: str = "") -> None:
        """`{"value": 21.5, "unit": "°C", "time": …}` is one reading; `at` is the key of its value, if it is known."""
        before = len(self.readings)
        if is_bad(found):
            self._facts.setdefault(self.device, {})
            return
        value = found[at or value_of(found)[0]]
        take = self._text_of_its_own if type(value) is str else self.value
        take(value, name, means, MAX_DEPTH)
        reading = self.readings[-1] if len(self.readings) > before else None
        for key, value in found.items():
            said = CHIP if key in self.labels and key != at and value != name else meaning(key)
            role = said.role
            if (said.of == "name" and role is Role.FACT) or plain_key(key) in LABEL_KEYS:
                if reading is not None and isinstance(value, str):
                    reading.label = reading.label or clean(value).strip()[:NAME_LENGTH]
            elif role is Role.FACT:
                self.fact(said.of, value)
            elif reading is None:
                continue
            elif reading.text is None and role is Role.UNIT and not said.of and isinstance(value, str) and value:
                reading.unit = spelled(value)
            elif (role is Role.TIME or key == "t") and reading.time_us is None:
                reading.time_us = self._content.time(value)
            elif key == "u" and reading.text is None and isinstance(value, str) and value:
                reading.unit = spelled(value)

    def whole(self, document: dict[str, Any], where: Place) -> None:
        """A document of several values. Raises UndecodableError."""
        prefix = ""
        if where.name.count("/") > 1:  # a group address of a bus is no device
            if document.keys() >= TELEGRAM:
                raise UndecodableError("no_values")
            self.device, prefix = where.owner, f"{where.name}."
            self.moved.append(Moved(where.device.key, "", self.device, where.name, rekeys=True))
        else:
            self.device = device_of(document, where)
            if self.device is not where.device:
                self.moved += known_before(self.device)
            elif where.name in document and _is_of_level(document, where):
                self.device = where.owner
                self.moved.append(Moved(where.device.key, where.name, where.owner, where.name, rekeys=True))
        self.object(document if UNUSUAL.isdisjoint(document) else unwrapped(under_names(document)), prefix, 1)

    def told(self, found: dict[str, Any], where: Place, name: str) -> None:
        """One value of a message that says itself what it is; until now all of a topic were one."""
        key, _is_apart = value_of(found, BESIDE_TOLD)
        before = device_of(found, where)
        self.device = device_of(found, where._replace(device=where.owner)) if name == where.name else before
        was_single = value_of(found)[0]
        number = place_of_number(where.device.key)
        self.moved += [Moved(number.owner.key, number.name, self.device, name)] if was_single else []
        self.moved.append(Moved(before.key, key, self.device, name))
        self.single(found, name, meaning(name), key)

    def array(self, found: list[Any], name: str, means: Meaning, depth: int) -> None:
        """Short arrays of plain values by index; of objects by who or when each is."""
        self._enter(found, depth)
        if is_frame(name, found):
            return
        if len(found) == 2 and (unit := unit_of_pair(found)):
            self._add(name, float(found[0]), None, means._replace(unit=unit))
            return
        by_place = not self.counts_members and are_parts(found, name)
        for index, value in enumerate(found):
            if isinstance(value, dict) and not self.counts_members:
                self._member(value, depth, f"{name}.{index}.".removeprefix(".") if by_place else "")
            elif len(found) <= MAX_ARRAY and not self._dated(value, name, means):
                self.value(value, f"{name}.{index}", means, depth + 1)

    def _dated(self, value: Any, name: str, means: Meaning) -> bool:
        """`[time, number]` in an array is a value at its time."""
        if type(value) is not list or len(value) != 2 or type(value[1]) not in {int, float}:
            return False
        moment = self._content.time(value[0]) if type(value[0]) in {str, int} else None
        if moment is None:
            return False
        self._add(name or "value", float(value[1]), None, means)
        self.readings[-1].time_us = moment
        return True

    def _enter(self, found: dict[str, Any] | list[Any], depth: int) -> None:
        """Keep the walk short, also through structures that hold no value at all."""
        if depth > MAX_DEPTH:
            raise UndecodableError("too_deep", limit=MAX_DEPTH)
        self._steps += 1 + len(found)
        if self._steps > MAX_STEPS:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)

    def _member(self, found: dict[str, Any], depth: int, prefix: str) -> None:
        """An object in an array; `prefix` is that of its values when it says neither who nor when, empty: left out."""
        device = self.device
        if self.joins_single and (tag := tag_of(found)):
            key, _ = value_of(found, BESIDE_TAG)
            self.moved.append(Moved(f"{device.key}#{tag}", key, device, tag, rekeys=True))
            first = len(self.readings)
            self.single(found, tag, meaning(tag), key)
            for reading in self.readings[first:]:
                reading.label = ""
            if "status" in found:
                self.value(found["status"], f"{tag}.status", meaning("status"), depth)
            return
        if said := identity_of(found):
            self.device = DeviceRef(f"{device.key}#{said}", said, device.gateway_key, device.gateway_identifier)
            key, _ = value_of(found, BESIDE_TAG) if self.joins_single else ("", False)
            if key and (name := quantity_of(found)):
                self.moved.append(Moved(self.device.key, key, self.device, name))
                self.single(found, name, meaning(name), key)
                self.device = device
                return
        elif not any(meaning(key).role is Role.TIME for key in found) and not says_when(found):
            if prefix:
                self.object(found, prefix, depth + 1)
            return
        self.object(found, "", depth + 1)
        self.device = device

    def _text(self, value: str, name: str, means: Meaning, *, names_chip: bool = True) -> None:
        if len(value) > MAX_TEXT:
            self._refused = "long_text"
        elif means.is_switch and value.lower() in SWITCH_WORDS:
            self._add(name, SWITCH_WORDS[value.lower()], None, means)
        elif is_opaque(name, value) or is_nothing(value, means):
            return
        elif self.reads_numbers and NUMBER.fullmatch(value):
            self._add(name, float(value), None, means)
        elif self.reads_numbers and means.kind and PADDED.fullmatch(value):
            self._add(name, float(value.replace(",", ".")), None, means)
        elif self.reads_numbers and (measure := measured(value, means.kind)):
            self._add(name, measure[0], None, means._replace(unit=measure[1]))
        elif cleaned := clean(value):
            if names_chip and self.labels and name in self.labels:
                self.fact("type", cleaned)
            else:
                self._add(name, None, cleaned, means)

    def _text_of_its_own(self, value: str, name: str, means: Meaning, _depth: int) -> None:
        """A text with a unit or a time of its own beside it: a value, and no name of a chip, whatever its key."""
        self._text(value, name, means, names_chip=False)

    def _add(self, name: str, value: float | None, text: str | None, means: Meaning) -> None:
        if len(name) > NAME_LENGTH:
            self._refused = "long_name"
            return
        if len(self.readings) >= MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        if not name or "\0" in name:
            name = clean(name) or "value"
        unit = "" if value is None else means.unit_of(value)
        self.readings.append(DecodedReading(self.device, name, value, text, unit, means.kind))

    def fact(self, name: str, value: Any) -> None:
        """What the device says about itself; the first word counts."""
        facts = self._facts.setdefault(self.device, {})
        if isinstance(value, str):
            value = clean(value)[:MAX_TEXT]
        elif not isinstance(value, int | float):
            return
        if len(facts) < MAX_FACTS:
            facts.setdefault(name, value)

    def _apply_units(self, units: dict[str, str], prefix: str, first: int) -> None:
        own = [reading for reading in self.readings[first:] if "." not in reading.name[len(prefix) :]]
        for reading in own:
            beside = spelled(units.get("", ""))
            name = reading.name[len(prefix) :]
            is_meant = len(own) == 1 or name in VALUE_KEYS or name in STATISTICS
            is_meant = is_meant or (not reading.unit and beside in MEASURED_IN.get(reading.kind, ()))
            unit = units.get(name) or (beside if is_meant else "")
            if unit and reading.text is None:
                reading.unit = spelled(unit)
