"""Links to brokers; the only room that imports paho."""

from mqtt.services.mqtt_connection.client import OWN_WILL
from mqtt.services.mqtt_connection.link import OWN_BIRTH, Link, LinkListener

__all__ = ["OWN_BIRTH", "OWN_WILL", "Link", "LinkListener"]
