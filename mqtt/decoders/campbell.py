"""Campbell Scientific dataloggers: tables as GeoJSON or CSIJSON on any topic, and what `cs/v2/<type>/<logger>` adds.

In both forms the names of the fields stand apart from the rows, and each row has its own time.
"""

import re
from functools import lru_cache
from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import Part, member, objects, text, told
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.units import spelled
from mqtt.decoders.words import Meaning, Role, meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(r"((?:.+/)?cs/v\d+)/(state|status|metadata|data|pr|cr|cc)/(.+)", re.DOTALL)
STATE = re.compile(r"(.+)/(state)/([^/]+)", re.DOTALL)
MODEL = re.compile(r"CR\d{1,4}[A-Za-z]{0,3}|GRANITE ?\d+\w*", re.IGNORECASE)
PROCESS = re.compile(r"_(?:Avg|Max|Min|Std|Tot|Smp|Med|TMx|TMn|RunTot)(?:\(\d+(?:,\d+)*\))?$|\(\d+(?:,\d+)*\)$")
"""What a logger adds to the name of a field: how it was summed up, and its place in an array."""
OWN_UNITS = {"crtemp": "°C", "ptemp": "°C", "paneltemp": "°C", "battery": "V", "lithiumbattery": "V"}
"""The logger's own measurements."""
STATUS_FACTS = {"OSVersion": "firmware", "SerialNumber": "serial", "StationName": "name", "ProgName": "program"}
STATES = {"online": Availability.ONLINE, "offline": Availability.OFFLINE}


