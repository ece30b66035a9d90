"""OpenBeken: `<device>/<channel>/get` carries what the channel has, whatever the word says; `…/set` is the command."""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import reading
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.vocabulary import words
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

_TOPIC = re.compile(r"((?:[^/]+/)*?)([^/]+)/([^/]+)/get", re.DOTALL)
_CLIENT = re.compile(r"obk[0-9A-Fa-f]{6,12}|OpenBK\w*_[0-9A-Fa-f]{6,12}")
_OWN_CHANNELS = words(
    """led_dimmer led_enableAll led_basecolor_rgb led_finalcolor_rgb led_finalcolor_rgbw led_finalcolor_rgbcw
    led_temperature energycounter energycounter_last_hour energycounter_today energycounter_yesterday"""
)
"""Names that nobody else uses: devices may be renamed."""
_FACTS = {
    "rssi": "rssi",
    "uptime": "uptime",
    "ip": "ip",
    "build": "firmware",
    "mac": "mac",
    "host": "hostname",
    "ssid": "ssid",
    "freeheap": "free_memory",
}
_UNITS = {
    "voltage": ("V", "voltage"),
    "current": ("A", "current"),
    "power": ("W", "power"),
    "energycounter": ("Wh", "energy"),
    "led_dimmer": ("%", ""),
    "temp": ("°C", "temperature"),
}


class OpenBekenDecoder:
    """States of channels and facts, one a topic."""

    name = "openbeken"

    def knows_topic(self, topic: str) -> bool:
        """By the name that a device has from its maker, or by a channel that only it has."""
        match = _TOPIC.fullmatch(topic)
        return match is not None and (_CLIENT.fullmatch(match[2]) is not None or match[3] in _OWN_CHANNELS)

    def claims(self, content: Content) -> bool:
        """Bare values; a question has none."""
        return not content.is_empty and not content.is_structure

    def decode(self, content: Content) -> Decoded:
        """One reading or one fact."""
        before, _, _ = content.topic.rpartition("/")
        key, _, channel = before.rpartition("/")
        device = DeviceRef(key, clean(key.rpartition("/")[2])[:NAME_LENGTH])
        decoded = Decoded(self.name)
        if channel in _FACTS:
            decoded.facts.append(DecodedFacts(device, {_FACTS[channel]: clean(content.text)[:NAME_LENGTH]}))
        elif channel not in {"datetime", "sockets"}:
            unit, kind = _UNITS.get(channel, _UNITS["energycounter"] if channel.startswith("energy") else ("", ""))
            one = reading(device, channel, content.text, unit, kind)
            decoded.readings += [one] if one else []
        return decoded


DECODER = OpenBekenDecoder()
