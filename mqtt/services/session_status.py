"""The one writer of a connection's status: row, timeline and, through the signal, every open page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from mqtt.enums import NodeKind
from mqtt.models import MqttConnection, StatusChange


def set_status(
    connection_id: int,
    status: str,
    reason: str = "",
    context: Mapping[str, Any] | None = None,
    *,
    token: UUID | None = None,
    **fields: Any,
) -> bool:
    """Write status, reason and further fields of the row; a StatusChange when the status is another one.

    With `token` only the lease that carries it may write. False: the connection is gone or held by another.
    """
    with transaction.atomic():
        # Without the key: a batch that refers to the row locks the lease first, and would wait for us in a circle.
        rows = MqttConnection.all_objects.select_for_update(of=("self",), no_key=True)
        if token is not None:
            rows = rows.filter(lease__token=token)
        connection = rows.filter(pk=connection_id).first()
        if connection is None:
            return False
        values = {"status": status, "status_reason": reason, "status_context": dict(context or {}), **fields}
        before = connection.status
        changed = [name for name, value in values.items() if getattr(connection, name) != value]
        if not changed:
            return True
        for name in changed:
            setattr(connection, name, values[name])
        if status != before:
            # The database's clock: it is compared with the lease's, by the same clock.
            connection.status_changed_at = Now()
            StatusChange.objects.create(
                kind=NodeKind.CONNECTION, object_id=connection_id, connection=connection, label=connection.name,
                from_status=before, to_status=status, at=timezone.now(), reason=reason, context=dict(context or {}),
            )  # fmt: skip
            changed.append("status_changed_at")
        connection.save(update_fields=sorted({"status", *changed}))
    return True
