"""Tasmota, and the devices behind its Bluetooth and Zigbee bridges."""

from mqtt.decoders.tasmota.decoder import DECODER
from mqtt.decoders.tasmota.eq3 import VALVE_DECODER

__all__ = ["DECODER", "VALVE_DECODER"]
