"""Z-Wave JS UI: `<prefix>/[<location>/]<node>/<command class>/<endpoint>/<property>`, a value with its time or bare.

Source: the project's documentation, guide/mqtt and guide/homeassistant. Command classes stand by number or by name
(`sensor_multilevel`). The whole ValueId may be sent instead of the value: then unit and label come along.
"""

import re
from typing import Any

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, said
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.units import spelled
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

CLASSES = {
    "37": "switch_binary", "38": "switch_multilevel", "48": "sensor_binary", "49": "sensor_multilevel", "50": "meter",
    "64": "thermostat_mode", "66": "thermostat_operatingstate", "67": "thermostat_setpoint",
    "68": "thermostat_fan_mode",
    "98": "lock", "112": "configuration", "113": "notification", "114": "manufacturer_specific", "128": "battery",
    "132": "wake_up", "134": "version", "51": "color", "91": "central_scene", "32": "basic", "135": "indicator",
    "156": "alarm_sensor", "102": "barrier", "43": "scene_activation", "117": "protection",
}  # fmt: skip
TOPIC = re.compile(
    rf"(.+/([^/]+))/(\d{{2,3}}|{'|'.join(CLASSES.values())})/(?:endpoint_)?(\d{{1,3}})/([^/].*)",
    re.DOTALL,
)
NODE = re.compile(r"(.+/([^/]+))/(status|nodeinfo|lastActive)", re.DOTALL)
INNER = frozenset(("configuration", "manufacturer_specific", "version", "wake_up", "indicator", "protection"))
"""Settings and identity; they change when somebody changes them."""
NODE_FACTS = {"manufacturer": "manufacturer", "productLabel": "model", "firmwareVersion": "firmware", "name": "name"}


class ZwaveJsDecoder:
    """Nodes of a Z-Wave network."""

    name = "zwave-js"

    def knows_topic(self, topic: str) -> bool:
        """A command class with its endpoint; what nodes say of themselves only below `zwave`."""
        if "/_EVENTS/" in topic or "/_CLIENTS/" in topic:
            return topic.startswith("zwave")
        if topic.startswith("zwave") and NODE.fullmatch(topic):
            return True
        match = TOPIC.fullmatch(topic)
        return match is not None and (topic.startswith("zwave") or "/endpoint_" in topic)

    def claims(self, content: Content) -> bool:
        """All of it."""
        return not content.topic.endswith("/set")

    def decode(self, content: Content) -> Decoded:
        """A value at its time, whether the node is alive, or what it is."""
        decoded = Decoded(self.name)
        topic = content.topic
        if "/_EVENTS/" in topic or "/_CLIENTS/" in topic or content.is_empty:
            return decoded
        match = TOPIC.fullmatch(topic)
        if match is None:
            _node(content, decoded)
            return decoded
        key, who, command, endpoint, path = match.groups()
        device = DeviceRef(key, clean(who)[:NAME_LENGTH])
        command = CLASSES.get(command, command)
        if command in INNER:
            return decoded
        found = content.object
        value: Any = content.text if found is None else found.get("value")
        name = ".".join(part for part in (command, "" if endpoint == "0" else endpoint, path.replace("/", ".")) if part)
        time_us = content.time(found.get("time") or found.get("lastUpdate")) if found else None
        unit = spelled(said(found, "unit")) or ("%" if command == "battery" and path == "level" else "")
        for inner, leaf in each(value, name):
            add(decoded, device, inner, leaf, unit=unit, time_us=time_us, is_switch=True)
        return decoded


def _node(content: Content, decoded: Decoded) -> None:
    match = NODE.fullmatch(content.topic)
    found = content.object
    if match is None or match[3] == "lastActive":
        return
    device = DeviceRef(match[1], clean(match[2])[:NAME_LENGTH])
    if match[3] == "status":
        alive = content.text == "true" if found is None else found.get("value")
        if isinstance(alive, bool):
            availability = Availability.ONLINE if alive else Availability.OFFLINE
            decoded.availability.append(DecodedAvailability(device, availability, announces=True))
    elif found is not None:
        decoded.facts.append(DecodedFacts(device, facts_from(found, NODE_FACTS), announces=True))


DECODER = ZwaveJsDecoder()
