"""The live hub: one for each web process and event loop.

It receives every channel-layer event once, and lets each open page mark what it makes stale. A flush then
loads each stale row once, renders it once for each variant (language, rights, dimmed), and hands the HTML
to the pages that show it. A sweep every 2 s finds what no event announced: statuses that nobody vouches
for any more, lost rights, ended sessions, a channel layer that went away. While it is away, pages are
kept true from the database.
"""

import asyncio
import contextlib
import logging
import time
import weakref
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from mqtt import groups, live_render
from mqtt.events import (
    AvailabilityChanged,
    CommandChanged,
    ConnectionTestChanged,
    Event,
    ReadingsStored,
    StatusUpdate,
    TailHeard,
    TailWanted,
)
from mqtt.layer_watch import LayerWatch
from mqtt.live_render import Delivery, Order, Seen
from mqtt.live_rights import grant, take_user
from mqtt.live_viewer import BADGES, TOTAL, Change, Viewer
from mqtt.permissions import TAIL, User, can
from mqtt.services.broadcast import send_event

logger = logging.getLogger(__name__)

SPACING = 0.05
"""Seconds between two flushes: bounds frames a second, and lets rows of one batch travel together."""
SWEEP_EVERY = 2.0
RIGHTS_EVERY = 4.0
HEARTBEAT = 10.0
"""The browser calls a link dead that has said nothing for three of these."""
LAYER_PATIENCE = 5.0
"""Seconds without our own ping after which the channel layer counts as lost."""

LOGGED_OUT = 4401
FORBIDDEN = 4403

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (StatusUpdate, ReadingsStored, AvailabilityChanged, ConnectionTestChanged, CommandChanged, TailHeard)
}


