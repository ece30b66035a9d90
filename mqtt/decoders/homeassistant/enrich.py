"""What was discovered about a topic, applied to what a decoder made of a message on it.

A family's own decoder keeps its devices, names and values, and gains units, kinds and facts. Readings of the general
decoders move to the discovered device, and their values follow the templates.
"""

from typing import Any

import orjson

from mqtt.decoders import general, ignored, objects, scalars
from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import reading
from mqtt.decoders.homeassistant.filters import MISSING
from mqtt.decoders.homeassistant.plans import Plan, Point
from mqtt.decoders.homeassistant.slots import FAMILY
from mqtt.decoders.places import NAME_LENGTH, Place, places
from mqtt.decoders.texts import NO_NUMBERS
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DecodedReading, DeviceRef, Moved
from mqtt.topics import is_own_status

GENERAL = (general.DECODER, scalars.DECODER)
OPEN = frozenset((general.DECODER.name, scalars.DECODER.name, FAMILY))
"""Decoders whose devices are a guess from the topic."""
MISTAKEN = frozenset(("availability", "ignored"))
"""Decoders that took a topic by its name; a state that is discovered there is a state."""


def enrich(content: Content, decoded: Decoded) -> Decoded:
    """The same with what was discovered. Raises UndecodableError as the general decoders do."""
    topic = content.topic
    plan = content.memory.derive(topic, Plan)
    if decoded.decoder.startswith("mapping:") or is_own_status(topic):
        return decoded
    if plan.is_order and decoded.decoder in OPEN:
        return Decoded(ignored.DECODER.name)
    if plan.points:
        if decoded.decoder in MISTAKEN:
            decoded = next(one for one in GENERAL if one.claims(content)).decode(content)
        if decoded.decoder in OPEN:
            _Own(plan, content, decoded).apply()
        else:
            _theirs(plan, decoded)
    if plan.away and not content.is_empty:
        _availability(plan, content, decoded)
    return decoded


def _theirs(plan: Plan, decoded: Decoded) -> None:
    """Units, kinds and facts for another family's readings."""
    device: DeviceRef | None = None
    for one in decoded.readings:
        point = plan.by_path.get(one.name) or (plan.whole if len(decoded.readings) == 1 else None)
        if point is not None:
            device = device or one.device
            _dress(point, one)
            _switch(point, one)
    if device is None and decoded.readings:
        device = decoded.readings[0].device
    if device is not None and plan.facts:
        decoded.facts.insert(0, DecodedFacts(device, plan.facts))


def _dress(point: Point, one: DecodedReading) -> None:
    if point.unit and one.text is None and point.keeps_unit:
        one.guessed_unit, one.unit = one.guessed_unit or one.unit, point.unit
    if point.kind:
        one.kind = point.kind
    one.label = one.label or point.label


def _switch(point: Point, one: DecodedReading) -> None:
    """The words for on and off are 1 and 0."""
    if one.text is not None and one.text in {point.on, point.off}:
        one.value, one.text = float(one.text == point.on), None


