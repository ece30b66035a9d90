"""The open pages of sites: their devices hang on any connection, and people write about the site itself."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from mqtt.events import AvailabilityChanged
from mqtt.models import DataloggerState, Site
from mqtt.services.audit import Actor
from mqtt.services.broadcast import broadcast_event
from mqtt.services.notes import add_note, new_note
from mqtt.services.places import create_site, update_site
from tests import factories
from tests.live_sockets import open_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

db = database_sync_to_async


def take_offline(datalogger: Any) -> None:
    DataloggerState.objects.filter(pk=datalogger.pk).update(availability="offline")
    broadcast_event(AvailabilityChanged(connection_id=datalogger.connection_id, dataloggers=[datalogger.pk]))


async def test_a_note_on_a_site_reaches_every_page_that_shows_it(operator: Any, viewer: Any) -> None:
    site = await db(factories.make_site)()
    async with open_page(f"/ws/sites/{site.pk}/", viewer) as socket:
        await socket.settle()
        await db(add_note)(Actor.of(operator, "web"), new_note(site, text="Scaffolding until <spring>"))
        assert "Scaffolding until &lt;spring&gt;" in await socket.until('id="notes"')


async def test_a_site_counts_its_devices_anew_when_one_goes(viewer: Any) -> None:
    site = await db(factories.make_site)()
    datalogger = await db(factories.make_datalogger)(site=site)
    async with open_page(f"/ws/sites/{site.pk}/", viewer) as socket:
        await socket.settle()
        await db(take_offline)(datalogger)
        await socket.until('id="summary" data-status="offline"')


async def test_the_list_of_sites_shows_a_new_and_a_renamed_one(administrator: Any) -> None:
    actor = Actor.of(administrator, "web")
    async with open_page("/ws/sites/", administrator) as socket:
        await socket.settle()
        site = await db(create_site)(actor, Site(name="Lower weir"))
        await socket.until("Lower weir")
        site.name = "Upper weir"
        await db(update_site)(actor, site, ["name"])
        await socket.until("Upper weir")
