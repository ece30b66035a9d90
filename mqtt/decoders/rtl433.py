"""rtl_433: radio sensors as JSON under `<base>/<host>/events`, and field by field under `<base>/<host>/devices/…`.

Source: the project's docs, DATA_FORMAT and INTEGRATION. Units are suffixes of the keys. A device is its model with
channel and id. `time` is local unless it says a zone; `@0.08s` is a place in a recording. battery_ok 0 means low, not
empty.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

TREE = re.compile(r"((?:.+/)?([^/]+))/devices/(.+)/([^/]+)", re.DOTALL)
LISTS = re.compile(r"((?:.+/)?([^/]+))/(?:events|states)", re.DOTALL)
NO_READINGS = frozenset(
    ("time", "model", "id", "channel", "mic", "mod", "freq", "freq1", "freq2", "raw_msg", "rssi", "snr",
     "noise", "protocol",
     "subtype", "brand", "type", "sequence_num", "message_type", "data", "msg", "code", "code_hex",
     "codes", "rows", "count", "num_rows", "len", "unit", "usec", "tz", "device", "duration", "tristate")
)  # fmt: skip
UNITS = (
    ("_km_h", "km/h"), ("_mi_h", "mph"), ("_m_s", "m/s"), ("_mm_h", "mm/h"), ("_in_h", "in/h"), ("_ug_m3", "µg/m³"),
    ("_hPa", "hPa"), ("_kPa", "kPa"), ("_psi", "psi"), ("_PSI", "psi"), ("_bar", "bar"), ("_kWh", "kWh"),
    ("_Wh", "Wh"),
    ("_deg", "°"), ("_lux", "lx"), ("_klx", "klx"), ("_ppm", "ppm"), ("_ppb", "ppb"), ("_mm", "mm"),
    ("_cm", "cm"), ("_in", "in"),
    ("_mV", "mV"), ("_mA", "mA"), ("_kW", "kW"), ("_Hz", "Hz"), ("_dB", "dB"), ("_C", "°C"), ("_F", "°F"),
    ("_V", "V"), ("_A", "A"),
    ("_W", "W"), ("_m", "m"), ("_l", "L"), ("_km", "km"), ("_g", "g"), ("_kg", "kg"), ("_pct", "%"),
)  # fmt: skip
PERCENT = frozenset(("humidity", "moisture", "battery_pct"))


class Rtl433Decoder:
    """Sensors that rtl_433 hears."""

    name = "rtl_433"

    def knows_topic(self, topic: str) -> bool:
        """`…/events`, `…/states` anywhere, `…/devices/…` below a level called rtl_433."""
        if LISTS.fullmatch(topic):
            return True
        return "rtl_433" in topic.split("/") and TREE.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Objects with a model below rtl_433, elsewhere only with its other marks as well."""
        if not LISTS.fullmatch(content.topic):
            return not content.is_structure
        found = content.object
        if found is None or "model" not in found:
            return False
        return "rtl_433" in content.topic or ("time" in found and bool({"mic", "battery_ok", "mod"} & found.keys()))

    def decode(self, content: Content) -> Decoded:
        """The readings of one sensor."""
        decoded = Decoded(self.name)
        lists = LISTS.fullmatch(content.topic)
        if lists:
            found = content.object or {}
            read_radio(content, found, lists.group(1), lists.group(2), decoded)
        elif (tree := TREE.fullmatch(content.topic)) and not content.is_empty:
            base, host, who, field = tree.groups()
            device = DeviceRef(f"{base}#{who}", who, base, host)  # as in its events
            if field not in NO_READINGS:
                add(decoded, device, field, content.text, unit=unit_of(field))
        return decoded


def unit_of(key: str) -> str:
    """The unit in a key's suffix."""
    if key in PERCENT:
        return "%"
    return next((unit for suffix, unit in UNITS if key.endswith(suffix)), "")


def radio_identity(found: dict[str, Any]) -> str:
    """Model, channel and id of a radio sensor; a channel that is no number is a switch in the housing."""
    channel = found.get("channel")
    middle = [str(channel)] if isinstance(channel, int) and not isinstance(channel, bool) else []
    return "/".join(part for part in (said(found, "model"), *middle, said(found, "id", "device")) if part)


def read_radio(content: Content, found: dict[str, Any], gateway_key: str, gateway: str, decoded: Decoded) -> None:
    """The readings and facts of one radio message."""
    who = radio_identity(found)
    device = DeviceRef(f"{gateway_key}#{who}", who, gateway_key, gateway)
    time_us = content.time(found.get("time"))
    for key, value in found.items():
        if key in NO_READINGS:
            continue
        for path, leaf in each(value, key):
            add(decoded, device, path, leaf, unit=unit_of(key), time_us=time_us)
    facts = facts_from(found, {"model": "model", "rssi": "rssi", "snr": "snr", "channel": "channel"})
    decoded.facts.append(DecodedFacts(device, facts))


DECODER = Rtl433Decoder()
