"""Notices that the channel layer's server was started anew: what was sent meanwhile is gone without an error.

The Redis client connects and subscribes again by itself, and quickly; our own ping, sent every 2 s, can miss
an outage that is shorter. A new run id cannot be missed.
"""

import asyncio
import contextlib

from django.conf import settings
from redis.asyncio import Redis

PATIENCE = 1.0
"""Seconds for an answer; whether the server answers at all is the ping's business."""


class LayerWatch:
    """Asks the server who it is; belongs to one event loop."""

    def __init__(self) -> None:
        self._client: Redis = Redis.from_url(settings.CHANNEL_URL, socket_timeout=PATIENCE)
        self._run_id: bytes | str | None = None

    async def is_another(self) -> bool:
        """Whether the server is not the one that answered before; False while none answers."""
        try:
            # Not asyncio.wait_for: before Python 3.12 it swallows a cancellation that comes with the answer.
            async with asyncio.timeout(PATIENCE):
                run_id = (await self._client.info("server")).get("run_id")
        except Exception:  # noqa: BLE001 - away in whatever way
            return False
        before, self._run_id = self._run_id, run_id
        return before is not None and run_id != before

    async def close(self) -> None:
        """Give the connection back."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(PATIENCE):
                await self._client.aclose()
