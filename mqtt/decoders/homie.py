"""The Homie convention, versions 3, 4 and 5: `<base>/<device>/<node>/<property>`, attributes begin with `$`.

Source: homieiot/convention. Versions 3 and 4 announce each attribute in a topic of its own, version 5 all of them in
one `$description`. A property's `$target` is what is wished, not what is.
"""

from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from, said
from mqtt.decoders.memory import Key
from mqtt.decoders.walk import NUMBER
from mqtt.decoders.words import meaning
from mqtt.enums import Availability
from mqtt.exceptions import UndecodableError
from mqtt.messages import Announcement, Decoded, DecodedAvailability, DecodedFacts, DeviceRef

FAMILY = "homie"
BASES = "bases"
USUAL_BASES = ("homie", "/homie", "valetudo")
STATES = {
    "ready": Availability.ONLINE,
    "alert": Availability.ONLINE,
    "disconnected": Availability.OFFLINE,
    "lost": Availability.OFFLINE,
}
"""`init` says nothing yet; `sleeping` is no fault, and the device's own rhythm tells when it is late."""
FACTS = {
    "$name": "name",
    "$fw/name": "type",
    "$fw/version": "firmware",
    "$localip": "ip",
    "$mac": "mac",
    "$implementation": "model",
    "$stats/signal": "signal_percent",
    "$stats/uptime": "uptime",
    "$stats/interval": "interval",
}
DESCRIBED = {"name": "name", "type": "type", "version": "description_version"}
MOST_PROPERTIES = 1000


class HomieDecoder:
    """Devices that follow the Homie convention."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """Any with three levels; the base is configurable."""
        return topic.count("/") >= 2

    def needs(self, topic: str) -> Key | None:
        """A base of its own, where it is not the usual one and not announced here."""
        is_usual = topic.endswith("/$homie") or topic.startswith(tuple(f"{base}/" for base in USUAL_BASES))
        return None if is_usual else (FAMILY, BASES)

    def claims(self, content: Content) -> bool:
        """What lies below `homie`, or below a base whose device said that it speaks Homie."""
        base = _base_of(content)
        if content.is_structure and content.topic.startswith("valetudo/") and content.topic.count("/") == 2:
            return False  # the state of older versions, which did not speak Homie
        return bool(base)

    def decode(self, content: Content) -> Decoded:
        """A value, an attribute, or nothing."""
        base = _base_of(content)
        levels = content.topic[len(base) + 1 :].split("/")
        if levels[0] == "5":
            base, levels = f"{base}/5", levels[1:]
        decoded = Decoded(self.name)
        if len(levels) < 2 or not levels[0] or levels[0].startswith("$"):
            return decoded  # broadcasts
        key = f"{base}/{levels[0]}"
        root = said(content.memory.get(FAMILY, key), "root")
        behind = (f"{base}/{root}", root) if root else ()
        _read(content, DeviceRef(key, levels[0], *behind), levels[1:], decoded)
        return decoded


def _base_of(content: Content) -> str:
    topic = content.topic
    for base in USUAL_BASES:
        if topic.startswith(f"{base}/"):
            return base
    for base in content.memory.get(FAMILY, BASES) or ():
        if topic.startswith(f"{base}/"):
            return str(base)
    if topic.endswith("/$homie") and content.message.payload[:1].isdigit():
        return topic.removesuffix("/$homie").rpartition("/")[0]
    return ""


def _read(content: Content, device: DeviceRef, levels: list[str], decoded: Decoded) -> None:
    if levels[0].startswith("$"):
        _device_attribute(content, device, "/".join(levels), decoded)
    elif len(levels) == 3 and levels[2] in {"$unit", "$datatype"} and not content.is_empty:
        place = f"{device.key}/{levels[0]}/{levels[1]}"
        known = {**(content.memory.get(FAMILY, place) or {}), levels[2][1:]: content.text[:40]}
        decoded.announcements.append(Announcement(FAMILY, place, known))
    elif len(levels) == 2 and not levels[1].startswith("$") and not content.is_empty:
        _value(content, device, levels[0], levels[1], decoded)


def _value(content: Content, device: DeviceRef, node: str, name: str, decoded: Decoded) -> None:
    known = content.memory.get(FAMILY, f"{device.key}/{node}/{name}") or {}
    datatype = known.get("datatype", "")
    text = content.text
    if content.is_structure and datatype not in {"string", "enum"}:
        raise UndecodableError("no_values")
    is_text = datatype in {"string", "enum", "color", "datetime", "duration"}
    value: Any = {"true": True, "false": False}.get(text, text) if not is_text else text
    unit = known.get("unit") or meaning(name).unit
    add(decoded, device, f"{node}.{name}", value, unit=unit, numbers=not is_text)


def _device_attribute(content: Content, device: DeviceRef, attribute: str, decoded: Decoded) -> None:
    if content.is_empty:
        return
    if attribute == "$state":
        availability = STATES.get(content.text.lower())
        if availability is not None:
            decoded.availability.append(DecodedAvailability(device, availability, announces=True))
            if (content.memory.get(FAMILY, device.key) or {}).get("has_children"):
                decoded.availability.append(DecodedAvailability(DeviceRef(*device[:2]), availability, is_gateway=True))
    elif attribute == "$description":
        _description(content, device, decoded)
    elif attribute == "$homie":
        base = device.key.rpartition("/")[0].removesuffix("/5")
        if base not in USUAL_BASES:
            bases = {**(content.memory.get(FAMILY, BASES) or {}), base: True}
            decoded.announcements.append(Announcement(FAMILY, BASES, bases))
    elif attribute in FACTS and (text := content.text[:250]):
        value = float(text) if attribute == "$stats/interval" and NUMBER.fullmatch(text) else text
        decoded.facts.append(DecodedFacts(device, {FACTS[attribute]: value}))


def _description(content: Content, device: DeviceRef, decoded: Decoded) -> None:
    found = content.object
    if found is None:
        raise UndecodableError("no_values")
    children = found.get("children")
    tree = {"root": said(found, "root"), "has_children": bool(isinstance(children, list) and children)}
    decoded.announcements.append(Announcement(FAMILY, device.key, tree))
    root = tree["root"]
    base = device.key.rpartition("/")[0]
    known = device._replace(gateway_key=f"{base}/{root}", gateway_identifier=str(root)) if root else device
    facts = facts_from(found, DESCRIBED)
    facts.pop("description_version", None)
    decoded.facts.append(DecodedFacts(known, facts, announces=True))
    for node, described in _objects(found.get("nodes")):
        for name, one in _objects(described.get("properties")):
            if len(decoded.announcements) > MOST_PROPERTIES:
                return
            data = {key: text for key in ("unit", "datatype") if (text := said(one, key)[:40])}
            decoded.announcements.append(Announcement(FAMILY, f"{device.key}/{node}/{name}", data))


def _objects(found: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, one) for name, one in found.items() if isinstance(one, dict)] if isinstance(found, dict) else []


DECODER = HomieDecoder()