class LiveHub:
    """See the module."""

    def __init__(self) -> None:
        self.consumers: set[Any] = set()
        self.layer: Any = None
        self.watch: LayerWatch | None = None
        self.channel = ""
        self.joined: set[str] = set()
        self.tasks: list[asyncio.Task[None]] = []
        self.wanted = asyncio.Event()
        self.starting = asyncio.Lock()
        self.seen: dict[int, Seen] = {}
        self.journal: tuple[int, int] = (0, 0)
        self.pinged_at = 0.0
        self.is_layer_lost = False
        self.rights_at = 0.0
        self.is_database_lost = False

    # ---- coming and going

    async def join(self, consumer: Any) -> None:
        """Keep a consumer's page true from now on; events are received before its first state is read."""
        self.consumers.add(consumer)
        async with self.starting:
            if not self.tasks:
                await self._start()
            await self._join_groups()
        self.wanted.set()

    async def _start(self) -> None:
        self.layer = get_channel_layer()
        self.watch = LayerWatch()
        await self.watch.is_another()
        self.pinged_at = self.rights_at = time.monotonic()
        self.seen, self.journal = await database_sync_to_async(live_render.look_around)()
        try:
            await asyncio.wait_for(self._open_channel(), LAYER_PATIENCE)
        except Exception as error:  # noqa: BLE001 - pages work without the layer, from the database
            self._lose_layer(error)
        self.tasks = [asyncio.create_task(job()) for job in (self._receive, self._flush_forever, self._sweep_forever)]

    async def _open_channel(self) -> None:
        channel = await self.layer.new_channel()
        await self.layer.group_add(groups.STATUS_UPDATES, channel)
        self.channel, self.joined = channel, {groups.STATUS_UPDATES}

    async def leave(self, consumer: Any) -> None:
        """Forget a consumer; the last one stops the hub."""
        self.consumers.discard(consumer)
        if self.consumers:
            return
        tasks, self.tasks = self.tasks, []
        self.seen, self.joined, self.channel, self.is_layer_lost = {}, set(), "", False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.watch:
            await self.watch.close()

    def wake(self) -> None:
        """Something is to be sent."""
        self.wanted.set()

    # ---- events

    async def _receive(self) -> None:
        """Take each event once; never stops, because the layer's queue behind it has no bound."""
        while True:
            try:
                if not self.channel:
                    await self._open_channel()
                    await self._join_groups()
                self._take(await self.layer.receive(self.channel))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the layer raises, pages are kept true without it
                self._lose_layer(error)
                await asyncio.sleep(1)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") == "hub.ping":
            self._hear_ping()
            return
        kind = EVENTS.get(str(message.get("type")))
        if kind is None:
            logger.warning("An event of an unknown type was ignored: %.80r", message.get("type"))
            return
        try:
            event = kind.from_message(message)
        except (TypeError, ValueError):
            logger.warning("A malformed event was ignored: %.200r", message)
            return
        for consumer in self.consumers:
            try:
                getattr(consumer, kind.type.replace(".", "_"))(event)
            except Exception:  # one page's trouble is not the others'
                logger.exception("An event could not be taken by a page")
        self.wanted.set()

    def note(self, change: Change) -> None:
        """Let every open page mark what a change makes stale."""
        for consumer in self.consumers:
            consumer.viewer.note(change)
        self.wanted.set()

    # ---- flushing

    async def _flush_forever(self) -> None:
        while True:
            await self.wanted.wait()
            self.wanted.clear()
            try:
                await self._flush()
                self._found_database()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the loop must live; everything is sent again afterwards
                self._lose_database(error)
                await asyncio.sleep(1)
            if any(consumer.viewer.is_waiting for consumer in self.consumers):
                self.wanted.set()
            await asyncio.sleep(SPACING)

    async def _flush(self) -> None:
        wishes = [consumer.viewer for consumer in self.consumers if consumer.viewer.wish]
        if wishes:
            await database_sync_to_async(grant)(wishes)
        now = time.monotonic()
        orders: dict[Any, Order] = {}
        takers = []
        badge_users: dict[str, User] = {}
        for consumer in list(self.consumers):
            viewer: Viewer = consumer.viewer
            rows, parts, extras = viewer.due(now)
            if not (rows or parts or extras):
                continue
            key = (viewer.shown.key, viewer.language, viewer.can_operate)
            order = orders.setdefault(key, Order(viewer.shown, viewer.language, viewer.can_operate))
            order.rows |= rows
            order.parts |= parts
            order.wants_total |= TOTAL in extras
            if BADGES in extras:
                badge_users[viewer.language] = viewer.user
            takers.append((consumer, key, rows, parts, BADGES in extras))
        await self._flush_tails(now)
        if not takers:
            return
        try:
            deliveries, badges = await database_sync_to_async(live_render.render)(list(orders.values()), badge_users)
        except Exception:
            for consumer, *_ in takers:
                consumer.viewer.everything()
            raise
        answers = dict(zip(orders, deliveries, strict=True))
        for consumer, key, rows, parts, wants_badges in takers:
            viewer = consumer.viewer
            frames = viewer.frames(
                answers.get(key, Delivery()), rows, parts, badges.get(viewer.language, "") if wants_badges else ""
            )
            if frames:
                await self._speak(consumer, frames, now)

    async def _flush_tails(self, now: float) -> None:
        for consumer in list(self.consumers):
            if consumer.watching and (frames := consumer.watching.frames(consumer.viewer.language)):
                await self._speak(consumer, frames, now)

    def watch_tails(self) -> None:
        """Ask the mqtt processes for every live tail that some page shows; they end what nobody asks for."""
        tails = {one.watching.group: one.watching for one in self.consumers if one.watching and not one.viewer.paused}
        for tail in tails.values():
            wanted = TailWanted(connection_id=tail.connection_id, topic_filter=tail.topic_filter)
            send_event(groups.COMMANDS, wanted)

    async def _speak(self, consumer: Any, frames: list[str], now: float) -> None:
        consumer.viewer.spoke_at = now
        try:
            await consumer.deliver(frames)
        except Exception:
            logger.debug("A frame could not be delivered", exc_info=True)

    # ---- sweeping

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self._sweep()
                self._found_database()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the loop must live
                self._lose_database(error)
            await asyncio.sleep(SWEEP_EVERY)

    async def _sweep(self) -> None:
        now = time.monotonic()
        await self._ping(now)
        seen, journal = await database_sync_to_async(live_render.look_around)()
        self._compare(seen, journal)
        await self._join_groups()
        self.watch_tails()
        if self.is_layer_lost:
            self.note_everything()
        if now - self.rights_at >= RIGHTS_EVERY:
            self.rights_at = now
            await self._check_rights()
        for consumer in list(self.consumers):
            if now - consumer.viewer.spoke_at >= HEARTBEAT and not consumer.viewer.paused:
                await self._speak(consumer, [consumer.viewer.clock()], now)

    def _compare(self, seen: dict[int, Seen], journal: tuple[int, int]) -> None:
        before, self.seen = self.seen, seen
        old_journal, self.journal = self.journal, journal
        for pk in before.keys() | seen.keys():
            old, new = before.get(pk), seen.get(pk)
            if old == new:
                continue
            change = Change(connection_id=pk, rows={"connection": {pk}}, words={"rates"})
            if old is None or new is None:
                change.words |= {"sweep", "new", "new connection"}
            elif (old.effective_status, old.is_vouched) != (new.effective_status, new.is_vouched):
                change.words.add("sweep")
                change.whole_connection = True
            self.note(change)
        if journal != old_journal:
            self.note(Change(words={"journal"}))

    def note_everything(self) -> None:
        """All pages are to be brought up to date from the database."""
        for consumer in self.consumers:
            if not consumer.viewer.paused:
                consumer.viewer.everything()
        self.wanted.set()

    async def _check_rights(self) -> None:
        asked = {consumer: (consumer.viewer.session_key, consumer.viewer.user.pk) for consumer in self.consumers}
        users = await database_sync_to_async(live_render.current_users)(asked.values())
        for consumer, key in asked.items():
            user = users.get(key)
            if user is None:
                self.consumers.discard(consumer)
                with contextlib.suppress(Exception):
                    await consumer.close(LOGGED_OUT)
            else:
                take_user(consumer.viewer, user)
                if consumer.watching and not can(user, TAIL):
                    consumer.watching = None

    # ---- the channel layer

    async def _join_groups(self) -> None:
        """Be a member of the groups of all connections that some page is about."""
        if not self.channel:
            return
        abouts = {consumer.viewer.shown.connection_id for consumer in self.consumers}
        connections = set(self.seen) | abouts if 0 in abouts else abouts
        wanted = {groups.STATUS_UPDATES} | {groups.connection(pk) for pk in connections if pk}
        wanted |= {consumer.watching.group for consumer in self.consumers if consumer.watching}
        try:
            for group in wanted - self.joined:
                await self.layer.group_add(group, self.channel)
                self.joined.add(group)
            for group in self.joined - wanted:
                await self.layer.group_discard(group, self.channel)
                self.joined.discard(group)
        except Exception as error:  # noqa: BLE001 - tried again with the next sweep
            self._lose_layer(error)

    async def _ping(self, now: float) -> None:
        if not self.channel:
            return
        if now - self.pinged_at > LAYER_PATIENCE:
            self._lose_layer("our own ping did not come back")
        if self.watch and await self.watch.is_another():
            self._lose_layer("its server was started anew")
        try:
            await self.layer.send(self.channel, {"type": "hub.ping"})
        except Exception as error:  # noqa: BLE001 - redis, socket and loop errors all mean: lost
            self._lose_layer(error)

    def _hear_ping(self) -> None:
        self.pinged_at = time.monotonic()
        if self.is_layer_lost:
            self.is_layer_lost = False
            logger.warning("The channel layer answers again; all open pages are brought up to date.")
            self.note_everything()

    def _lose_layer(self, reason: object) -> None:
        if not self.is_layer_lost:
            logger.warning("The channel layer is lost (%s); open pages are kept true from the database.", reason)
        self.is_layer_lost = True

    def _lose_database(self, error: Exception) -> None:
        if not self.is_database_lost:
            logger.warning("Open pages cannot be brought up to date: %s", error, exc_info=error)
        self.is_database_lost = True

    def _found_database(self) -> None:
        if self.is_database_lost:
            logger.warning("Open pages are brought up to date again.")
            self.is_database_lost = False
            self.note_everything()


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LiveHub]" = weakref.WeakKeyDictionary()


def current_hub() -> LiveHub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = LiveHub()
    return hub
