"""How the mqtt process hears that there is work: an alarm that any thread rings, and wake-ups from the web.

A wake-up is a hint. When Valkey is away none arrives, and the round every two seconds finds the work.
"""

import asyncio
import logging
import threading
from collections.abc import Callable

from channels.layers import get_channel_layer

from mqtt import groups
from mqtt.events import TailWanted
from mqtt.services import broadcast

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0


class Alarm:
    """Wakes the main thread: `ring` for reports of sessions, `summon` for news in the database."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._summoned = False

    def ring(self) -> None:
        """There is something to write."""
        self._event.set()

    def summon(self) -> None:
        """There is something to read: do not wait for the next round."""
        self._summoned = True
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the next ring, at most so long; whether somebody summoned us."""
        self._event.wait(seconds)
        self._event.clear()
        summoned, self._summoned = self._summoned, False
        return summoned


def listen(on_wake_up: Callable[[], None], on_tail: Callable[[TailWanted], bool]) -> None:
    """Call back, on the sender loop's thread, for every wake-up from now on; survives Valkey being away.

    `on_tail` says whether a wanted tail is news, and so a reason to wake up.
    """
    broadcast.run(_listen(on_wake_up, on_tail))


async def _listen(on_wake_up: Callable[[], None], on_tail: Callable[[TailWanted], bool]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    is_known = False
    while True:
        try:
            channel = await layer.new_channel()
            await layer.group_add(groups.COMMANDS, channel)
            on_wake_up()  # what was asked while nobody listened
            while True:
                message = await layer.receive(channel)
                if message.get("type") != TailWanted.type or on_tail(TailWanted.from_message(message)):
                    on_wake_up()
        except Exception as error:  # noqa: BLE001 - whatever the channel layer raises means: no hints for now
            if not is_known:
                logger.warning("Wake-ups are not heard, the channel layer does not answer: %s", error)
            is_known = True
            await asyncio.sleep(RETRY_SECONDS)
