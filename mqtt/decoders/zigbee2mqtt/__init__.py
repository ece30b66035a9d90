"""Zigbee2MQTT: `<base>/<friendly name>` and `<base>/bridge/…`.

The coordinator is the gateway, each Zigbee device a datalogger. Names, units and other base topics than
`zigbee2mqtt` come from what the bridge announces. A device keeps the key of its first name, so that a rename
keeps its history; the IEEE address says who is who.
"""

from mqtt.decoders.zigbee2mqtt.decoder import DECODER

__all__ = ["DECODER"]
