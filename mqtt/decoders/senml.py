"""SenML (RFC 8428) in JSON and CBOR, on any topic: an array of records that inherit what stands before them.

A name is globally unique, but where it ends and the measurement begins it does not say. `urn:dev:…` is a device up
to its fourth part, an address up to its last slash; a name without any of these belongs to the topic's device.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mqtt.decoders.base import BINARY, MAX_DEPTH, MAX_VALUES, Content
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.units import spelled
from mqtt.decoders.walk import MAX_TEXT
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DecodedReading, DeviceRef

BASE_LABELS = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs"}
LABELS = BASE_LABELS | {0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"}
"""CBOR writes small numbers for the names of fields."""
VALUES = frozenset(("v", "vs", "vb", "vd", "s", "bv", "bs"))
RELATIVE_BELOW = 2**28
"""Smaller times, in seconds, count from now."""
MAX_CBOR = 64 * 1024
KINDS = {"°C": "temperature", "%": "humidity", "V": "voltage", "A": "current", "W": "power", "lx": "illuminance"}
NAMELESS = "value"
NAMED_BY_UNIT = {"lat": "lat", "lon": "lon", "alt": "alt", "%EL": "battery", "EL": "battery"}
"""Of records without a name: what the unit alone says; a place and a charge are no part of the same curve."""
URN = re.compile(r"(urn:dev:[^:]+:[^:_]+)(?:[:_](.+))?", re.DOTALL)


class _Base(NamedTuple):
    """What records inherit."""

    name: str = ""
    time: float | None = None
    unit: str = ""
    value: float | None = None
    total: float | None = None


MOST_RECORDS = 3 * MAX_VALUES
"""With values or without."""


LARGEST = 1e308
BASES = frozenset(("bn", "bt", "bu", "bv", "bs"))


class SenmlDecoder:
    """Packs of records; also the older form with the records under `e`."""

    name = "senml"
    marks = frozenset(("bn", "n", "e", BINARY))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the format has no rule for topics."""
        return True

    def claims(self, content: Content) -> bool:
        """An array whose first record has a name, with a value in it or the next."""
        content.kept = _pack(content)
        return content.kept is not None

    def decode(self, content: Content) -> Decoded:
        """Readings at their own times."""
        pack = _pack(content) if content.kept is None else content.kept
        if pack and len(pack) > MOST_RECORDS:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        decoded = Decoded(self.name)
        intervals: dict[DeviceRef, float] = {}
        for record, base in _resolved(pack or []):
            device, name = _split(base.name, record.get("n", ""), content.topic)
            for found, number, text in _values(record, base):
                if len(decoded.readings) >= MAX_VALUES:
                    raise UndecodableError("too_many_values", limit=MAX_VALUES)
                unit = _unit(record, base) if found == "v" else ""
                full = f"{name}.sum" if found == "s" else name
                if name == NAMELESS and isinstance(said := record.get("u"), str):
                    full = NAMED_BY_UNIT.get(said, full)
                kind = meaning(name).kind or KINDS.get(unit, "")
                time_us = _time(record, base, content)
                decoded.readings.append(DecodedReading(device, full, number, text, unit, kind, time_us))
            update = _number(record.get("ut"))
            if update and update > 0:
                intervals[device] = min(update, intervals.get(device, update))
        decoded.facts = [DecodedFacts(device, {"interval": seconds}) for device, seconds in intervals.items()]
        if not decoded.readings:
            raise UndecodableError("no_values")
        return decoded


def _pack(content: Content) -> list[dict[str, Any]] | None:
    """The records; None: this is no SenML."""
    first = content.message.payload[:1]
    try:
        if first == b"[":
            return _checked(content.document)
        if first == b"{":
            return _older(content.object)
        if first and 0x80 <= first[0] <= 0x9F and content.message.payload[1:2] >= b"\x98":
            return _checked(_from_cbor(content.message.payload))
    except UndecodableError:
        return None
    return None


def _checked(found: Any) -> list[dict[str, Any]] | None:
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return None
    first = found[0]
    if not isinstance(first.get("bn", first.get("n")), str):
        return None
    if not any(VALUES & one.keys() for one in found[:2] if isinstance(one, dict)):
        return None
    return [one for one in found if isinstance(one, dict)]


