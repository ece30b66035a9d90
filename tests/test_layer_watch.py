"""A restart of Valkey is noticed even when it was quicker than any ping."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from mqtt.live.layer_watch import LayerWatch
from tests import servers


async def test_a_server_that_was_started_anew_is_told_from_the_one_before(settings: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "valkey.sock"
        settings.CHANNEL_URL = f"unix://{socket}"
        watch = LayerWatch()
        assert not await watch.is_another(), "no server is not another server"
        first = servers.valkey(socket)
        try:
            assert not await watch.is_another()
            assert not await watch.is_another()
        finally:
            first.kill()
            await asyncio.to_thread(first.wait)
        assert not await watch.is_another()
        second = servers.valkey(socket)
        try:
            assert await watch.is_another()
            assert not await watch.is_another()
        finally:
            second.kill()
            await asyncio.to_thread(second.wait)
            await watch.close()


async def test_whoever_leaves_while_the_server_answers_is_let_go(settings: Any) -> None:
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    watch = LayerWatch()
    for turns in range(60):
        task = asyncio.ensure_future(watch.is_another())
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.cancel():
            await asyncio.wait([task])
            assert task.cancelled(), f"the cancellation after {turns} turns was swallowed"
    await watch.close()
