"""Objects in an array: whether each is a device, a value of one device, or a part of it."""

from typing import Any

from mqtt.decoders.objects import BESIDE_TAG, plain_key, value_of
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import meaning

IDENTITY_KEYS = (
    "serial_number",
    "serial",
    "sn",
    "device_id",
    "deviceId",
    "device",
    "deviceName",
    "dev_eui",
    "devEUI",
    "id",
    "mac",
    "sensor_id",
    "sensorId",
    "nodeId",
    "SerialNumber",
    "serialNumber",
    "deviceID",
    "DeviceID",
    "sensorID",
    "sensor",
    "name",
    "Name",
)
QUANTITY_KEYS = ("resourceName", "type", "quantity", "parameter", "measurement", "sensor_type", "sensorType")
"""What is measured by a member that also says who it is."""
MOST_MEMBERS = 32
"""Objects in an array that say neither who nor when, and are told apart by their place."""
NO_MEMBERS = words(
    """gateways rxinfo rxmetadata gwinfo lrr receivers hotspots errors alarms alerts events logs log history neighbors
    neighbours networks scan schedule schedules tags waypoints fields columns commands tasks"""
)
"""Arrays whose objects are about something else than the device's values."""
TAG_KEYS = (
    "name", "tag", "tagname", "tagName", "parameter", "variable", "measurement", "metric", "key", "Name", "Tag",
    "TagName", "Key", "n", "k", "point", "pointName", "value_type", "type", "id", "description", "title",
)  # fmt: skip
"""Keys of an object in an array that is one value: what is measured, rather than who measures."""


def identity_of(found: dict[str, Any]) -> str:
    """Who a member says it is, or empty."""
    said = next((str(found[key]) for key in IDENTITY_KEYS if isinstance(found.get(key), str | int)), "")
    return clean(said)[:NAME_LENGTH]


def quantity_of(found: dict[str, Any]) -> str:
    """What a member that also says who it is measures, or empty."""
    said = next((found[key] for key in QUANTITY_KEYS if isinstance(found.get(key), str)), "")
    return clean(said).strip()[:NAME_LENGTH]


def are_parts(found: list[Any], name: str) -> bool:
    """Whether objects in an array are parts of one device, told apart by their place: none says who it is."""
    if len(found) > MOST_MEMBERS or plain_key(name.rpartition(".")[2]) in NO_MEMBERS:
        return False
    return not any(key in one for one in found if isinstance(one, dict) for key in IDENTITY_KEYS)


DATA_TYPES = words("bool boolean bit byte sint int uint int8 int16 int32 int64 uint8 uint16 uint32 uint64 dint udint "
                   "word dword real lreal float float32 float64 double number numeric string")  # fmt: skip
"""What a `type` says that is no quantity: how the value was stored."""


def quantity_named(found: dict[str, Any]) -> str:
    """The quantity that a member calls its sensor or itself, `{"sensor": "temp", "value": 21}`; empty otherwise."""
    if "sensor" in found:
        said, is_named = found["sensor"], False
    elif "id" in found:
        stored = found.get("type", found.get("dataType"))
        said, is_named = found["id"], isinstance(stored, str) and stored.lower() in DATA_TYPES
    else:
        return ""
    if not isinstance(said, str) or not (is_named or meaning(said).kind):
        return ""
    return said if sum(key in found for key in IDENTITY_KEYS) == 1 and (is_named or "sensor" in found) else ""


def tag_of(found: dict[str, Any]) -> str:
    """What a member of an array that is one value is called; empty when it is a device or several values."""
    if not value_of(found, BESIDE_TAG)[0]:
        return ""
    if named := quantity_named(found):
        return clean(named).strip()[:NAME_LENGTH]
    has_quality = "qc" in found or "quality" in found or "q" in found
    if not has_quality and any(key in found for key in IDENTITY_KEYS if key not in {"name", "Name"}):
        return ""
    tag = next((found[key] for key in TAG_KEYS if isinstance(found.get(key), str)), "")
    if tag.startswith("report_"):
        tag = str(found.get("measurementId", tag))  # SenseCAP: what is told, which tells nothing apart
    return clean(tag).strip()[:NAME_LENGTH]


NAMES_KEYS = ("fields", "columns", "names", "labels", "keys", "channels", "headers")
ROWS_KEYS = ("values", "rows", "data", "points", "vals", "samples")
MOST_NAMES = 64
MOST_ROWS = 500


def under_names(document: dict[str, Any]) -> dict[str, Any]:
    """A document in which an array of names stood beside one of as many values, or of rows of them, with each named."""
    names_key = next((key for key in NAMES_KEYS if isinstance(document.get(key), list)), "")
    rows_key = next((key for key in ROWS_KEYS if isinstance(document.get(key), list)), "") if names_key else ""
    names = document[names_key] if rows_key else []
    if not 1 < len(names) <= MOST_NAMES or not all(type(name) is str for name in names):
        return document
    rest = {key: value for key, value in document.items() if key not in {names_key, rows_key}}
    rows = document[rows_key]
    is_one = len(rows) == len(names) and not any(isinstance(value, list | dict) for value in rows)
    if is_one and rest.keys().isdisjoint(names):
        return rest | dict(zip(names, rows, strict=True))
    if 0 < len(rows) <= MOST_ROWS and all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return rest | {rows_key: [dict(zip(names, row, strict=True)) for row in rows]}
    return document
