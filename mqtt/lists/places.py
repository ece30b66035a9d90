"""At which site a device stands: its own, else its gateway's, else its connection's."""

from typing import Any

from django.db.models import Q

from mqtt.models import Datalogger, Gateway, SensorDevice, Site

WAYS: dict[Any, tuple[str, ...]] = {
    Gateway: ("site", "connection__site"),
    Datalogger: ("site", "gateway__site", "connection__site"),
    SensorDevice: ("datalogger__site", "datalogger__gateway__site", "connection__site"),
}
"""The first that leads to a site counts."""


def place_of(device: Gateway | Datalogger | SensorDevice) -> Site | None:
    """The site at which a device stands; lists load what this reads along."""
    for way in WAYS[type(device)]:
        found: Any = device
        for name in way.split("__"):
            found = getattr(found, name, None)
        if found is not None:
            return found  # type: ignore[no-any-return]
    return None


def stands_at(model: Any, site: Site) -> Q:
    """The devices of a kind that stand at a site."""
    found, nowhere_yet = Q(), Q()
    for way in WAYS[model]:
        found |= nowhere_yet & Q(**{way: site})
        nowhere_yet &= Q(**{f"{way}__isnull": True})
    return found


def stands_somewhere(model: Any) -> Q:
    """Those that stand at any site."""
    return ~Q(**{f"{way}__isnull": True for way in WAYS[model]})
