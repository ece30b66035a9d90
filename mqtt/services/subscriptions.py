"""Which filters a connection may have together, and how a new set of them replaces the old one."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError

from mqtt import reasons, topics
from mqtt.exceptions import ServiceError
from mqtt.models import MqttConnection, TopicSubscription

MAX_FILTERS = 200
"""Every filter is compared with every other; nobody needs more, `#` takes them all."""

OWN_FIELDS = ("qos", "decoder", "is_active")
"""What may differ while a subscription stays the same one: its filter is its identity."""


def filter_problems(filters: Sequence[tuple[str, bool]]) -> dict[int, tuple[str, dict[str, Any]]]:
    """{position: (reason code, context)} of the filters that are malformed, repeated or cover one another.

    `filters` are (topic filter, active). Only active ones can overlap; each pair is told once, at the later one.
    """
    problems: dict[int, tuple[str, dict[str, Any]]] = {}
    for position, (topic_filter, active) in enumerate(filters):
        if position >= MAX_FILTERS:
            problems[position] = "filter_count", {"limit": MAX_FILTERS}
            break
        code = topics.filter_error(topic_filter)
        if code:
            problems[position] = code, {}
            continue
        for other, other_active in filters[:position]:
            if other == topic_filter:
                problems[position] = "filter_twice", {}
            elif active and other_active and topics.overlap(topic_filter, other):
                problems[position] = "filter_overlap", {"other": other}
            if position in problems:
                break
    return problems


def filter_errors(filters: Sequence[tuple[str, bool]]) -> dict[int, ValidationError]:
    """`filter_problems` as field errors in the active language, for forms, admin and serializers."""
    return {
        position: ValidationError(reasons.explain(code, context), code=code)
        for position, (code, context) in filter_problems(filters).items()
    }


def check_filters(subscriptions: Sequence[TopicSubscription]) -> None:
    """Raise ServiceError for the first problem of a set of subscriptions."""
    problems = filter_problems([(one.topic_filter, one.is_active) for one in subscriptions])
    for code, context in problems.values():
        raise ServiceError(code, **context)


def replace_subscriptions(connection: MqttConnection, wanted: Sequence[TopicSubscription]) -> dict[str, Any]:
    """Make the stored subscriptions be `wanted`; returns what changed for the audit, {} when nothing did.

    Subscriptions are matched by their filter, so that what the broker granted to the others stays known.
    """
    check_filters(wanted)
    stored = {one.topic_filter: one for one in connection.subscriptions.all()}
    before = {one.topic_filter: _summary(one) for one in stored.values()}
    after = {one.topic_filter: _summary(one) for one in wanted}
    if before == after:
        return {}
    gone = [one.pk for topic_filter, one in stored.items() if topic_filter not in after]
    connection.subscriptions.filter(pk__in=gone).delete()
    for one in wanted:
        known = stored.get(one.topic_filter)
        values = {name: getattr(one, name) for name in OWN_FIELDS}
        if known is None:
            connection.subscriptions.create(topic_filter=one.topic_filter, **values)
        elif before[one.topic_filter] != after[one.topic_filter]:
            # What the broker said, it said to the old request.
            answer: dict[str, Any] = {"granted_qos": None, "reason": "", "reason_context": {}}
            connection.subscriptions.filter(pk=known.pk).update(**values, **answer)
    # Forms may have prefetched the old ones.
    getattr(connection, "_prefetched_objects_cache", {}).pop("subscriptions", None)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    return {
        f"filter {name}": {"old": before.get(name), "new": after.get(name)}
        for name in [*after, *before]
        if name in changed
    }


def _summary(one: TopicSubscription) -> str:
    parts = [f"QoS {one.qos}", one.decoder, "" if one.is_active else "paused"]
    return ", ".join(part for part in parts if part)
