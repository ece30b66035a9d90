"""Rows, parts, totals and badges for all open pages, read and rendered in one call."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.utils import translation

from mqtt.badges import problem_counts
from mqtt.fragments import Variant, render_part, render_row, row_id
from mqtt.lists import queries
from mqtt.lists.prepared import rows_by_key
from mqtt.pages.base import Shown, Touch
from mqtt.permissions import User

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Order:
    """What a group of equal viewers (same page, filters, language, rights) needs."""

    shown: Shown
    language: str
    can_operate: bool
    rows: set[Touch] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    wants_total: bool = False


@dataclass(slots=True)
class Delivery:
    """The answer to an Order."""

    rows: dict[Touch, tuple[str, bool]] = field(default_factory=dict)
    """{row: (HTML, whether it still matches the filters)}"""
    parts: dict[str, str] = field(default_factory=dict)
    total: int | None = None


def render(orders: list[Order], badge_users: dict[str, User]) -> tuple[list[Delivery], dict[str, str]]:
    """Load each row once, render it once for each variant; `badge_users` has one user for each language."""
    objects = _load(touch for order in orders for touch in order.rows)
    painted: dict[tuple[Touch, Variant], str] = {}
    deliveries = []
    for order in orders:
        try:
            deliveries.append(_deliver(order, objects, painted))
        except DatabaseError:
            raise
        except Exception:
            # One broken template must not stop the rows of everybody else.
            logger.exception("A live page cannot be rendered: %s", order.shown.page.name)
            deliveries.append(Delivery())
    badges = {
        language: render_part("mqtt/parts/_badges.html", {"badges": problem_counts(user)}, language)
        for language, user in badge_users.items()
    }
    return deliveries, badges


def _load(touches: Iterable[Touch]) -> dict[Touch, Any]:
    wanted: dict[str, set[int]] = {}
    for kind, pk in touches:
        wanted.setdefault(kind, set()).add(pk)
    return {
        (kind, row.pk): row
        for kind, pks in wanted.items()
        for row in queries.prepare(kind, rows_by_key(queries.BY_KIND[kind], pks))
    }


def _deliver(order: Order, objects: dict[Touch, Any], painted: dict[tuple[Touch, Variant], str]) -> Delivery:
    delivery = Delivery()
    kinds = {kind for kind, _ in order.rows}
    for kind in kinds:
        pks = {pk for name, pk in order.rows if name == kind}
        matching = order.shown.page.matching(order.shown, kind, pks)
        for pk in pks:
            variant = Variant(order.language, order.can_operate, dimmed=pk not in matching)
            key = ((kind, pk), variant)
            if key not in painted:
                painted[key] = _paint(kind, pk, objects.get((kind, pk)), variant)
            delivery.rows[kind, pk] = painted[key], not variant.dimmed
    if order.parts or order.wants_total:
        _deliver_parts(order, delivery)
    return delivery


def _paint(kind: str, pk: int, record: Any, variant: Variant) -> str:
    if record is None:
        return render_part("mqtt/rows/_gone_row.html", {"row_id": row_id(kind, pk)}, variant.language)
    return render_row(kind, record, variant)


def _deliver_parts(order: Order, delivery: Delivery) -> None:
    fresh = order.shown.page.refresh(order.shown)
    if fresh is None:
        return
    delivery.total = fresh.total
    for part in fresh.page.parts:
        if part.name in order.parts:
            with translation.override(order.language):  # contexts hold sentences and numbers that are written already
                context = fresh.part_context(part)
            delivery.parts[part.name] = render_part(part.template, context, order.language)
