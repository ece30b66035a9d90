"""What the live hub asks of the database, in one call for everybody: rows, parts, totals, badges, rights."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone, translation

from mqtt import queries
from mqtt.badges import problem_counts
from mqtt.fragments import Variant, render_part, render_row, row_id
from mqtt.models import AuditEntry, MqttConnection, StatusChange
from mqtt.pages.base import Shown, Touch, connection_id
from mqtt.permissions import VIEW, User, can, visible_to
from mqtt.prepared import rows_by_key
from mqtt.templatetags.mqtt_rows import PATIENCE

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


def rows_of(user: User, touches: Iterable[Touch]) -> dict[str, dict[int, int]]:
    """The rows that a browser says it shows, as far as the user may see them: {kind: {pk: connection_id}}."""
    wanted: dict[str, list[int]] = {}
    for kind, pk in touches:
        if kind in queries.BY_KIND:
            wanted.setdefault(kind, []).append(pk)
    found: dict[str, dict[int, int]] = {}
    for kind, pks in wanted.items():
        rows = visible_to(user, queries.BY_KIND[kind]()).filter(pk__in=pks)
        found[kind] = {row.pk: connection_id(kind, row) for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sweep compares of a connection: changes here that no event has announced."""

    effective_status: str
    is_vouched: bool
    """Its devices' availability is believed."""
    is_lost_long: bool
    """Disconnected for so long that amber turns red."""
    measured_at: Any
    """When its rates were written last."""


def look_around() -> tuple[dict[int, Seen], tuple[int, int]]:
    """All connections by the database's clock, and the newest status change and audit entry."""
    annotated: Any = MqttConnection.objects.with_effective_status()
    connections = annotated.values_list("pk", "effective_status", "status_changed_at", "activity__measured_at")
    believed = set(MqttConnection.objects.vouched().values_list("pk", flat=True))
    long_ago = timezone.now() - PATIENCE
    seen = {
        pk: Seen(status, pk in believed, status == "disconnected" and bool(since) and since < long_ago, measured)
        for pk, status, since, measured in connections.order_by()
    }
    newest = [model.objects.aggregate(newest=Max("pk"))["newest"] or 0 for model in (StatusChange, AuditEntry)]
    return seen, (newest[0], newest[1])


def current_users(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], User | None]:
    """For each session key (or, without one, user id): who it stands for now; None when nobody who may look."""
    found: dict[tuple[str, int], User | None] = {}
    for session_key, user_id in set(keys):
        user: Any = None
        if session_key:
            request = HttpRequest()
            request.session = SessionStore(session_key)
            user = get_user(request)
        else:
            user = get_user_model().objects.filter(pk=user_id).first()
        found[session_key, user_id] = user if user is not None and user.pk == user_id and can(user, VIEW) else None
    return found
