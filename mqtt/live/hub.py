"""The live hub: one for each web process and event loop.

It receives every channel-layer event once, and lets each open page mark what it makes stale. A flush then
loads each stale row once, renders it once for each variant (language, rights, dimmed), and hands the HTML
to the pages that show it. A sweep every 2 s finds what no event announced: statuses that nobody vouches
for any more, lost rights, ended sessions. While the channel layer is away, pages are kept true from the
database. A pulse every 2 s says what needs no database: alerts, and that we are there.
"""

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import Iterable
from typing import Any

from django.db import InterfaceError, OperationalError

from mqtt import groups
from mqtt.events import (
    AvailabilityChanged,
    CommandChanged,
    ConnectionTestChanged,
    Event,
    ReadingsStored,
    SiteChanged,
    StatusUpdate,
    TailHeard,
    TailWanted,
)
from mqtt.live import pulse
from mqtt.live.changes import Change, change_of
from mqtt.live.channel import HubChannel
from mqtt.live.database import HubDatabase
from mqtt.live.flush import due_at, flush, speak
from mqtt.live.lookout import NOTHING, changes, look_around
from mqtt.live.rights import current_users, take_user
from mqtt.meters import WEBSOCKET_CLIENTS
from mqtt.permissions import TAIL, can
from mqtt.services.broadcast import send_event
from mqtt.services.pressure import BEAT_EVERY

logger = logging.getLogger(__name__)

SHORTEST_REST, LONGEST_REST = 0.002, 0.05
"""Seconds between two flushes, as many as the last one took within these bounds: a single row goes out at once, and
with many pages rows travel together. The shortest is for news that no page shows, which must not make a row wait."""
SWEEP_EVERY = 2.0
RIGHTS_EVERY = 4.0

LOGGED_OUT = 4401
FORBIDDEN = 4403

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        StatusUpdate,
        ReadingsStored,
        AvailabilityChanged,
        ConnectionTestChanged,
        CommandChanged,
        SiteChanged,
        TailHeard,
    )
}


