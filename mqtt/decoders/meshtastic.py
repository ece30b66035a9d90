"""Meshtastic: `msh/<region>/2/json/<channel>/<gateway>`, packets of the mesh as a gateway heard them.

Source: meshtastic.org, integrations/mqtt. A node is its number in hexadecimal. Texts are letters, not readings; where
a node is may be where a person is, so positions are left out.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, facts_from, told
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

TOPIC = re.compile(r"((?:[^/]+/){0,4}msh(?:/[^/]+){1,5}?)/2/json/([^/]+)/(![0-9a-f]{1,8}|[^/]+)", re.DOTALL)
UNITS = {
    "battery_level": "%", "voltage": "V", "channel_utilization": "%", "air_util_tx": "%", "temperature": "°C",
    "relative_humidity": "%", "barometric_pressure": "hPa", "current": "A", "lux": "lx", "wind_speed": "m/s",
    "wind_direction": "°", "pm10_standard": "µg/m³", "pm25_standard": "µg/m³", "pm100_standard": "µg/m³",
    "voltage_ch1": "V", "voltage_ch2": "V", "voltage_ch3": "V", "current_ch1": "mA", "current_ch2": "mA",
    "current_ch3": "mA", "rainfall_1h": "mm", "rainfall_24h": "mm",
}  # fmt: skip


class MeshtasticDecoder:
    """Telemetry of nodes behind a gateway of the mesh."""

    name = "meshtastic"

    def knows_topic(self, topic: str) -> bool:
        """The JSON branch."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Packets with a sender."""
        found = content.object
        return found is not None and isinstance(found.get("from"), int)

    def decode(self, content: Content) -> Decoded:
        """Telemetry as readings, what the node says of itself as facts."""
        decoded = Decoded(self.name)
        match, found = TOPIC.fullmatch(content.topic), content.object or {}
        number = found.get("from")
        if match is None or not isinstance(number, int):
            return decoded
        base, gateway = match[1], clean(match[3])[:NAME_LENGTH]
        who = f"!{number & 0xFFFFFFFF:08x}"
        device = DeviceRef(f"{base}#{who}", who, f"{base}#gateway:{gateway}", gateway)
        payload, kind = found.get("payload"), found.get("type")
        facts = facts_from(found, {"rssi": "rssi", "snr": "snr"})
        if isinstance(payload, dict) and kind == "telemetry":
            time_us = content.time(found.get("timestamp"))
            for name, leaf in each(payload):
                if name == "uptime_seconds":
                    facts |= told(uptime=leaf)
                else:
                    add(decoded, device, name, leaf, unit=UNITS.get(name, ""), time_us=time_us)
        elif isinstance(payload, dict) and kind == "nodeinfo":
            facts |= facts_from(payload, {"longname": "name", "hardware": "hardware"})
        decoded.facts.append(DecodedFacts(device, facts))
        return decoded


DECODER = MeshtasticDecoder()
