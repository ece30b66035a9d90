"""The notes on a thing, as a part of its page."""

from typing import Any

from django.urls import reverse

from mqtt.pages.base import Part, Shown
from mqtt.services.notes import KINDS, notes_on

NOTES = 20


def notes(shown: Shown) -> dict[str, Any]:
    """The newest notes, and where to write one."""
    thing = shown.object
    found = list(notes_on(thing)[: NOTES + 1])
    url = reverse(f"{KINDS[type(thing)]}-note", args=[thing.pk])
    return {"notes": found[:NOTES], "more": len(found) > NOTES, "shown_notes": NOTES, "add_url": url}


NOTES_PART = Part("notes", "mqtt/parts/_notes.html", notes, element="section", every=2.0)
