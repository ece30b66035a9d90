"""The only caller of `group_send`: one long-lived event loop a process, so that a send costs microseconds.

A push is a hint; the database is the truth. A send that fails is counted and logged, never raised: no
reading and no click depends on the channel layer.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any

from channels.layers import get_channel_layer

from mqtt import groups
from mqtt.events import Event, SiteChanged, StatusUpdate, WakeUp

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_failed = False


def sender_loop() -> asyncio.AbstractEventLoop:
    """This process's event loop for the channel layer, running in a daemon thread of its own."""
    global _loop  # noqa: PLW0603 - one loop a process is the point
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="broadcast", daemon=True).start()
        return _loop


def run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Start a coroutine on the sender loop and return at once."""
    asyncio.run_coroutine_threadsafe(coroutine, sender_loop())


def send_event(group: str, event: Event) -> None:
    """Send one event to a group; returns at once."""
    run(_send(group, event.as_message()))


async def _send(group: str, message: dict[str, Any]) -> None:
    global _failed  # noqa: PLW0603 - remembers whether the loss was already logged
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        await layer.group_send(group, message)
    except Exception as error:  # noqa: BLE001 - Redis, socket and loop errors all mean: not delivered
        if not _failed:
            logger.warning("Live updates are not delivered, the channel layer does not answer: %s", error)
        _failed = True
    else:
        if _failed:
            logger.warning("Live updates are delivered again.")
        _failed = False


def broadcast_status_update(connection_id: int, status: str, changed: list[str]) -> None:
    """Tell every page and process that a connection's row changed."""
    send_event(groups.STATUS_UPDATES, StatusUpdate(connection_id=connection_id, status=status, changed=changed))


def broadcast_event(event: Event) -> None:
    """Tell those who watch the event's connection."""
    send_event(groups.connection(event.connection_id), event)


def broadcast_site(site_id: int) -> None:
    """Tell every page that a site is no longer what it was."""
    send_event(groups.STATUS_UPDATES, SiteChanged(site_id=site_id))


def wake_up(connection_id: int = 0) -> None:
    """Ask the mqtt processes to look at a connection now instead of at their next round."""
    send_event(groups.COMMANDS, WakeUp(connection_id=connection_id))
