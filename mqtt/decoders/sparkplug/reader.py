"""One Sparkplug message: metrics -> readings, facts, availability, announcements and wishes."""

from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.places import NAME_LENGTH
from mqtt.decoders.sparkplug import births
from mqtt.decoders.sparkplug.births import Known
from mqtt.decoders.sparkplug.sequence import gaps, rebirth
from mqtt.decoders.sparkplug.topics import BIRTHS, DEATHS, Place
from mqtt.decoders.sparkplug.values import DOUBLE, FLOAT, text_of, values
from mqtt.decoders.units import spelled
from mqtt.decoders.words import Role, meaning
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DecodedReading

MOST_METRICS = 10_000
"""Of one message: a large birth says what its aliases mean also beyond the most values."""
BD_SEQ = "bdSeq"
INNER = ("Node Control/", "Device Control/")
"""Metrics that are there to be commanded."""
ABOUT = ("properties/", "node info/", "device info/")
"""Texts in these folders tell of the device."""
FACTS = {"hardware make": "manufacturer", "make": "manufacturer", "hardware model": "model", "os version": "os_version"}
OWN_FACTS = frozenset(("firmware", "model", "hardware", "manufacturer", "mac", "ip", "hostname", "ssid", "serial"))
UNIT_KEYS = frozenset(("engunit", "engunits", "engineeringunits", "unit", "units", "uom"))
GOOD = 192


