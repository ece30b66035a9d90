"""Both of Channels' layers over Redis carry events, also past a restart of their server."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from redis.exceptions import RedisError

from app import env
from app.queue_layer import QueueLayer
from mqtt import groups
from mqtt.events import StatusUpdate
from mqtt.live import channel
from mqtt.live.channel import HubChannel
from tests import servers


@pytest.mark.parametrize("kind", ["pubsub", "queue"])
async def test_an_event_arrives_once_and_again_after_the_server_was_killed(
    kind: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "PATIENCE", 1.0)
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "valkey.sock"
        settings.CHANNEL_URL = f"unix://{socket}"
        settings.CHANNEL_LAYERS = {"default": env.channel_layer(kind, settings.CHANNEL_URL)}
        channel_layers.backends.clear()
        heard: list[dict[str, Any]] = []
        found: list[bool] = []
        server = servers.valkey(socket)
        hub = HubChannel(heard.append, lambda: found.append(True))
        await hub.open()
        reader = asyncio.create_task(hub.receive_forever())
        try:
            await hub.join({groups.connection(7)})
            await say_until_heard(7, heard)
            server.kill()
            await asyncio.to_thread(server.wait)
            await pinged(hub, lambda: hub.is_lost)
            server = servers.valkey(socket)
            await pinged(hub, lambda: bool(found))
            heard.clear()
            await say_until_heard(7, heard)
            assert not hub.is_lost
            for other in (8, 7):
                await get_channel_layer().group_send(groups.connection(other), event(other))
            await pinged(hub, lambda: sum(one["connection_id"] == 7 for one in heard) > 1)
            assert {one["connection_id"] for one in heard} == {7}, "of groups that no page needs nothing comes"
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            await hub.close()
            layer = get_channel_layer()
            await (layer.flush() if kind == "pubsub" else layer.close_pools())
            channel_layers.backends.clear()
            server.kill()
            await asyncio.to_thread(server.wait)


def test_an_empty_list_is_asked_anew_before_its_server_counts_as_dead() -> None:
    layer = QueueLayer(hosts=["redis://localhost"])
    patience = layer.create_pool(0).make_connection().socket_timeout
    assert patience is None or layer.brpop_timeout + 1 < patience


def event(connection_id: int) -> dict[str, Any]:
    return StatusUpdate(connection_id=connection_id, status="connected", changed=["status"]).as_message()


async def say_until_heard(connection_id: int, heard: list[dict[str, Any]]) -> None:
    """A first send may be lost while the layer itself still connects again."""
    async with asyncio.timeout(servers.PATIENCE):
        while not heard:
            with contextlib.suppress(OSError, RedisError):
                await get_channel_layer().group_send(groups.connection(connection_id), event(connection_id))
            await asyncio.sleep(0.1)
    del heard[1:]


async def pinged(hub: HubChannel, condition: Callable[[], bool]) -> None:
    """Let the hub look after itself until this is so."""
    async with asyncio.timeout(servers.PATIENCE):
        while not condition():
            await hub.ping()
            await asyncio.sleep(0.1)
