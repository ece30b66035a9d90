"""ESPHome nodes: `<prefix>/<component>/<object>[/<aspect>]/state`; who they are stands in esphome/discover/<name>.

Units stand in Home Assistant's discovery alone; without it only those are known that ESPHome's own components imply.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.base import Content
from mqtt.decoders.gather import facts_from, leaves, reading
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import Meaning, Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

DISCOVER = "esphome/discover/"
_COMPONENTS = words(
    """alarm_control_panel binary_sensor climate cover date datetime event fan light lock media_player number select
    sensor switch text text_sensor time valve water_heater"""
)
_SWITCHED = words("binary_sensor switch light fan")
_CHOSEN = words("select text text_sensor climate cover valve lock media_player")
"""Their words are words, although some say on and off."""
_ASPECT_UNITS = {
    "current_temperature": "°C",
    "target_temperature": "°C",
    "target_temperature_low": "°C",
    "target_temperature_high": "°C",
    "current_humidity": "%",
    "target_humidity": "%",
    "position": "",
    "tilt": "",
}
"""ESPHome's temperatures are in °C whatever the screen shows."""
_FACTS = {
    "friendly_name": "name",
    "name": "hostname",
    "mac": "mac",
    "ip": "ip",
    "version": "firmware",
    "board": "model",
    "platform": "hardware",
    "project_name": "product",
    "project_version": "product_version",
}
_UPTIME = re.compile(r"(?:.*_)?uptime(?:_sensor|_seconds|_s)?")
_SUN = re.compile(r"(?:.*_)?sun_(?:elevation|azimuth)")
_WIFI = re.compile(r"(?:.*_)?(?:wi_?fi|rssi)(?:_signal(?:_strength|_sensor|_db)?|_strength)?(?:_sensor)?")
_NO_VALUE = frozenset(("", "nan", "inf", "-inf", "unknown", "unavailable"))


class Spot(NamedTuple):
    """What a state topic says."""

    device: DeviceRef
    component: str
    name: str
    aspect: str


@lru_cache(maxsize=20_000)
def spot(topic: str) -> Spot | None:
    """The spot of a state topic."""
    if not topic.endswith("/state"):
        return None
    levels = topic.split("/")
    for length in (3, 4):
        at = len(levels) - length
        if at > 0 and levels[at] in _COMPONENTS and levels[at + 1] and any(levels[:at]):
            prefix = "/".join(levels[:at])
            aspect = levels[at + 2] if length == 4 else ""
            device = DeviceRef(prefix, clean(prefix.strip("/"))[:NAME_LENGTH])
            return Spot(device, levels[at], clean(levels[at + 1]), clean(aspect))
    return None


class EspHomeDecoder:
    """States and discovery."""

    name = "esphome"

    def knows_topic(self, topic: str) -> bool:
        """A component, an object, `state`; or the announcement of a node."""
        return topic.startswith(DISCOVER) or spot(topic) is not None

    def claims(self, _content: Content) -> bool:
        """Everything there."""
        return True

    def decode(self, content: Content) -> Decoded:
        """Readings, or the facts of a node."""
        decoded = Decoded(self.name)
        if content.topic.startswith(DISCOVER):
            name = clean(content.topic.removeprefix(DISCOVER))[:NAME_LENGTH]
            facts = facts_from(content.object or {}, _FACTS)
            if facts and name:
                decoded.facts.append(DecodedFacts(DeviceRef(name, name), facts))
            return decoded
        where = spot(content.topic)
        if where is None:
            raise UndecodableError("no_values")
        if content.is_structure and isinstance(content.document, dict):
            for name, key, value in leaves(content.document, f"{where.name}."):
                means = meaning(key)
                one = reading(where.device, name, value, "", means.kind, is_switch=key == "state")
                decoded.readings += [one] if one else []
        elif content.text.lower() not in _NO_VALUE:
            _bare(decoded, where, content.text)
        return decoded


def _bare(decoded: Decoded, where: Spot, text: str) -> None:
    name = f"{where.name}.{where.aspect}" if where.aspect else where.name
    means = _meaning(where.aspect or where.name)
    is_switch = where.component in _SWITCHED and not where.aspect
    is_text = where.component in _CHOSEN and not where.aspect
    one = reading(where.device, name, text, means.unit, means.kind, is_switch=is_switch, is_text=is_text)
    if one is None:
        return
    if one.value is not None and one.unit == "" and -120 <= one.value < 0 and _WIFI.fullmatch(where.name.lower()):
        one.unit, one.kind = "dBm", "signal"
        decoded.facts.append(DecodedFacts(where.device, {"rssi": one.value}))
    decoded.readings.append(one)


@lru_cache(maxsize=5000)
def _meaning(name: str) -> Meaning:
    plain = name.lower()
    if plain in _ASPECT_UNITS:
        return Meaning(Role.VALUE, _ASPECT_UNITS[plain], meaning(name).kind)
    if _UPTIME.fullmatch(plain):
        return Meaning(Role.VALUE, "s")
    if _SUN.fullmatch(plain):
        return Meaning(Role.VALUE, "°", "angle")
    return meaning(name)


DECODER = EspHomeDecoder()
