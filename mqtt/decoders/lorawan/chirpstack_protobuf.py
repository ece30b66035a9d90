"""ChirpStack v4 events and gateway states in protobuf -> the same as its JSON writes them."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from mqtt.decoders.base import MAX_DEPTH, MAX_VALUES
from mqtt.decoders.protobuf import message_class
from mqtt.exceptions import UndecodableError

COMMON = "time:2:Time device_info:3:DeviceInfo"
TABLE = {
    "up": f"{COMMON} object:11:Struct rx_info:12:*RxInfo",
    "status": f"{COMMON} margin:5:int32 external:6:bool battery_level_unavailable:7:bool battery_level:8:float",
    "location": f"{COMMON} location:4:Location",
    "integration": f"{COMMON} integration_name:4:bytes event_type:5:bytes object:6:Struct",
    "join": COMMON,
    "ack": COMMON,
    "txack": COMMON,
    "log": "time:1:Time device_info:2:DeviceInfo",
    "conn": "gateway_id_legacy:1:bytes state:2:int32 gateway_id:3:bytes",
    "stats": "gateway_id_legacy:1:bytes config_version:4:bytes gateway_id:17:bytes",
    "Time": "seconds:1:int64 nanos:2:int32",
    "DeviceInfo": "device_profile_name:6:bytes device_name:7:bytes dev_eui:8:bytes",
    "RxInfo": "gateway_id:1:bytes rssi:6:int32 snr:7:float",
    "Location": "latitude:1:double longitude:2:double altitude:3:double",
    "Struct": "fields:1:*Field",
    "Field": "key:1:bytes value:2:Value",
    "Value": "kind:null_value:1:int32 kind:number_value:2:double kind:string_value:3:bytes kind:bool_value:4:bool "
    "kind:struct_value:5:Struct kind:list_value:6:List",
    "List": "values:1:*Value",
}
"""By the last level of the topic, and what these are made of."""
CLASSES = {name: message_class("chirpstack", TABLE, name) for name in TABLE if name.islower()}


def document(what: str, data: bytes) -> dict[str, Any] | None:
    """The event as its JSON would be; None for what has nothing to say. Raises UndecodableError."""
    message = CLASSES.get(what)
    if message is None:
        return None
    try:
        event = message.FromString(data)
    except DecodeError:
        raise UndecodableError("not_protobuf") from None
    if what in ("conn", "stats"):
        return {"state": "ONLINE" if what == "conn" and event.state else "OFFLINE"}
    return dict(_members(what, event))


def _members(what: str, event: Any) -> Iterator[tuple[str, Any]]:
    info = event.device_info
    names = {"devEui": info.dev_eui, "deviceName": info.device_name, "deviceProfileName": info.device_profile_name}
    yield "deviceInfo", {key: _text(value) for key, value in names.items()}
    if event.HasField("time"):
        yield "time", event.time.seconds + event.time.nanos / 1e9
    if what in ("up", "integration") and event.HasField("object"):
        yield "object", _Values().struct(event.object, 1)
    if what == "up":
        yield (
            "rxInfo",
            [{"gatewayId": _text(one.gateway_id), "rssi": one.rssi, "snr": one.snr} for one in event.rx_info],
        )
    elif what == "status":
        yield "margin", event.margin
        yield "batteryLevelUnavailable", event.battery_level_unavailable
        yield "batteryLevel", round(event.battery_level, 4)
    elif what == "location":
        where = event.location
        yield "location", {"latitude": where.latitude, "longitude": where.longitude, "altitude": where.altitude}


class _Values:
    """A protobuf Struct as plain values, bounded."""

    def __init__(self) -> None:
        self._count = 0

    def struct(self, found: Any, depth: int) -> dict[str, Any]:
        self._enter(len(found.fields), depth)
        return {_text(one.key): self._value(one.value, depth) for one in found.fields}

    def _value(self, found: Any, depth: int) -> Any:
        kind = found.WhichOneof("kind")
        if kind == "struct_value":
            return self.struct(found.struct_value, depth + 1)
        if kind == "list_value":
            self._enter(len(found.list_value.values), depth)
            return [self._value(one, depth + 1) for one in found.list_value.values]
        if kind == "string_value":
            return _text(found.string_value)
        return getattr(found, kind) if kind in ("number_value", "bool_value") else None

    def _enter(self, count: int, depth: int) -> None:
        self._count += count
        if depth > MAX_DEPTH:
            raise UndecodableError("too_deep", limit=MAX_DEPTH)
        if self._count > 3 * MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
