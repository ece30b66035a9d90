"""What open pages are told of the mqtt processes, without any event and without the database."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async
from django.test import Client

from mqtt import alerts
from mqtt.services import pressure
from mqtt.services.pressure import INDEX, ConnectionPressure, ProcessPressure, Publisher
from tests import factories
from tests.live_sockets import open_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

db = database_sync_to_async


@pytest.fixture(autouse=True)
def _nothing_said(settings: Any) -> Iterator[None]:
    url = settings.CHANNEL_URL

    def forget() -> None:
        pressure._kept = (0.0, "", None)
        with redis.Redis.from_url(url) as client:
            client.delete(INDEX)

    forget()
    yield
    forget()


def say(**values: Any) -> None:
    publisher = Publisher("mill one abc")
    publisher.publish(ProcessPressure(name="mill one abc", at=time.time(), **values))
    publisher.close()
    pressure._kept = (0.0, "", None)


async def test_open_pages_get_a_banner_and_lose_it_when_it_is_over(viewer: Any) -> None:
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        say(behind_seconds=12.0)
        frame = await socket.until('data-alert="behind"')
        assert frame.startswith('<div id="alerts">')
        assert "Storing is behind by <time" in frame
        assert ">12 s</time>" in frame
        say(behind_seconds=0.1)
        assert await socket.until('<div id="alerts"></div>')


async def test_the_banner_speaks_the_readers_language(viewer: Any) -> None:
    async with open_page("/ws/console/", viewer, language="it") as socket:
        await socket.settle()
        say(database_away_seconds=90.0)
        assert 'data-alert="database_away"' in await socket.until('id="alerts"')


async def test_the_connections_page_shows_how_it_flows(viewer: Any) -> None:
    connection = await db(factories.make_connection)()
    one = ConnectionPressure(connection_id=connection.pk, messages_per_second=12.3, waiting=1234, dropped=5)
    async with open_page(f"/ws/connections/{connection.pk}/", viewer) as socket:
        assert "No mqtt process holds this connection" in await socket.until('id="pressure"')
        say(connections=(one,))
        frame = await socket.until("1,234")
        assert "5 messages of QoS 0" in frame
        assert ">mill one<" in frame, "the name that its command line gave it"


async def test_the_overview_shows_what_everything_does_now(viewer: Any) -> None:
    async with open_page("/ws/overview/", viewer) as socket:
        await socket.settle()
        say()
        frame = await socket.until('data-field="messages"')
        assert 'data-field="messages">0<' in frame
        assert 'data-field="lag">–<' in frame, "of nothing there is no delay"
        flows = (
            ConnectionPressure(connection_id=1, status="silent", messages_per_second=12.5, readings_per_second=30.2),
            ConnectionPressure(
                connection_id=2,
                status="disconnected",
                messages_per_second=0.5,
                undecoded_per_second=0.5,
                lag_seconds=2.5,
            ),
        )
        say(connections=flows, waiting=1234)
        frame = await socket.until("1,234")
        for words in (
            '"messages">13<',
            '"readings">30<',
            '"undecoded">0.5<',
            'class="warn">2.5 s<',
            '"up">1 ',
            "1 down",
        ):
            assert words in frame
        assert "Dropped by brokers" not in frame


def test_the_overview_says_that_nothing_is_received_or_that_it_does_not_know(
    client: Client, viewer: Any, settings: Any
) -> None:
    factories.make_connection()
    client.force_login(viewer)
    assert "nothing is received" in client.get("/").content.decode()
    pressure._kept = (0.0, "", None)
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    assert "Not known: Valkey does not answer." in client.get("/").content.decode()


def test_a_page_brings_the_banner_and_the_flow_with_it(client: Client, viewer: Any) -> None:
    connection = factories.make_connection()
    say(behind_seconds=3.0, connections=(ConnectionPressure(connection_id=connection.pk, lag_seconds=3.25),))
    client.force_login(viewer)
    page = client.get(f"/connections/{connection.pk}/").content.decode()
    assert 'data-alert="behind"' in page
    assert "3.2 s" in page or "3.3 s" in page
    assert 'data-alert="behind"' in client.get("/account/").content.decode()


def test_without_valkey_the_flow_is_unknown_and_not_zero(client: Client, viewer: Any, settings: Any) -> None:
    connection = factories.make_connection()
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    client.force_login(viewer)
    assert "Valkey does not answer" in client.get(f"/connections/{connection.pk}/").content.decode()


def test_a_database_that_is_away_says_more_than_a_delay() -> None:
    slow = ProcessPressure(name="slow", at=0, behind_seconds=5.0)
    away = ProcessPressure(name="away", at=0, behind_seconds=30.0, database_away_seconds=20.0)
    assert [one.code for one in alerts.of([slow])] == ["behind"]
    assert [one.code for one in alerts.of([slow, away])] == ["database_away"]
    assert [one.code for one in alerts.of(None, 7.0)] == ["database_away"]
    assert alerts.of([ProcessPressure(name="well", at=0, behind_seconds=1.9)]) == []
    assert alerts.of(None) == []
