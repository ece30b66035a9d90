"""The hub's place in the channel layer: one channel, the groups that pages need, and whether the layer is there."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from mqtt import groups
from mqtt.live.layer_watch import LayerWatch

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds without our own ping after which the channel layer counts as lost."""

PING = "hub.ping"


class HubChannel:
    """Open it once, ping it every 2 s; whatever the layer raises means that it is lost for now."""

    def __init__(self, take: Callable[[dict[str, Any]], None], found: Callable[[], None]) -> None:
        """`take` gets each event once; `found` is called when the layer answers again after it was lost."""
        self.is_lost = False
        self._take = take
        self._found = found
        self._layer: Any = None
        self._watch: LayerWatch | None = None
        self._channel = ""
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._pinged_at = 0.0

    async def open(self) -> None:
        """Join; pages work without the layer, from the database."""
        self._layer = get_channel_layer()
        self._watch = LayerWatch()
        await self._watch.is_another()
        self._pinged_at = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._open()
        except Exception as error:  # noqa: BLE001 - tried again by `receive_forever`
            self._lose(error)

    async def _open(self) -> None:
        channel = await self._layer.new_channel()
        await self._layer.group_add(groups.STATUS_UPDATES, channel)
        self._channel, self._joined = channel, {groups.STATUS_UPDATES}

    async def close(self) -> None:
        """Give everything back."""
        self._channel, self._joined, self.is_lost = "", set(), False
        if self._watch:
            await self._watch.close()

    async def receive_forever(self) -> None:
        """Take each event once; never stops, because the layer's queue behind it has no bound."""
        while True:
            try:
                if not self._channel:
                    await self._open()
                    await self.join(self._wanted)
                message = await self._layer.receive(self._channel)
                if message.get("type") == PING:
                    self._hear_ping()
                else:
                    self._take(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the layer raises, pages are kept true without it
                self._lose(error)
                await asyncio.sleep(1)

    async def join(self, wanted: set[str]) -> None:
        """Be a member of these groups and no others."""
        self._wanted = wanted | {groups.STATUS_UPDATES}
        if not self._channel:
            return
        try:
            for group in self._wanted - self._joined:
                await self._layer.group_add(group, self._channel)
                self._joined.add(group)
            for group in self._joined - self._wanted:
                await self._layer.group_discard(group, self._channel)
                self._joined.discard(group)
        except Exception as error:  # noqa: BLE001 - tried again with the next sweep
            self._lose(error)

    async def ping(self) -> None:
        """Send ourselves a word through the layer; the last one must have come back."""
        if not self._channel:
            return
        if time.monotonic() - self._pinged_at > PATIENCE:
            self._lose("our own ping did not come back")
        if self._watch and await self._watch.is_another():
            self._lose("its server was started anew")
            self._joined = set()  # a layer of lists forgot its members with the server
            await self.join(self._wanted)
        try:
            await self._layer.send(self._channel, {"type": PING})
        except Exception as error:  # noqa: BLE001 - redis, socket and loop errors all mean: lost
            self._lose(error)

    def _hear_ping(self) -> None:
        self._pinged_at = time.monotonic()
        if self.is_lost:
            self.is_lost = False
            logger.warning("The channel layer answers again; all open pages are brought up to date.")
            self._found()

    def _lose(self, reason: object) -> None:
        if not self.is_lost:
            logger.warning("The channel layer is lost (%s); open pages are kept true from the database.", reason)
        self.is_lost = True
