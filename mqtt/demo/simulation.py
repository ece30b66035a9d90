"""The clock of the demo: asks each device for its messages when they are due."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

from mqtt.demo.device import Device
from mqtt.demo.fleet import Client
from mqtt.demo.link import Broker, Link

logger = logging.getLogger(__name__)

Round = Callable[[], float]
"""Does what is due and returns the seconds until its next turn."""


def run(clients: list[Client], broker: Broker, stopping: threading.Event, speed: float = 1.0) -> None:
    """Play `clients` until `stopping` is set; `speed` shortens all intervals.

    The process is expected to end then: links are left to break, so that the broker publishes every will.
    """
    rounds = list(_rounds([Link(client, broker) for client in clients]))
    order = itertools.count()
    start = time.monotonic()
    # Spread the first turns, or all slow devices would publish in the same instant for ever.
    due = [(start + 0.5 + index % 10 * 0.2, next(order), turn) for index, turn in enumerate(rounds)]
    heapq.heapify(due)
    while not stopping.wait(max(0.0, due[0][0] - time.monotonic())):
        at, _, turn = heapq.heappop(due)
        # After a suspended machine only one round is made up for.
        following = max(at, time.monotonic() - 1) + turn() / speed
        heapq.heappush(due, (following, next(order), turn))


def _rounds(links: list[Link]) -> Iterator[Round]:
    for link in links:
        link.start()
        for device in link.client.devices:
            yield _measuring(link, device)
        if link.client.away_every:
            yield _outages(link)


def _measuring(link: Link, device: Device) -> Round:
    def measure() -> float:
        if link.is_up or device.stays_on_schedule_offline:
            for message in device.measure(time.time()):
                link.publish(message)
        return device.interval

    return measure


def _outages(link: Link) -> Round:
    first = itertools.chain([True], itertools.repeat(False))

    def cut() -> float:
        if not next(first):  # the first turn only begins the waiting
            logger.info("%s goes offline for %.0f s", link.client.name, link.client.away_for)
            link.cut(int(link.client.away_for))
        return link.client.away_every

    return cut
