"""Messages that were not understood, decoded again after a mapping or a better decoder: asked for, and settled."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from mqtt.enums import AuditAction, NodeKind
from mqtt.models import DiscoveredTopic, MqttConnection, UndecodedMessage
from mqtt.services.audit import Actor, record
from mqtt.services.broadcast import wake_up


def request_again(actor: Actor, messages: Any) -> int:
    """Ask for these messages (a queryset) to be decoded again; returns how many. An mqtt process does it."""
    with transaction.atomic():
        counts: dict[int, int] = {}
        for connection_id in messages.filter(read_again=False).order_by().values_list("connection_id", flat=True):
            counts[connection_id] = counts.get(connection_id, 0) + 1
        messages.order_by().update(read_again=True)
        for connection in MqttConnection.objects.filter(pk__in=counts):
            details = {"messages": counts[connection.pk]}
            record(actor, AuditAction.READ_AGAIN, NodeKind.CONNECTION, connection, details)
        for connection_id in counts:
            transaction.on_commit(partial(wake_up, connection_id))
    return sum(counts.values())


def waiting(connection_ids: Iterable[int], without: Iterable[int], most: int) -> list[UndecodedMessage]:
    """What is to be decoded again on these connections, oldest first."""
    rows = UndecodedMessage.objects.filter(connection__in=list(connection_ids), read_again=True)
    return list(rows.exclude(pk__in=list(without)).order_by("pk")[:most])


def settle(understood: Sequence[tuple[int, int, str]], failed: Sequence[tuple[int, str, dict[str, Any]]]) -> None:
    """Drop what became readings, (kept id, connection, topic); note why the rest did not, (kept id, reason, context).

    Runs in the transaction that stores the readings, so that a message is either kept or stored.
    """
    if understood:
        UndecodedMessage.objects.filter(pk__in=[kept_id for kept_id, _, _ in understood]).delete()
        counts: dict[tuple[int, str], int] = {}
        for _, connection_id, topic in understood:
            counts[connection_id, topic] = counts.get((connection_id, topic), 0) + 1
        for (connection_id, topic), count in counts.items():
            DiscoveredTopic.objects.filter(connection=connection_id, topic=topic).update(
                undecoded_count=Greatest(F("undecoded_count") - count, Value(0))
            )
    for kept_id, reason, context in failed:
        UndecodedMessage.objects.filter(pk=kept_id).update(read_again=False, reason=reason, context=context)