def _older(found: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    """`{"bn": …, "e": [records]}`, as drafts and older devices write it."""
    records = found.get("e") if found else None
    if not found or not isinstance(records, list) or not all(isinstance(one, dict) and "n" in one for one in records):
        return None
    base = {name: value for name, value in found.items() if name.startswith("b")}
    if not records or not base:
        return None
    return _checked([base | records[0], *records[1:]])


def _from_cbor(payload: bytes) -> Any:
    """The array with names for labels. Raises UndecodableError."""
    if len(payload) > MAX_CBOR:
        raise UndecodableError("too_large", size=len(payload), limit=MAX_CBOR)
    import cbor2  # 1 MB that most consoles have no use for

    try:
        found = cbor2.loads(payload, max_depth=MAX_DEPTH, str_errors="replace")
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError):
        raise UndecodableError("binary") from None
    if not isinstance(found, list):
        return None
    return [
        {name: value for key, value in one.items() if isinstance(name := LABELS.get(key, key), str)}
        for one in found
        if isinstance(one, dict)
    ]


def _resolved(pack: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], _Base]]:
    """Each record with what it inherits; a field that must be understood and is not spoils its record."""
    base = _Base()
    for record in pack:
        if BASES.isdisjoint(record):
            if not _must_be_understood(record):
                yield record, base
            continue
        name, unit = record.get("bn", base.name), record.get("bu", base.unit)
        base = _Base(
            clean(name) if isinstance(name, str) else base.name,
            _inherited(record, "bt", base.time),
            unit if isinstance(unit, str) else base.unit,
            _inherited(record, "bv", base.value),
            _inherited(record, "bs", base.total),
        )
        if not _must_be_understood(record):
            yield record, base


def _must_be_understood(record: dict[str, Any]) -> bool:
    """Whether it has a field that must be understood, and is not."""
    for key in record:  # noqa: SIM110 - twice as quick as any() with a generator, for each record
        if key[-1:] == "_":
            return True
    return False


def _inherited(record: dict[str, Any], key: str, before: float | None) -> float | None:
    return _number(record[key]) if key in record else before


def _values(record: dict[str, Any], base: _Base) -> Iterator[tuple[str, float | None, str | None]]:
    """The value of a record, and its sum; (field, number, text)."""
    number, total = _number(record.get("v")), _number(record.get("s"))
    if number is not None or "bv" in record:
        yield "v", (number or 0.0) + (base.value or 0.0), None
    elif isinstance(record.get("vb"), bool):
        yield "vb", (1.0 if record["vb"] else 0.0), None
    elif isinstance(text := record.get("vs"), str) and 0 < len(text) <= MAX_TEXT:
        yield "vs", None, clean(text)
    if total is not None or "bs" in record:
        yield "s", (total or 0.0) + (base.total or 0.0), None


def _split(base: str, name: Any, topic: str) -> tuple[DeviceRef, str]:
    """The device and the measurement of a full name."""
    name = clean(name) if isinstance(name, str) else ""
    whole = place(topic).device
    device = base.rstrip(":/_.") if base and name else ""
    if not device or (device.startswith("urn:dev:") and device.count(":") < 3):
        device, name = _split_whole(base + name)
    if not device:
        return whole, (name or NAMELESS)[:NAME_LENGTH]
    ref = DeviceRef(f"{topic}#{device}"[:900], device[:NAME_LENGTH])
    return ref, (name.strip(":/_.") or NAMELESS)[: NAME_LENGTH - 4]


def _split_whole(name: str) -> tuple[str, str]:
    """A name in one piece; without a device when it is unique nowhere."""
    match = URN.fullmatch(name)
    if match:
        return match[1], match[2] or ""
    if "/" in name.strip("/"):
        device, _, last = name.rstrip("/").rpartition("/")
        return device, last
    return (name, "") if ":" in name else ("", name)


def _unit(record: dict[str, Any], base: _Base) -> str:
    unit = record.get("u", base.unit)
    return spelled(unit) if isinstance(unit, str) else ""


def _time(record: dict[str, Any], base: _Base, content: Content) -> int | None:
    """Absolute, or counted from the receipt; none where nothing is said."""
    own = _number(record.get("t"))
    if own is None and base.time is None:
        return None
    seconds = (own or 0.0) + (base.time or 0.0)
    if abs(seconds) < RELATIVE_BELOW:
        return content.checked(content.message.received_us + round(seconds * 1_000_000))
    return content.checked(round(seconds * 1_000_000)) if seconds < 1e11 else None


def _number(value: Any) -> float | None:
    """A finite number; CBOR also writes decimals."""
    if type(value) is float or type(value) is int:
        return float(value) if -LARGEST < value < LARGEST else None
    if isinstance(value, bool) or value is None or isinstance(value, str | bytes | list | dict):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


DECODER = SenmlDecoder()
