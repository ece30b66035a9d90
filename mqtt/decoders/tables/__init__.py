"""Rows of values parted by commas, semicolons or tabs, with or without names above them."""

from mqtt.decoders.tables.decoder import DECODER

__all__ = ["DECODER"]