class CampbellDecoder:
    """Tables, states and descriptions of dataloggers."""

    name = "campbell"
    marks = frozenset(("type", "head", "state"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the base topic is free."""
        return True

    def claims(self, content: Content) -> bool:
        """By the names of the envelopes."""
        found = content.object
        if found is None:
            return False
        if found.get("type") == "Feature":
            return "observationNames" in _properties(found)
        if "head" in found and "data" in found:
            return isinstance(member(found, "head", "fields"), list)
        is_state = "state" in found and ("clientId" in found or "clientID" in found)
        return is_state and STATE.fullmatch(content.topic) is not None

    def decode(self, content: Content) -> Decoded:
        """Readings at the times of their rows; availability and facts."""
        found = content.object or {}
        levels = _levels(content.topic)
        what = levels[1] if levels else "data"
        decoded = Decoded(self.name)
        if what in ("cc", "cr", "pr"):
            return decoded
        if found.get("type") == "Feature":
            _geojson(found, what, content, decoded)
        elif "head" in found:
            _csijson(found, content, decoded)
        elif what == "state":
            _state(found, content, decoded)
        elif what == "metadata":
            _described(found, content, decoded)
        return decoded


class CampbellTopicDecoder(CampbellDecoder):
    """The same on the default topics, where also descriptions, commands and their answers are known."""

    def knows_topic(self, topic: str) -> bool:
        """`cs/v<n>/<type>/<logger>…`."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """JSON objects; tables only in a known form."""
        levels = _levels(content.topic)
        if levels is None or content.object is None:
            return False
        return levels[1] != "data" or super().claims(content)


@lru_cache(maxsize=5000)
def _levels(topic: str) -> tuple[str, str, str] | None:
    """(base, type of message, the rest) of a default topic; asked four times for each message."""
    match = TOPIC.fullmatch(topic) or STATE.fullmatch(topic)
    return (match[1], match[2], match[3]) if match else None


def _ref(content: Content, said: str) -> DeviceRef:
    """The logger: by its topic for all types of messages alike, and named as the message names it."""
    found = _levels(content.topic)
    if found is None:
        return DeviceRef(f"{content.topic}#{said}", said or clean(content.topic)[:NAME_LENGTH])
    base, _what, rest = found
    levels = rest.split("/")
    own = "/".join(levels[:2]) if len(levels) > 1 and MODEL.fullmatch(levels[0]) else levels[0]
    return DeviceRef(f"{base}#{own}", said or clean(own.rpartition("/")[2])[:NAME_LENGTH])


def _properties(found: dict[str, Any]) -> dict[str, Any]:
    properties = found.get("properties", found.get("Properties"))
    return properties if isinstance(properties, dict) else {}


def _geojson(found: dict[str, Any], what: str, content: Content, decoded: Decoded) -> None:
    properties = _properties(found)
    names = properties.get("observationNames")
    rows = properties.get("observations")
    device = _ref(content, text(properties, "loggerID")[:NAME_LENGTH])
    if not isinstance(names, list) or not isinstance(rows, dict):
        raise UndecodableError("no_values")
    names = [name if isinstance(name, str) else "" for name in names[:MAX_VALUES]]
    fields = [(name, field_meaning(name)) for name in names]
    if what == "metadata":
        for values in rows.values():
            named = dict(zip(names, values, strict=False)) if isinstance(values, list) else {}
            facts = told(**{fact: named.get(name) for name, fact in STATUS_FACTS.items()})
            decoded.facts.append(DecodedFacts(device, facts, announces=True))
        return
    for time, values in rows.items():
        if isinstance(values, list):
            _row(fields, values, time, device, content, decoded, texts=what != "status")


def _csijson(found: dict[str, Any], content: Content, decoded: Decoded) -> None:
    said = member(found, "head", "environment")
    serial = text(said, "serial_no") or text(said, "station_name")
    device = _ref(content, serial[:NAME_LENGTH])
    fields = []
    for field in objects(member(found, "head", "fields"))[:MAX_VALUES]:
        name = text(field, "name")
        unit = text(field, "units") or text(field, "unit")
        fields.append((name, field_meaning(name, unit)))
    for row in objects(found.get("data")):
        if isinstance(row.get("vals"), list):
            _row(fields, row["vals"], row.get("time"), device, content, decoded)
    _described(said, content, decoded, device)
    if not decoded.readings and not decoded.facts:
        raise UndecodableError("no_values")


def _row(
    fields: list[tuple[str, Meaning]],
    values: list[Any],
    time: Any,
    device: DeviceRef,
    content: Content,
    decoded: Decoded,
    *,
    texts: bool = True,
) -> None:
    if len(decoded.readings) + len(values) > MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)
    part = Part(device, content)
    for (name, means), value in zip(fields, values, strict=False):
        if isinstance(value, str) and (not texts or value.strip('"').upper() in ("NAN", "INF", "-INF")):
            continue
        if name and not isinstance(value, dict | list):
            part.value(value, name, means, 1)
    part.into(decoded, content.time(time))


def _state(found: dict[str, Any], content: Content, decoded: Decoded) -> None:
    said = STATES.get(text(found, "state").lower())
    if said is not None:
        decoded.availability.append(DecodedAvailability(_ref(content, ""), said, announces=True))


def _described(said: Any, content: Content, decoded: Decoded, device: DeviceRef | None = None) -> None:
    """What the logger says of itself."""
    facts = told(
        serial=text(said, "serial_no"),
        model=text(said, "model"),
        firmware=text(said, "os_version"),
        name=text(said, "station_name"),
        program=text(said, "prog_name"),
    )
    if facts:
        decoded.facts.append(DecodedFacts(device or _ref(content, ""), facts, announces=True))


@lru_cache(maxsize=5000)
def field_meaning(name: str, said_unit: str = "") -> Meaning:
    """What a field is, with the logger's own additions taken from its name; `said_unit` stands beside it."""
    plain = name
    while (shorter := PROCESS.sub("", plain)) != plain:
        plain = shorter
    means = meaning(plain)
    unit = spelled(said_unit) if said_unit else OWN_UNITS.get(plain.lower(), means.unit)
    return Meaning(Role.VALUE, unit=unit, kind=means.kind, is_switch=means.is_switch)


DECODER = CampbellDecoder()
TOPIC_DECODER = CampbellTopicDecoder()
