"""Sites, known by their name."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from mqtt.models import Site
from mqtt.services.audit import Actor
from mqtt.services.configuration.sections import (
    CHANGED,
    CREATED,
    SAME,
    Done,
    Row,
    RowError,
    Section,
    assign,
    check_names,
    plain,
)
from mqtt.services.places import SITE_FIELDS, create_site, update_site


def _export(_secrets: bool) -> Iterator[dict[str, Any]]:
    for site in Site.objects.all():
        yield plain(site, SITE_FIELDS)


def _store(actor: Actor, row: Row) -> Done:
    name = check_names(row, SITE_FIELDS)
    site = Site.objects.filter(name=name).first()
    zone = row.get("time_zone")
    if zone and str(zone) not in available_timezones():
        raise RowError(f"time_zone: {zone} is none; write one like Europe/Rome")
    if site is None:
        site = Site()
        assign(site, row, SITE_FIELDS)
        create_site(actor, site)
        return Done(CREATED, name)
    changed = assign(site, row, SITE_FIELDS)
    update_site(actor, site, changed)
    return Done(CHANGED if changed else SAME, name, ", ".join(changed))


def site_named(name: Any) -> Site | None:
    """The site that a row names; None for none. Raises RowError."""
    if name in (None, ""):
        return None
    site = Site.objects.filter(name=str(name)).first()
    if site is None:
        raise RowError(f"there is no site {name}")
    return site


SITES = Section("sites", _export, _store)
