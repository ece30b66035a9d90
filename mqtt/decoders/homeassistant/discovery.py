"""A discovery message -> one announcement: which device, what stands on which topics, how it says that it is there."""

from typing import Any, NamedTuple

from mqtt.decoders import ignored
from mqtt.decoders.base import Content
from mqtt.decoders.homeassistant.keys import ALONE, ASPECTS, base_filled, device_of, expanded
from mqtt.decoders.homeassistant.slots import FAMILY, Slots, bare, is_generic
from mqtt.decoders.homeassistant.templates import LONGEST, template
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.units import spelled
from mqtt.messages import Announcement, Decoded, DecodedFacts, DeviceRef

MOST_COMPONENTS = 150
MOST_TOPICS = 300
MOST_BYTES_OF_TOPIC = 500
_FACTS = {
    "name": "name",
    "manufacturer": "manufacturer",
    "model": "model",
    "model_id": "model_id",
    "hw_version": "hardware",
    "sw_version": "firmware",
    "serial_number": "serial",
    "suggested_area": "area",
}
_KINDS = {
    "atmospheric_pressure": "pressure",
    "apparent_power": "power",
    "reactive_power": "power",
    "carbon_dioxide": "co2",
    "volatile_organic_compounds": "voc",
    "volatile_organic_compounds_parts": "voc",
    "pm1": "pm",
    "pm25": "pm",
    "pm10": "pm",
    "precipitation": "rain",
    "precipitation_intensity": "rain",
    "wind_speed": "speed",
    "wind_direction": "direction",
    "signal_strength": "signal",
    "door": "opening",
    "window": "opening",
    "garage_door": "opening",
    "occupancy": "motion",
    "presence": "motion",
    "water": "volume",
    "gas": "volume",
    "volume_storage": "volume",
    "energy_storage": "energy",
    "volume_flow_rate": "flow",
}
_SWITCHED = frozenset(("binary_sensor", "switch", "light", "fan", "siren", "humidifier"))
MOST_SOURCES = 20
"""Topics that together say whether a device is there."""
ORDER_KEYS = (
    "command_topic", "_cmd_t", "set_position_topic", "set_pos_t", "set_fan_speed_topic", "set_fan_spd_t",
)  # fmt: skip
"""How the keys end under which topics stand that Home Assistant writes to."""
MOST_ORDERS = 20
LONGEST_LABEL = 120
_LONGEST_INTERVAL = 7 * 86_400


class Entity(NamedTuple):
    """One component of a discovery message."""

    component: str
    name: str
    """The object id, or the key in a bundle."""
    keys: dict[str, Any]


def announce(content: Content, base: str, component: str, node: str, name: str) -> Decoded:
    """What a discovery message announces; an empty one takes it back."""
    decoded = Decoded(FAMILY)
    document = content.object
    if document is None:
        decoded.announcements.append(Announcement(FAMILY, content.topic, None))
        return decoded
    whole = expanded(document)
    device = device_of(whole)
    entities = _entities(whole, component, name)
    called = _text(device.get("name"))
    points = [point for entity in entities for point in _points(entity, whole, called)]
    away = _availability(whole, whole) or [one for entity in entities for one in _availability(entity.keys, whole)]
    identifier, is_device = _identity(device), True
    if not identifier:
        identifier, is_device = _text(whole.get("unique_id")), False
    data: dict[str, Any] = {"id": identifier, "facts": _facts(device), "points": points}
    _place(decoded, content, data, base, name if component != "device" else node or name, is_device=is_device)
    if away:
        data["away"] = list({one["topic"]: one for one in away}.values())[:20]
        mode = whole.get("availability_mode")
        data["mode"] = mode if isinstance(mode, str) and mode in {"all", "any"} else "latest"
    if via := _text(device.get("via_device")):
        data["via"] = [f"{base}#{via}", via]
    topics = dict.fromkeys(one["topic"] for one in [*points, *away])
    if orders := _orders(entities, whole, topics):
        data["orders"] = orders
        topics |= dict.fromkeys(orders)
    if topics:
        decoded.announcements.append(Announcement(FAMILY, content.topic, data, tuple(topics)[:MOST_TOPICS]))
    if data["facts"]:
        ref = DeviceRef(data["key"] or f"{base}#{data['id']}", data["id"], *data.get("via", ()))
        decoded.facts.append(DecodedFacts(ref, data["facts"]))
    return decoded


def _place(decoded: Decoded, content: Content, data: dict[str, Any], base: str, name: str, *, is_device: bool) -> None:
    """The key under which readings of no other family are kept, and how their topics are called there."""
    points = data["points"]
    data["key"] = ""
    if not points:
        data["id"] = data["id"] or name
        return
    topic = points[0]["topic"]
    is_whole = is_generic(topic) or any(one["is_json"] for one in points)
    if not data["id"]:
        data["id"] = (bare(topic).rpartition("/")[2] if is_whole else name)[:NAME_LENGTH]
        data["key"] = bare(topic) if is_generic(topic) else topic if is_whole else ""
        for one in points:
            one["slot"] = "" if one["is_json"] else name
    elif is_device or is_whole:
        slots = Slots(content.memory, data["id"], topic)
        data["key"] = slots.key
        for one in points:
            one["slot"] = slots.of(one["topic"], name, is_json=one["is_json"])
        decoded.announcements += slots.news()


