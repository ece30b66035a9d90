"""A flush: each row that is due is loaded once, rendered once for each variant, handed to the pages that show it."""

import logging
import time
from collections.abc import Collection
from typing import Any, NamedTuple

from mqtt.live import render
from mqtt.live.database import HubDatabase
from mqtt.live.render import Delivery, Order
from mqtt.live.rights import grant
from mqtt.live.viewer import BADGES, TOTAL, Viewer
from mqtt.meters import FLUSH_ROWS, FLUSH_SECONDS
from mqtt.pages.base import Touch
from mqtt.permissions import User

logger = logging.getLogger(__name__)


class Taker(NamedTuple):
    """One page in a flush, and what it gets."""

    consumer: Any
    key: Any
    rows: set[Touch]
    parts: set[str]
    wants_badges: bool


def due_at(consumers: Collection[Any]) -> float:
    """When the first of what is stale may be sent, by the monotonic clock; infinite: nothing is stale."""
    return min((one.viewer.due_at for one in consumers if not one.is_slow), default=float("inf"))


async def flush(consumers: Collection[Any], database: HubDatabase) -> None:
    """Send what is due. What the database raises is raised on, and everything is stale again."""
    wishes = [consumer.viewer for consumer in consumers if consumer.viewer.wish]
    if wishes:
        await database.ask(grant, wishes)
    now = time.monotonic()
    orders, badge_users, takers = _orders(consumers, now)
    await _flush_tails(consumers, now)
    if not takers:
        return
    try:
        deliveries, badges = await database.ask(render.render, list(orders.values()), badge_users)
        FLUSH_SECONDS.observe(time.monotonic() - now)
        FLUSH_ROWS.observe(sum(len(order.rows) for order in orders.values()))
    except Exception:
        for taker in takers:
            taker.consumer.viewer.everything()
        raise
    answers = dict(zip(orders, deliveries, strict=True))
    for taker in takers:
        viewer = taker.consumer.viewer
        of_menu = badges.get(viewer.language, "") if taker.wants_badges else ""
        frames = viewer.frames(answers.get(taker.key, Delivery()), taker.rows, taker.parts, of_menu)
        if frames:
            await speak(taker.consumer, frames, now)


def _orders(consumers: Collection[Any], now: float) -> tuple[dict[Any, Order], dict[str, User], list[Taker]]:
    """What is to be rendered, for whom the menu's badges are counted, and who gets what."""
    orders: dict[Any, Order] = {}
    badge_users: dict[str, User] = {}
    takers = []
    for consumer in consumers:
        viewer: Viewer = consumer.viewer
        if viewer.due_at > now or consumer.is_slow:
            continue
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
        takers.append(Taker(consumer, key, rows, parts, BADGES in extras))
    return orders, badge_users, takers


async def _flush_tails(consumers: Collection[Any], now: float) -> None:
    for consumer in list(consumers):
        if (
            consumer.watching
            and not consumer.is_slow
            and (frames := consumer.watching.frames(consumer.viewer.language))
        ):
            await speak(consumer, frames, now)


async def speak(consumer: Any, frames: list[str], now: float) -> None:
    """Send frames to a page, if it is still there."""
    consumer.viewer.spoke_at = now
    try:
        await consumer.deliver(frames)
    except Exception:
        logger.debug("A frame could not be delivered", exc_info=True)
