"""The hub's thread to the database."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections

from mqtt.live import LiveHub
from mqtt.live.database import HubDatabase
from mqtt.live.render import Order, render
from mqtt.meters import WEBSOCKET_CLIENTS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def server_link() -> Any:
    """What Django's connection of this thread holds."""
    connection.ensure_connection()
    return connection.connection


async def test_the_connection_stays_open_from_one_question_to_the_next() -> None:
    database = HubDatabase()
    try:
        first = await database.ask(server_link)
        assert await database.ask(User.objects.filter(username="nobody").exists) is False
        assert await database.ask(server_link) is first
    finally:
        await database.close()


async def test_after_an_error_the_next_question_opens_a_connection_anew() -> None:
    database = HubDatabase()

    def broken() -> None:
        server_link()
        raise OperationalError("the server is away")

    try:
        first = await database.ask(server_link)
        with pytest.raises(OperationalError, match="is away"):
            await database.ask(broken)
        assert await database.ask(server_link) is not first
        assert await database.ask(User.objects.filter(username="nobody").exists) is False
    finally:
        await database.close()


async def test_its_connection_is_given_back_at_the_end() -> None:
    database = HubDatabase()
    wrapper = await database.ask(lambda: connections["default"])
    await database.ask(server_link)
    assert wrapper.connection is not None
    await database.close()
    assert wrapper.connection is None
    assert isinstance(await database.ask(User.objects.count), int)  # it may be asked again
    await database.close()


async def test_a_page_that_comes_while_the_database_is_away_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> None:
        raise OperationalError("the server is away")

    hub = LiveHub()
    open_before = WEBSOCKET_CLIENTS._value.get()
    monkeypatch.setattr(hub.database, "ask", away)
    with pytest.raises(OperationalError):
        await hub.join(object())
    assert not hub.consumers, "its socket is closed by the error, and nobody says that it left"
    assert WEBSOCKET_CLIENTS._value.get() == open_before


def test_a_database_that_goes_while_pages_are_rendered_is_no_broken_template() -> None:
    def away(*_: Any) -> None:
        raise OperationalError("the server is away")

    page = SimpleNamespace(name="connections", matching=away)
    order = Order(SimpleNamespace(page=page), "en", can_operate=False, rows={("connection", 1)})  # type: ignore[arg-type]
    with pytest.raises(OperationalError):  # the hub asks again: an empty answer would be taken for the truth
        render([order], {})
