"""The one signal: a saved connection status is announced to every page."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from mqtt.models import MqttConnection
from mqtt.services.broadcast import broadcast_status_update


@receiver(post_save, sender=MqttConnection)
def mqtt_connection_post_save(
    instance: MqttConnection, update_fields: frozenset[str] | None, raw: bool = False, **_: Any
) -> None:
    """Broadcast after the commit, and only when the save names `status`."""
    if update_fields and "status" in update_fields and not raw:
        pk, status, changed = instance.pk, instance.status, sorted(update_fields)
        transaction.on_commit(lambda: broadcast_status_update(pk, status, changed))
