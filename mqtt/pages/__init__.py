"""The live pages of the console; importing this registers all of them."""

from mqtt.pages import lists, overview
from mqtt.pages.base import REGISTRY, ListPage, ObjectPage, Page, Part, Shown, register

__all__ = ["REGISTRY", "ListPage", "ObjectPage", "Page", "Part", "Shown", "lists", "overview", "register"]
