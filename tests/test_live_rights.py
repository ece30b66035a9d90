"""Who may open which socket, walked over every page that has one, and what becomes of open ones when a right goes."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session

from mqtt.live import FORBIDDEN, LOGGED_OUT, current_hub
from mqtt.pages import REGISTRY
from tests import factories
from tests.live_sockets import Socket, connect, open_page, until
from tests.servers import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

db = database_sync_to_async
KINDS = ("connection", "gateway", "datalogger", "sensor", "site", "topic")


def make_things() -> dict[str, int]:
    """One of each kind of thing that a page shows, by kind."""
    site = factories.make_site()
    connection = factories.make_connection(site=site)
    gateway = factories.make_gateway(connection)
    datalogger = factories.make_datalogger(gateway=gateway)
    rows = (connection, gateway, datalogger, factories.make_sensor(datalogger), site, factories.make_topic(connection))
    return {kind: row.pk for kind, row in zip(KINDS, rows, strict=True)}


async def every_path() -> list[str]:
    """The address of each page's socket; a page that is added is walked too."""
    things = await db(make_things)()
    return [
        f"/ws/{name}/{things[page.kind]}/" if is_of_one else f"/ws/{name}/"  # type: ignore[attr-defined]
        for (name, is_of_one), page in REGISTRY.items()
    ]


async def closed(socket: Socket) -> int:
    """The code that the socket is closed with."""
    async with asyncio.timeout(PATIENCE):
        while (message := await socket.receive_output(PATIENCE))["type"] != "websocket.close":
            pass
    return int(message["code"])


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
async def test_every_socket_is_open_to_every_role(role: str, request: pytest.FixtureRequest) -> None:
    user = await db(request.getfixturevalue)(role)
    for path in await every_path():
        async with open_page(path, user):
            pass


async def test_no_socket_is_open_to_nobody_or_to_an_account_without_a_role(stranger: Any) -> None:
    for path in await every_path():
        for user, code in ((None, LOGGED_OUT), (stranger, FORBIDDEN)):
            assert (await connect(path, user))[1:] == (False, code), path


async def test_an_account_that_was_switched_off_opens_nothing(viewer: Any) -> None:
    paths = await every_path()
    viewer.is_active = False
    await db(viewer.save)()
    for path in paths:
        assert (await connect(path, viewer))[1:] == (False, LOGGED_OUT), path


@pytest.mark.parametrize("loss", ["role", "account", "session"])
async def test_every_open_socket_closes_when_the_right_goes(loss: str, operator: Any) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(open_page(path, operator)) for path in await every_path()]
        if loss == "role":
            await db(operator.groups.clear)()
        elif loss == "account":
            operator.is_active = False
            await db(operator.save)()
        else:
            await db(Session.objects.all().delete)()
        codes = {await closed(socket) for socket in sockets}
    assert codes == {LOGGED_OUT}


async def test_only_who_may_watch_hears_raw_messages_and_no_longer_than_that(viewer: Any, operator: Any) -> None:
    connection = await db(factories.make_connection)()
    path = f"/ws/tail/{connection.pk}/"
    asked = json.dumps({"action": "tail", "filter": "#"})
    async with open_page(path, viewer) as looking, open_page(path, operator) as watching:
        for socket in (looking, watching):
            await socket.send_to(text_data=asked)
        hub = current_hub()
        await until(lambda: any(one.watching for one in hub.consumers))
        assert [one.viewer.user.pk for one in hub.consumers if one.watching] == [operator.pk]
        await db(operator.groups.set)(await db(lambda: list(Group.objects.filter(name="viewer")))())
        await until(lambda: not any(one.watching for one in hub.consumers))
