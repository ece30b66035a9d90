"""Sparkplug metrics -> readings: the datatype says how the bits are to be read."""

import math
import struct
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from mqtt.decoders.base import MAX_DEPTH
from mqtt.decoders.places import clean
from mqtt.decoders.times import EPOCH
from mqtt.decoders.walk import MAX_ARRAY, MAX_TEXT

SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Int8, Int16, Int32, Int64 and their bits; they travel as unsigned."""
FLOAT, DOUBLE, DATE_TIME = 9, 10, 13
ARRAYS = {22: "b", 23: "h", 24: "i", 25: "q", 26: "B", 27: "H", 28: "I", 29: "Q", 30: "f", 31: "d", 34: "q"}
"""Packed little-endian; 32 and 33 are bits behind their number, and texts ended by NUL."""
BOOLEAN_ARRAY, STRING_ARRAY, DATE_TIME_ARRAY = 32, 33, 34

_SINGLE = struct.Struct("<f")

Value = tuple[str, float | None, str | None]
"""(name, number, text)."""


def text_of(data: bytes) -> str:
    """A text as it was sent, as far as it can be read."""
    return clean(data.decode("utf-8", "replace"))


def values(name: str, found: Any, datatype: int, depth: int = 1) -> Iterator[Value]:
    """All values of a metric, a property, or an element of a data set; nothing where there is none."""
    which = found.WhichOneof("value")
    if which is None:
        return
    raw = getattr(found, which)
    if which == "dataset_value":
        yield from _data_set(name, raw)
    elif which == "template_value":
        yield from _template(name, raw, depth)
    elif which == "bytes_value":
        yield from _array(name, raw, datatype)
    else:
        number, text = _PLAIN[which](raw, datatype)
        if number is not None or text:
            yield name, number, text


def _integer(raw: int, datatype: int) -> tuple[float | None, str | None]:
    bits = SIGNED.get(datatype)
    if bits:
        raw &= (1 << bits) - 1
        if raw >> (bits - 1):
            raw -= 1 << bits
    elif datatype == DATE_TIME:
        return None, _moment(raw)
    return float(raw), None


def _floating(raw: float, _datatype: int) -> tuple[float | None, str | None]:
    return (raw if math.isfinite(raw) else None), None


def _short(raw: float, _datatype: int) -> tuple[float | None, str | None]:
    """The number that was meant: 12.3, and not what single precision makes of it."""
    if raw % 1 == 0:
        return raw, None
    if not math.isfinite(raw):
        return None, None
    number = float(f"{raw:.7g}")
    if number != raw and _SINGLE.unpack(_SINGLE.pack(number))[0] != raw:
        number = float(f"{raw:.9g}")
    return number, None


def _boolean(raw: bool, _datatype: int) -> tuple[float | None, str | None]:
    return (1.0 if raw else 0.0), None


def _string(raw: bytes, _datatype: int) -> tuple[float | None, str | None]:
    text = text_of(raw)
    return None, (text if len(text) <= MAX_TEXT else None)


_PLAIN: dict[str, Callable[[Any, int], tuple[float | None, str | None]]] = {
    "int_value": _integer,
    "long_value": _integer,
    "float_value": _short,
    "double_value": _floating,
    "boolean_value": _boolean,
    "string_value": _string,
}


def _moment(milliseconds: int) -> str | None:
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _array(name: str, raw: bytes, datatype: int) -> Iterator[Value]:
    """The members of an array; the bytes of a file say nothing, and a long array is a waveform."""
    members = _members(raw, datatype)
    for place, member in enumerate(members if len(members) <= MAX_ARRAY else ()):
        number, text = member
        if number is not None or (text and len(text) <= MAX_TEXT):
            yield f"{name}.{place}", number, text


def _members(raw: bytes, datatype: int) -> list[tuple[float | None, str | None]]:
    if datatype == BOOLEAN_ARRAY:
        count = min(int.from_bytes(raw[:4], "little"), MAX_ARRAY + 1, 8 * (len(raw) - 4))
        return [_boolean(bool(raw[4 + place // 8] & (128 >> place % 8)), 0) for place in range(count)]
    if datatype == STRING_ARRAY:
        texts = raw.removesuffix(b"\0").split(b"\0", MAX_ARRAY + 1)
        return [(None, text_of(text)) for text in texts]
    code = ARRAYS.get(datatype)
    if code is None:
        return []
    size = struct.calcsize(code)
    numbers = struct.iter_unpack("<" + code, raw[: min(len(raw) // size, MAX_ARRAY + 1) * size])
    if datatype == DATE_TIME_ARRAY:
        return [(None, _moment(one)) for (one,) in numbers]
    return [_short(one, 0) if code == "f" else _floating(float(one), 0) for (one,) in numbers]


def _data_set(name: str, found: Any) -> Iterator[Value]:
    """A table: `name.column`, and with several rows `name.row.column`."""
    columns = [text_of(column) or str(place) for place, column in enumerate(found.columns)]
    if len(found.rows) > MAX_ARRAY:
        return
    for number, row in enumerate(found.rows):
        prefix = name if len(found.rows) == 1 else f"{name}.{number}"
        for column, element, datatype in zip(columns, row.elements, found.types, strict=False):
            yield from values(f"{prefix}.{column}", element, datatype)


def _template(name: str, found: Any, depth: int) -> Iterator[Value]:
    """The members of an instance; a definition has no values."""
    if found.is_definition or depth > MAX_DEPTH:
        return
    for metric in found.metrics:
        if not metric.is_null and metric.name:
            yield from values(f"{name}.{text_of(metric.name)}", metric, metric.datatype, depth + 1)
