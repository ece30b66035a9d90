"""What Tasmota announces below tasmota/discovery/<MAC>: its topics and names (config), its units (sensors)."""

from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.tasmota.quantities import UNIT_KEYS
from mqtt.decoders.tasmota.spots import FAMILY, node_of, topics_of
from mqtt.messages import Announcement, Decoded, DecodedFacts

PREFIX = "tasmota/discovery/"
_FACTS = {"dn": "name", "ip": "ip", "hn": "hostname", "mac": "mac", "md": "model"}
LONGEST = 200


def discovery(content: Content) -> Decoded:
    """The announcements of one message; an empty one takes them back."""
    decoded = Decoded(FAMILY)
    address, _, what = content.topic.removeprefix(PREFIX).partition("/")
    document = content.object
    if what == "sensors":
        decoded.announcements.append(_sensors(content, address, document))
    elif document is None:
        decoded.announcements.append(Announcement(FAMILY, address, None))
    elif isinstance(document.get("t"), str) and document["t"]:
        _config(decoded, content, address, document)
    return decoded


def _config(decoded: Decoded, content: Content, address: str, document: dict[str, Any]) -> None:
    prefixes = document.get("tp")
    if not isinstance(prefixes, list) or len(prefixes) < 3 or not all(isinstance(one, str) for one in prefixes):
        prefixes = ["cmnd", "stat", "tele"]
    node, tele, stat = node_of(_text(document, "ft") or "%prefix%/%topic%/", prefixes, document["t"])
    facts = {fact: said for key, fact in _FACTS.items() if (said := _text(document, key))}
    if firmware := _text(document, "sw") or _text(document, "bd"):
        facts["firmware"] = firmware
    decoded.facts.append(DecodedFacts(node, facts, announces=True))
    states = document.get("state", document.get("st"))
    topics = topics_of(tele, stat)
    config = {
        "node": node.key,
        "topic": node.identifier,
        "tele": tele,
        "stat": stat,
        "online": _text(document, "onln") or _text(document, "on") or "Online",
        "offline": _text(document, "ofln") or _text(document, "of") or "Offline",
        "states": [one for one in states[:2] if isinstance(one, str)] if isinstance(states, list) else [],
        "sleeps": document.get("dslp") == 1,
    }
    decoded.announcements.append(Announcement(FAMILY, address, config, topics))
    units = content.memory.get(FAMILY, f"{address}/sensors")
    if units is not None:
        decoded.announcements.append(Announcement(FAMILY, f"{address}/sensors", units, topics))


def _sensors(content: Content, address: str, document: dict[str, Any] | None) -> Announcement:
    key = f"{address}/sensors"
    sensors = document.get("sn") if document else None
    if not isinstance(sensors, dict):
        return Announcement(FAMILY, key, None)
    units = {one: sensors[one][:20] for one in UNIT_KEYS if isinstance(sensors.get(one), str)}
    config = content.memory.get(FAMILY, address)
    if config is not None:
        return Announcement(FAMILY, key, units, topics_of(config["tele"], config["stat"]))
    name = f"tasmota_{address[-6:]}"  # the topic that a device has before anybody gives it another
    topics = topics_of(f"tele/{name}/", f"stat/{name}/") + topics_of(f"{name}/tele/", f"{name}/stat/")
    return Announcement(FAMILY, key, units, topics)


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return clean(value)[: min(NAME_LENGTH, LONGEST)] if isinstance(value, str) else ""
