"""Publishing for people and programs: checked, audited, stored as a row that an mqtt process claims."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from mqtt import topics
from mqtt.enums import AuditAction, CommandState, NodeKind
from mqtt.events import CommandChanged
from mqtt.exceptions import ServiceError
from mqtt.models import COMMAND_PATIENCE, Command, MqttConnection
from mqtt.services.audit import Actor, record
from mqtt.services.broadcast import broadcast_event, wake_up

MAX_PAYLOAD = 128 * 1024
"""Bytes; the least that a large cloud broker takes."""
MOST_WAITING = 100
"""Commands of one connection that may wait at a time: what a program sends in a loop must not fill the table."""
KEPT = timedelta(days=90)
SHOWN = 200
"""Characters of a payload in the audit."""


def request_publish(
    actor: Actor, connection: MqttConnection, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
) -> Command:
    """Ask an mqtt process to publish; it does so within a moment or never. Raises ServiceError."""
    code = topics.topic_error(topic)
    if code:
        raise ServiceError(code, limit=topics.MAX_PUBLISH_LENGTH)
    if len(payload) > MAX_PAYLOAD:
        raise ServiceError("payload_too_large", size=len(payload), limit=MAX_PAYLOAD)
    with transaction.atomic():
        row = MqttConnection.objects.select_for_update(no_key=True).filter(pk=connection.pk).first()
        if row is None:
            raise ServiceError("gone", name=connection.name)
        if not row.is_enabled:
            raise ServiceError("not_enabled", name=row.name)
        waiting = row.commands.filter(state=CommandState.QUEUED, requested_at__gt=Now() - COMMAND_PATIENCE).count()
        if waiting >= MOST_WAITING:
            raise ServiceError("too_many_commands", count=waiting)
        command = Command.objects.create(
            connection=row, topic=topic, payload=payload, qos=qos, retain=retain,
            requested_by=actor.user, actor=actor.name[:150],
        )  # fmt: skip
        details = {"topic": topic, "payload": _readable(payload), "bytes": len(payload), "qos": qos, "retain": retain}
        record(actor, AuditAction.PUBLISHED, NodeKind.CONNECTION, row, details)
        announce(command.pk, row.pk)
        transaction.on_commit(lambda: wake_up(row.pk))
    return command


def announce(command_id: int, connection_id: int) -> None:
    """Tell open pages about a command, after the commit."""
    transaction.on_commit(lambda: broadcast_event(CommandChanged(connection_id=connection_id, command_id=command_id)))


def _readable(payload: bytes) -> str:
    return payload[: SHOWN * 4].decode("utf-8", "replace").replace("\0", "\ufffd")[:SHOWN]
