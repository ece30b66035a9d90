"""Home Assistant's MQTT discovery: it describes devices of all families, and enriches what their decoders find."""

from mqtt.decoders.homeassistant.decoder import DECODER
from mqtt.decoders.homeassistant.enrich import enrich

__all__ = ["DECODER", "enrich"]