class _Own:
    """One message of nobody else."""

    def __init__(self, plan: Plan, content: Content, decoded: Decoded) -> None:
        self._plan = plan
        self._decoded = decoded
        self._is_structure = content.is_structure
        self._text = "" if self._is_structure else content.text
        self._document = content.document if self._is_structure else _scalar(self._text)
        where, number = places(content.topic)
        self._guessed: tuple[DeviceRef, ...] = (where.device, where.owner, number.owner)
        self._neighbours = () if where.owner == where.device else (where.owner.key, number.owner.key)
        """Devices that other topics may have values of."""
        if plan.ref is not None and decoded.readings and decoded.readings[0].device not in self._guessed:
            self._guessed += _own_name(self._document, where)
        self._taken: dict[int, Point] = {}
        """By the identity of the reading."""

    def apply(self) -> None:
        """Dress what is there, add what only a template finds, and move all to its device."""
        decoded = self._decoded
        dropped = []
        for point in self._plan.points:
            one = self._find(point)
            if one is None or id(one) in self._taken:
                self._add(point)
                continue
            self._taken[id(one)] = point
            if not point.is_plain and not self._replace(point, one):
                dropped.append(one)
            _dress(point, one)
            _switch(point, one)
            if point.unit and one.text is not None and one.text.lower() in NO_NUMBERS:
                dropped.append(one)  # its number is not known now
            if point.keeps_unit is False and point.template and not point.template.reason and one.text is None:
                one.unit = point.unit
        decoded.readings = [one for one in decoded.readings if not any(one is gone for gone in dropped)]
        self._move()

    def _find(self, point: Point) -> DecodedReading | None:
        """The reading that the general decoder made of what the point reads."""
        readings = self._decoded.readings
        if not self._is_structure or point.path == "":
            return readings[0] if len(readings) == 1 else None
        if point.path is None:
            return None
        names = (point.path, point.path.removesuffix(".value"))
        found = next((one for one in readings if one.name in names and one.device in self._guessed), None)
        if found is None and point.path == "value" and len(readings) == 1:
            return readings[0]
        return found

    def _replace(self, point: Point, one: DecodedReading) -> bool:
        """The template's value for what stands in the message; as it stands where the template is beyond us."""
        if point.template is None or point.template.reason:
            return True
        came = self._evaluated(point, one.device, one.name)
        if came is None:
            return False
        one.value, one.text = came.value, came.text
        return True

    def _add(self, point: Point) -> None:
        """A value that the general decoder keeps as a fact, or that several points read in their own ways."""
        if not self._is_structure or point.template is None or len(self._decoded.readings) >= MAX_VALUES:
            return
        is_second = any(point.path == other.path for other in self._taken.values())
        name = point.name if is_second or not point.path else point.path
        one = self._evaluated(point, self._guessed[0], name)
        if one is None or any(other.name == one.name for other in self._decoded.readings):
            return
        one.time_us = self._decoded.readings[0].time_us if self._decoded.readings else None
        one.kind, one.unit = point.kind, point.unit if one.text is None else ""
        one.label = point.label
        _switch(point, one)
        self._taken[id(one)] = point
        self._decoded.readings.append(one)

    def _evaluated(self, point: Point, device: DeviceRef, name: str) -> DecodedReading | None:
        value = point.template.value(self._document, self._text) if point.template else MISSING
        if isinstance(value, str) and value in {point.on, point.off}:
            value = value == point.on
        return reading(device, name, value) if isinstance(value, str | int | float) and _is_finite(value) else None

    def _move(self) -> None:
        plan = self._plan
        for one in self._decoded.readings:
            point = self._taken.get(id(one))
            ref = point.ref if point else plan.ref
            if ref is None or (point is None and one.device not in self._guessed):
                continue
            slot = (point or plan.points[0]).slot
            before, name = one.device.key, one.name
            one.device = ref
            if slot:
                one.name = (f"{slot}.{one.name}" if self._is_structure else slot)[:NAME_LENGTH]
            self._remember(before, name, one, slot)
        if plan.ref is not None:
            for facts in self._decoded.facts:
                if facts.device in self._guessed:
                    facts.device = plan.ref
        device = plan.ref or (self._decoded.readings[0].device if self._decoded.readings else None)
        if device is not None and plan.facts:
            is_called = plan.called is not None  # so from now on: nobody else names it
            self._decoded.facts.insert(0, DecodedFacts(plan.called or device, plan.own_facts, announces=is_called))

    def _remember(self, before: str, name: str, one: DecodedReading, slot: str) -> None:
        """Say where a reading stood while nothing was announced."""
        moved = self._decoded.moved
        if self._plan.ref is not None and self._is_structure and before not in self._neighbours:
            if not moved:
                moved.append(Moved(before, "", one.device, slot))  # nobody else speaks on this topic
        elif before != one.device.key or name != one.name:
            moved.append(Moved(before, name, one.device, one.name))


def _own_name(document: Any, where: Place) -> tuple[DeviceRef, ...]:
    """The device that a message names itself: where it is announced, it is that one."""
    return (objects.device_of(document, where),) if isinstance(document, dict) else ()


def _availability(plan: Plan, content: Content, decoded: Decoded) -> None:
    """Who is there or not, by this message and by what was heard of the others that count."""
    memory = content.memory
    document = content.document if content.is_structure else _scalar(content.text)
    is_said = False
    known = {one.device.key for one in decoded.availability}
    for away in plan.away:
        value = away.template.value(document, content.text) if away.template else content.text
        word = ("true" if value else "false") if isinstance(value, bool) else str(value)
        if word not in {away.on, away.off}:
            continue
        is_said = True
        is_there = word == away.on
        memory.note((FAMILY, content.topic), is_there)
        others = [memory.notes.get((FAMILY, topic)) for topic in away.others]
        if away.mode == "all" and is_there and False in others:
            continue
        if away.mode == "any" and not is_there and not all(other is False for other in others):
            continue
        if away.ref.key not in known:
            said = Availability.ONLINE if is_there else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(away.ref, said))
    if is_said and not plan.points and decoded.decoder in OPEN:
        decoded.readings.clear()


def _scalar(text: str) -> Any:
    """A payload that is no structure, as `value_json`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return MISSING


def _is_finite(value: str | float) -> bool:
    return isinstance(value, str) or abs(value) < float("inf")
