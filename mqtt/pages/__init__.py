"""The live pages of the console; importing this registers all of them."""

from mqtt.pages import connection, devices, lists, overview, sites, topic
from mqtt.pages.base import REGISTRY, ListPage, ObjectPage, Page, Part, Shown, register

__all__ = [
    "REGISTRY",
    "ListPage",
    "ObjectPage",
    "Page",
    "Part",
    "Shown",
    "connection",
    "devices",
    "lists",
    "overview",
    "register",
    "sites",
    "topic",
]
