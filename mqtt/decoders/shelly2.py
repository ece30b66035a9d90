"""Shelly from the second generation on: `<prefix>/status/<component>` and JSON-RPC notifications.

Source: the vendor's Gen2 API documentation, Mqtt and Notifications. The prefix is the device id or any text of several
levels; the real id stands in `src` of the notifications. Notifications are deltas. A small `ts` is uptime, no time.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.enums import Availability
from mqtt.messages import Announcement, Decoded, DecodedAvailability, DecodedFacts, DeviceRef

FAMILY = "shelly-gen2"
STATUS = re.compile(r"(.+)/status/([a-z][a-z0-9_]*(?::\d+)?)", re.DOTALL)
SYSTEM_PARTS = frozenset(
    ("sys", "wifi", "eth", "cloud", "mqtt", "ble", "ws", "knx", "matter", "bthome", "script", "schedule")
)
QUIET_PARTS = SYSTEM_PARTS - {"sys"}
NOT_READ = frozenset(
    ("id", "source", "by_minute", "minute_ts", "tF", "last_update_ts", "last_updated_ts", "errors",
     "rssi", "packet_id", "flags", "timer_started_at", "timer_duration", "transition", "user_calibrated_phase")
)  # fmt: skip
ANSWERED = frozenset(("output", "state", "pf"))
"""What an answer tells of the state without a unit; the rest of answers is of settings."""
OF_SYSTEM = {"uptime": "s", "ram_free": "B", "cfg_rev": ""}
UNITS = {
    "apower": "W", "act_power": "W", "aprt_power": "VA", "voltage": "V", "current": "A", "freq": "Hz",
    "tC": "°C", "rh": "%",
    "lux": "lx", "V": "V", "battery.percent": "%", "brightness": "%", "current_pos": "%", "target_pos": "%",
    "aenergy.total": "Wh", "ret_aenergy.total": "Wh", "total_act_energy": "Wh", "total_act_ret_energy": "Wh",
    "act": "Wh", "act_ret": "Wh", "xpercent": "%", "percent": "%", "pos": "%", "current_C": "°C", "target_C": "°C",
    "battery": "%",
}  # fmt: skip
PHASE = re.compile(
    r"(?:a|b|c|n|total)_(act_power|aprt_power|voltage|current|freq|pf|act|act_ret|total_act_energy|total_act_ret_energy)"
)
EVENTS = frozenset(
    ("single_push", "double_push", "triple_push", "long_push", "btn_down", "btn_up", "motion", "alarm", "flood")
)


class Shelly2Decoder:
    """Shelly devices of the second and later generations."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """Status, notifications, answers, presence."""
        return topic.endswith(("/rpc", "/online")) or STATUS.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """By the form of the content."""
        topic = content.topic
        if topic.endswith("/online"):
            prefix = topic.removesuffix("/online")
            is_known = content.memory.get(FAMILY, prefix) is not None
            return content.message.payload in {b"true", b"false"} and (is_known or not topic.startswith("shellies/"))
        found = content.object
        if found is None:
            return False
        if topic.endswith("/rpc"):
            return isinstance(found.get("src"), str) and ("method" in found or "result" in found or "error" in found)
        match = STATUS.fullmatch(topic)
        part = match.group(2) if match else ""
        return ":" in part or (part in SYSTEM_PARTS and bool(found))

    def decode(self, content: Content) -> Decoded:
        """Readings, presence and facts."""
        decoded = Decoded(self.name)
        topic = content.topic
        if topic.endswith("/online"):
            prefix = topic.removesuffix("/online")
            availability = Availability.ONLINE if content.text == "true" else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(_device(content, prefix), availability, announces=True))
        elif topic.endswith("/rpc"):
            _rpc(content, decoded)
        elif match := STATUS.fullmatch(topic):
            device = _device(content, match.group(1))
            found = content.object or {}
            moment = found.get("unixtime") or found.get("last_updated_ts")
            time_us = content.time(moment) if moment else None
            quiet = {key: value for key, value in found.items() if key != "cfg_rev"}  # news only when it changes
            _part(device, match.group(2), quiet, time_us, decoded)
        return decoded


def _device(content: Content, prefix: str) -> DeviceRef:
    known = content.memory.get(FAMILY, prefix)
    return DeviceRef(prefix, said(known, "src") or prefix)


def _rpc(content: Content, decoded: Decoded) -> None:
    found = content.object or {}
    source = said(found, "src")
    if content.topic.endswith("/events/rpc"):
        _notification(content, found, source, decoded)
    elif isinstance(found.get("result"), dict) and source.startswith("shelly"):
        # An answer lies below the client that asked: whose it is says `src` alone.
        prefix = said(content.memory.get(FAMILY, f"src:{source}"), "prefix") or source
        device = DeviceRef(prefix, source)
        for path, leaf in each(found["result"]):
            if path not in NOT_READ and (_unit(path) or path in ANSWERED):
                add(decoded, device, path, leaf, unit=_unit(path))


def _notification(content: Content, found: dict[str, Any], source: str, decoded: Decoded) -> None:
    prefix = content.topic.removesuffix("/events/rpc")
    device = DeviceRef(prefix, source)
    if said(content.memory.get(FAMILY, prefix), "src") != source:
        decoded.announcements += [
            Announcement(FAMILY, prefix, {"src": source}),
            Announcement(FAMILY, f"src:{source}", {"prefix": prefix}),
        ]
    params = found.get("params")
    if not isinstance(params, dict):
        return
    time_us = content.time(params.get("ts"))
    if found.get("method") == "NotifyEvent":
        events = params.get("events")
        for event in events[:64] if isinstance(events, list) else ():
            if said(event, "event") in EVENTS and (part := said(event, "component")):
                add(decoded, device, f"{part}.event", event["event"], time_us=content.time(event.get("ts")) or time_us)
        return
    for part, status in params.items():
        if isinstance(status, dict):
            _part(device, part, status, time_us, decoded)
    if not decoded.facts:
        decoded.facts.append(DecodedFacts(device, {}))


def _part(device: DeviceRef, part: str, status: dict[str, Any], time_us: int | None, decoded: Decoded) -> None:
    """One component's status."""
    if part == "sys":
        for key, unit in OF_SYSTEM.items():
            if key in status:
                add(decoded, device, f"sys.{key}", status[key], unit=unit, time_us=time_us)
        facts = facts_from(status, {"mac": "mac"})
    elif part == "wifi":
        facts = facts_from(status, {"rssi": "rssi", "ssid": "ssid", "sta_ip": "ip"})
    elif part == "eth":
        facts = facts_from(status, {"ip": "ip"})
    else:
        facts = {}
        for path, leaf in each(status) if part not in QUIET_PARTS else ():
            names = path.split(".")
            if not NOT_READ & set(names):
                add(decoded, device, f"{part}.{path}", leaf, unit=_unit(path), time_us=time_us)
    if facts:
        decoded.facts.append(DecodedFacts(device, facts))


def _unit(path: str) -> str:
    """The unit of a value by its key, with or without the phase in front."""
    names = path.split(".")
    two, last = ".".join(names[-2:]), names[-1]
    match = PHASE.fullmatch(last)
    return UNITS.get(two) or UNITS.get(match.group(1) if match else last, "")


DECODER = Shelly2Decoder()
