"""Tasmota, and the devices behind its Bluetooth and Zigbee bridges."""

from mqtt.decoders.tasmota.decoder import DECODER

__all__ = ["DECODER"]