def _entities(whole: dict[str, Any], component: str, name: str) -> list[Entity]:
    if component != "device":
        return [Entity(component, name, whole)]
    components = whole.get("components")
    shared = {key: value for key, value in whole.items() if key not in {"components", "device", "origin", "~"}}
    found = []
    for key, inner in list(components.items())[:MOST_COMPONENTS] if isinstance(components, dict) else ():
        if isinstance(inner, dict):
            keys = shared | expanded({"~": whole.get("~")} | inner)
            found.append(Entity(_text(keys.get("platform")), clean(key)[:NAME_LENGTH], keys))
    return found


def _orders(entities: list[Entity], whole: dict[str, Any], listened: dict[str, None]) -> list[str]:
    """Topics on which only commands come, unless their names say so anyway."""
    said = (value for one in entities for key, value in one.keys.items() if key.endswith(ORDER_KEYS))
    filled = dict.fromkeys(base_filled(value, whole) for value in said)
    return [
        topic
        for topic in filled
        if 0 < len(topic) <= MOST_BYTES_OF_TOPIC
        and "\0" not in topic
        and topic not in listened
        and not ignored.DECODER.knows_topic(topic)
    ][:MOST_ORDERS]


def _points(entity: Entity, whole: dict[str, Any], device: str) -> list[dict[str, Any]]:
    keys = entity.keys
    found: list[dict[str, Any]] = []
    for name, key, template_key, kind, unit in ASPECTS:
        topic = base_filled(keys.get(f"{key}_topic"), whole)
        if not topic or len(topic) > MOST_BYTES_OF_TOPIC or "\0" in topic:
            continue
        if name in ALONE and any(one["topic"] == topic for one in found):
            continue
        source = _source(keys, template_key)
        point: dict[str, Any] = {"topic": topic, "slot": "", "name": name or entity.name}
        point["is_json"] = _is_json(name, keys, source)
        if source:
            point["template"] = source
            if reason := template(source).reason:
                point["left_out"] = reason
        if name:
            point |= {"kind": kind, "unit": _aspect_unit(unit, keys)}
        else:
            point |= _main(entity, device)
        found.append({key: value for key, value in point.items() if value != "" or key == "slot"})
    return found


def _label(name: str, device: str) -> str:
    """How an entity is called at its device: without the device's name, as Home Assistant shows it there."""
    if device and name.casefold().startswith(device.casefold()):
        name = name[len(device) :].strip(" -_:/.") or name
    return name[:LONGEST_LABEL]


def _main(entity: Entity, device: str) -> dict[str, Any]:
    """Name, unit, kind, words and interval of an entity's own state."""
    keys = entity.keys
    device_class = _text(keys.get("device_class"))
    found: dict[str, Any] = {
        "label": _label(_text(keys.get("name")), device),
        "unit": spelled(_text(keys.get("unit_of_measurement"))),
        "kind": _KINDS.get(device_class, device_class)[:40],
    }
    if entity.component in _SWITCHED:
        found["on"] = _word(keys.get("state_on", keys.get("payload_on", "ON")))
        found["off"] = _word(keys.get("state_off", keys.get("payload_off", "OFF")))
    seconds = keys.get("expire_after")
    if isinstance(seconds, int) and 0 < seconds <= _LONGEST_INTERVAL:
        found["interval"] = seconds
    return found


def _is_json(name: str, keys: dict[str, Any], source: str) -> bool:
    """Whether the whole of a topic's JSON belongs to the device."""
    return name == "attributes" or "value_json" in source or (not name and keys.get("schema") == "json")


def _source(keys: dict[str, Any], key: str) -> str:
    source = keys.get(key) or (keys.get("state_value_template") if key == "value_template" else "")
    return source[:LONGEST] if isinstance(source, str) and "\0" not in source else ""


def _aspect_unit(unit: str, keys: dict[str, Any]) -> str:
    if unit != "°":
        return unit
    said = keys.get("temperature_unit")
    return {"C": "°C", "F": "°F"}.get(said, "") if isinstance(said, str) else ""


def _availability(keys: dict[str, Any], whole: dict[str, Any]) -> list[dict[str, Any]]:
    listed = keys.get("availability")
    some = listed[:MOST_SOURCES] if isinstance(listed, list) else [listed]
    entries = [expanded(one) for one in some if isinstance(one, dict)]
    if isinstance(keys.get("availability_topic"), str):
        entries.append(
            keys | {"topic": keys["availability_topic"], "value_template": keys.get("availability_template")}
        )
    found = []
    for one in entries:
        topic = base_filled(one.get("topic"), whole)
        if topic and len(topic) <= MOST_BYTES_OF_TOPIC and "\0" not in topic:
            on, off = one.get("payload_available", "online"), one.get("payload_not_available", "offline")
            source = _source(one, "value_template")
            found.append({"topic": topic, "template": source, "on": _word(on), "off": _word(off)})
    return found


def _identity(device: dict[str, Any]) -> str:
    identifiers = device.get("identifiers")
    for one in identifiers if isinstance(identifiers, list) else [identifiers]:
        if said := _text(one):
            return said
    return _address(device)


def _address(device: dict[str, Any]) -> str:
    connections = device.get("connections")
    for one in connections if isinstance(connections, list) else ():
        if isinstance(one, list) and len(one) == 2 and (said := _text(one[1])):
            return said
    return ""


def _facts(device: dict[str, Any]) -> dict[str, Any]:
    facts = {fact: said for key, fact in _FACTS.items() if (said := _text(device.get(key)))}
    if address := _address(device):
        facts["mac"] = address
    return facts


def _text(value: Any) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return clean(str(value)).strip()[:NAME_LENGTH]
    return ""


def _word(value: Any) -> str:
    """A payload as it is compared: JSON booleans as words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value)