class LiveHub:
    """See the module."""

    def __init__(self) -> None:
        self.consumers: set[Any] = set()
        self.channel = HubChannel(self._take, self.note_everything)
        self.database = HubDatabase()
        self.tasks: list[asyncio.Task[None]] = []
        self.wanted = asyncio.Event()
        self.heard: dict[int, Change] = {}
        """By connection, what readings changed since the last flush: there are many, and pages look at them once."""
        self.starting = asyncio.Lock()
        self.sight = NOTHING
        self.rights_at = 0.0
        self.database_lost_at = 0.0

    # ---- coming and going

    async def join(self, consumer: Any) -> None:
        """Keep a consumer's page true from now on; events are received before its first state is read."""
        self.consumers.add(consumer)
        WEBSOCKET_CLIENTS.inc()
        try:
            async with self.starting:
                if not self.tasks:
                    await self._start()
                await self._join_groups()
        except BaseException:
            self._forget(consumer)  # the error ends its socket, and no `leave` follows
            raise
        self.wanted.set()

    async def _start(self) -> None:
        self.rights_at = time.monotonic()
        self.sight = await self.database.ask(look_around)
        await self.channel.open()
        jobs = (self.channel.receive_forever, self._flush_forever, self._sweep_forever, self._pulse_forever)
        self.tasks = [asyncio.create_task(job()) for job in jobs]

    async def leave(self, consumer: Any) -> None:
        """Forget a consumer; the last one stops the hub."""
        self._forget(consumer)
        async with self.starting:
            if self.consumers:
                return
            tasks, self.tasks = self.tasks, []
            self.sight, self.heard, self.database_lost_at = NOTHING, {}, 0.0
            await _end(tasks)
            await self.channel.close()
            await self.database.close()

    def _forget(self, consumer: Any) -> None:
        if consumer in self.consumers:
            self.consumers.discard(consumer)
            WEBSOCKET_CLIENTS.dec()

    def wake(self) -> None:
        """Something is to be sent."""
        self.wanted.set()

    # ---- events

    def _take(self, message: dict[str, Any]) -> None:
        kind = EVENTS.get(str(message.get("type")))
        if kind is None:
            logger.warning("An event of an unknown type was ignored: %.80r", message.get("type"))
            return
        try:
            event = kind.from_message(message)
        except (TypeError, ValueError):
            logger.warning("A malformed event was ignored: %.200r", message)
            return
        if isinstance(event, ReadingsStored):
            self._gather(change_of(event))
            return
        for consumer in self.consumers:
            try:
                getattr(consumer, kind.type.replace(".", "_"))(event)
            except Exception:  # one page's trouble is not the others'
                logger.exception("An event could not be taken by a page")
        self.wanted.set()

    def _gather(self, change: Change) -> None:
        known = self.heard.get(change.connection_id)
        if known is None:
            self.heard[change.connection_id] = change
        else:
            known.join(change)
        self.wanted.set()

    def note(self, change: Change) -> None:
        """Let every open page mark what a change makes stale."""
        for consumer in self.consumers:
            consumer.viewer.note(change)
        self.wanted.set()

    # ---- flushing

    async def _flush_forever(self) -> None:
        while True:
            await self._until_something_is_due()
            begun = time.monotonic()
            try:
                await self._flush()
                self._found_database()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the loop must live; everything is sent again afterwards
                self._lose_database(error)
                await asyncio.sleep(1)
                self.wanted.set()
            await asyncio.sleep(min(max(time.monotonic() - begun, SHORTEST_REST), LONGEST_REST))

    async def _until_something_is_due(self) -> None:
        """Wait for news, or for the end of the interval of something that is stale already."""
        left = due_at(self.consumers) - time.monotonic()
        if left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if left == float("inf") else left):
                    await self.wanted.wait()
        self.wanted.clear()

    async def _flush(self) -> None:
        heard, self.heard = self.heard, {}
        for change in heard.values():
            for consumer in self.consumers:
                consumer.viewer.note(change)
        await flush(self.consumers, self.database)

    def watch_tails(self) -> None:
        """Ask the mqtt processes for every live tail that some page shows; they end what nobody asks for."""
        tails = {one.watching.group: one.watching for one in self.consumers if one.watching and not one.viewer.paused}
        for tail in tails.values():
            wanted = TailWanted(connection_id=tail.connection_id, topic_filter=tail.topic_filter)
            send_event(groups.COMMANDS, wanted)

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
        before, self.sight = self.sight, await self.database.ask(look_around)
        for change in changes(before, self.sight):
            self.note(change)
        await self._join_groups()
        self.watch_tails()
        if self.channel.is_lost:
            self.note_everything()
        if now - self.rights_at >= RIGHTS_EVERY:
            self.rights_at = now
            await self._check_rights()

    async def _pulse_forever(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)  # the page itself brought what is known at first
            try:
                await self.channel.ping()
                lost = time.monotonic() - self.database_lost_at if self.database_lost_at else 0.0
                for consumer, frame in await pulse.frames(self.consumers, lost):
                    await speak(consumer, [frame], time.monotonic())
            except Exception:
                logger.exception("Open pages were not told how the console fares")

    def note_everything(self) -> None:
        """All pages are to be brought up to date from the database."""
        for consumer in self.consumers:
            if not consumer.viewer.paused:
                consumer.viewer.everything()
        self.wanted.set()

    async def _check_rights(self) -> None:
        asked = {consumer: (consumer.viewer.session_key, consumer.viewer.user.pk) for consumer in self.consumers}
        users = await self.database.ask(current_users, asked.values())
        for consumer, key in asked.items():
            user = users.get(key)
            if user is None:
                self._forget(consumer)
                with contextlib.suppress(Exception):
                    await consumer.close(LOGGED_OUT)
            else:
                take_user(consumer.viewer, user)
                if consumer.watching and not can(user, TAIL):
                    consumer.watching = None

    async def _join_groups(self) -> None:
        """Be a member of the groups of all connections that some page is about."""
        abouts = {consumer.viewer.shown.connection_id for consumer in self.consumers}
        connections = set(self.sight.connections) | abouts if 0 in abouts else abouts
        wanted = {groups.connection(pk) for pk in connections if pk}
        wanted |= {consumer.watching.group for consumer in self.consumers if consumer.watching}
        await self.channel.join(wanted)

    # ---- the database

    def _lose_database(self, error: Exception) -> None:
        if not self.database_lost_at:
            is_away = isinstance(error, OperationalError | InterfaceError)
            sentence = "Open pages cannot be brought up to date: %s"
            logger.warning(sentence, str(error).strip(), exc_info=None if is_away else error)
            self.database_lost_at = time.monotonic()

    def _found_database(self) -> None:
        if self.database_lost_at:
            logger.warning("Open pages are brought up to date again.")
            self.database_lost_at = 0.0
            self.note_everything()


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: a library may take a cancellation that comes with its answer for an error."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1)


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LiveHub]" = weakref.WeakKeyDictionary()


def current_hub() -> LiveHub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = LiveHub()
    return hub
