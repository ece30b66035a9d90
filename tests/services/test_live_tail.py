"""Live tails with a real mqtt process, a real broker and real Valkey, watched through a page's socket."""

import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from mqtt.events import TailWanted
from mqtt.models import DiscoveredTopic
from mqtt.services.holding.live_tail import MOST_TAILS, LiveTails
from tests import servers
from tests.live_sockets import open_page
from tests.services.mqtt_processes import Start, create, wait_status
from tests.services.sessions import publish

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mosquitto,
    pytest.mark.usefixtures("valkey"),
]

threaded = sync_to_async(thread_sensitive=False)


def ask(topic_filter: str) -> str:
    return json.dumps({"action": "tail", "filter": topic_filter})


async def test_what_is_watched_is_shown_and_stored_nowhere(
    start: Start, own_broker: servers.Server, operator: Any
) -> None:
    connection = await sync_to_async(create)(own_broker, "a/#")
    start("one")
    await sync_to_async(wait_status)(connection, "connected")
    async with open_page(f"/ws/tail/{connection.pk}/", operator) as socket:
        await socket.send_to(text_data=ask("other/#"))
        frame = ""
        for attempt in range(400):
            await threaded(publish)(own_broker.port, "other/x", f"<b>{attempt}</b>")
            frames = await socket.settle(0.3)
            frame = next((one for one in frames if "other/x" in one), "")
            if frame:
                break
        assert "&lt;b&gt;" in frame
        assert frame.startswith('<tbody hx-swap-oob="afterbegin:#tail-rows">')
    assert not await DiscoveredTopic.objects.filter(topic__startswith="other").aexists()


async def test_a_viewer_and_another_page_are_not_shown_raw_messages(viewer: Any, operator: Any) -> None:
    from tests import factories  # needs Django's registry

    connection = await sync_to_async(factories.make_connection)()
    for path, user in ((f"/ws/tail/{connection.pk}/", viewer), (f"/ws/connections/{connection.pk}/", operator)):
        async with open_page(path, user) as socket:
            await socket.send_to(text_data=ask("#"))
            frames = await socket.settle(0.5)
            assert not any("tail-rows" in frame for frame in frames)


def test_tails_are_bounded_and_end_with_the_last_watcher(own_broker: servers.Server, monkeypatch: Any) -> None:
    connection = create(own_broker, "a/#")
    tails = LiveTails()
    for number in range(MOST_TAILS + 5):
        tails.want(TailWanted(connection_id=connection.pk, topic_filter=f"t/{number}"))
    assert not tails.want(TailWanted(connection_id=connection.pk, topic_filter="bad/#/filter"))
    assert not tails.want(TailWanted(connection_id=connection.pk, topic_filter="t/1"))
    tails.follow([connection.pk])
    running = list(tails._tails.values())
    assert len(running) == MOST_TAILS
    monkeypatch.setattr("mqtt.services.holding.live_tail.PATIENCE", 0.0)
    tails.follow([connection.pk])
    assert not tails._tails
    servers.wait_for(lambda: all(one.has_ended for one in running), what="the tails' end")


def test_a_flood_is_thinned_out_and_counted(own_broker: servers.Server, monkeypatch: Any) -> None:
    said: list[Any] = []
    monkeypatch.setattr("mqtt.services.holding.live_tail.send_event", lambda _group, event: said.append(event))
    connection = create(own_broker, "a/#")
    tails = LiveTails()
    tails.want(TailWanted(connection_id=connection.pk, topic_filter="flood/#"))
    tails.follow([connection.pk])
    for _ in range(1000):
        publish(own_broker.port, "flood/x", "y" * 2000)
        if said:
            break
        time.sleep(0.05)
    publish(own_broker.port, "flood/x", "y" * 2000, "--repeat", "60")
    servers.wait_for(lambda: any(event.skipped for event in said), what="the count of the rest")
    tails.stop()
    assert max(len(event.messages) for event in said) <= 5
    assert {len(message["payload"]) for event in said for message in event.messages} == {1000}