class Reader:
    """One message; `read` says what it means."""

    def __init__(self, place: Place, payload: Any, content: Content, decoded: Decoded) -> None:
        self.decoded = decoded
        self._place = place
        self._payload = payload
        self._content = content
        self._is_birth = place.what in BIRTHS
        self._places = [place.device, place.node] if place.device else [place.node]
        self._unresolved = False
        self._facts: dict[str, Any] = {}
        self._own_ms = 0
        self._own_us: int | None = None

    def read(self) -> Decoded:
        """What the message means."""
        if self._place.what in DEATHS:
            self._death()
        else:
            self._metrics()
        return self.decoded

    def _death(self) -> None:
        """A device, or a node with all its devices, is gone."""
        place = self._place
        if place.what == "NDEATH":
            if self._is_of_former_session():
                return
            self.decoded.availability.append(DecodedAvailability(place.ref, Availability.OFFLINE, is_gateway=True))
        else:
            self._look_at_sequence()
        self.decoded.availability.append(DecodedAvailability(place.ref, Availability.OFFLINE))

    def _metrics(self) -> None:
        """What a birth or data brings."""
        place = self._place
        missed = self._look_at_sequence()
        if self._is_birth:
            self._birth()
        else:
            for metric in self._payload.metrics[:MAX_VALUES]:
                one = self._known(metric)
                if not _is_inner(one.name):
                    self._take(metric, one)
        if self._facts:
            self.decoded.facts.append(DecodedFacts(place.ref, self._facts))
            if place.what == "NBIRTH":
                self.decoded.facts.append(DecodedFacts(place.ref, self._facts, is_gateway=True))
        if missed or self._unresolved:
            self.decoded.requests += rebirth(self._content, place.prefix, place.node)

    def _birth(self) -> None:
        """A node or device is there, and says all that it has."""
        is_node = self._place.what == "NBIRTH"
        said = DecodedAvailability(self._place.ref, Availability.ONLINE, is_gateway=is_node, announces=not is_node)
        self.decoded.availability.append(said)
        known: list[tuple[int, Known]] = []
        more: dict[str, Any] = {}
        for metric in self._payload.metrics[:MOST_METRICS]:
            one = self._known(metric)
            if one.name == BD_SEQ:
                more["bd"] = metric.long_value or metric.int_value
            elif not _is_inner(one.name):
                known.append((metric.alias if metric.HasField("alias") else -1, one))
                if len(self.decoded.readings) < MAX_VALUES:
                    self._take(metric, one)
        self.decoded.announcements += births.announcements(self._content.memory, self._places[0], known, more)

    def _look_at_sequence(self) -> int:
        """How many messages' gaps there were, noted on the node."""
        if not self._payload.HasField("seq"):
            return 0
        place = self._place
        missed = gaps(self._content, place.node, self._payload.seq % 256, restarts=place.what == "NBIRTH")
        if missed:
            self.decoded.facts.append(DecodedFacts(place.node_ref, {"sequence_gaps": missed}, is_gateway=True))
        return missed

    def _is_of_former_session(self) -> bool:
        """Whether this is the last will of a session before the one whose birth is known."""
        born = (self._content.memory.get(births.FAMILY, self._place.node) or {}).get("bd")
        ended = next((one for one in self._payload.metrics if one.name == BD_SEQ.encode()), None)
        if born is None or ended is None:
            return False
        return bool((born - (ended.long_value or ended.int_value)) % 256 == 1)

    def _known(self, metric: Any) -> Known:
        """Name, datatype and unit, from the metric itself or its birth."""
        name = text_of(metric.name)
        unit = _unit(metric.properties) if metric.HasField("properties") else ""
        if name and (self._is_birth or (metric.datatype and unit)):
            return Known(name, metric.datatype, unit)
        alias = metric.alias if metric.HasField("alias") else -1
        born = births.find(self._content.memory, self._places, alias, name)
        if born is not None:
            return Known(name or born.name, metric.datatype or born.datatype, unit or born.unit)
        if not name:
            self._unresolved = True
            name = f"alias:{alias}" if alias >= 0 else ""
        return Known(name, metric.datatype, unit)

    def _take(self, metric: Any, known: Known) -> None:
        if metric.is_null or not known.name or (metric.HasField("properties") and _is_bad(metric.properties)):
            return
        folder, _, last = known.name.rpartition("/")
        means = meaning(last)
        unit = known.unit or means.unit
        if not unit and means.kind == "voltage" and known.datatype in (FLOAT, DOUBLE):
            unit = "V"
        time_us = self._time(metric.timestamp)
        for name, value, text in values(known.name, metric, known.datatype):
            if text is not None and self._is_fact(folder, last, text):
                continue
            if len(name) > NAME_LENGTH:
                continue
            if len(self.decoded.readings) >= MAX_VALUES:
                return
            shown = unit if text is None else ""
            self.decoded.readings.append(DecodedReading(self._place.ref, name, value, text, shown, means.kind, time_us))

    def _is_fact(self, folder: str, last: str, text: str) -> bool:
        """Whether a text tells of the device itself; then it is kept."""
        means = meaning(last)
        name = FACTS.get(last.lower()) or (means.of if means.role is Role.FACT and means.of in OWN_FACTS else "")
        if not name and f"{folder}/".lower().startswith(ABOUT):
            name = last.lower().replace(" ", "_")[:40]
        if name:
            self._facts.setdefault(name, text)
        return bool(name)

    def _time(self, milliseconds: int) -> int | None:
        """The metric's time, else the message's; asked anew only when it differs from the one before."""
        found = milliseconds or self._payload.timestamp
        if found != self._own_ms:
            self._own_ms = found
            self._own_us = self._content.checked(found * 1000)
        return self._own_us


def _is_inner(name: str) -> bool:
    return name == BD_SEQ or name.startswith(INNER)


def _unit(properties: Any) -> str:
    for key, value in zip(properties.keys, properties.values, strict=False):
        word = text_of(key).lower().replace(" ", "").replace("_", "")
        if word in UNIT_KEYS and value.string_value:
            return spelled(text_of(value.string_value))
    return ""


def _is_bad(properties: Any) -> bool:
    """Whether the value is said to be bad or stale."""
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key.lower() == b"quality" and value.WhichOneof("value") in ("int_value", "long_value"):
            return bool((value.int_value or value.long_value) != GOOD)
    return False
