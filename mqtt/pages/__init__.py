"""The live pages of the console; importing this registers all of them."""

from mqtt.pages import connection, devices, lists, overview, sites, topic
from mqtt.pages.base import REGISTRY

__all__ = ["REGISTRY", "connection", "devices", "lists", "overview", "sites", "topic"]
