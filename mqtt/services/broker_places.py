"""Which sessions are held at the embedded broker, in a file: who starts that broker loads no models.

In it are client ids and filters, and no logins: whoever means the embedded broker has its login.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from mqtt.enums import Protocol, Transport
from mqtt.models import MqttConnection

LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}


def means_embedded_broker(row: MqttConnection) -> bool:
    """Whether a connection leads to the embedded broker, in the one way that it speaks."""
    hosts = LOCAL_HOSTS | {settings.EMBEDDED_BROKER_HOST}
    way = (row.port, row.transport, row.protocol)
    return row.host in hosts and way == (settings.EMBEDDED_BROKER_PORT, Transport.TCP, Protocol.V311)


def write_places(path: Path) -> None:
    """Write them as the database has them: [[client id, [[filter, QoS], ...]], ...]. Raises OSError."""
    rows = MqttConnection.objects.filter(is_enabled=True).prefetch_related("subscriptions")
    places = []
    for row in filter(means_embedded_broker, rows):
        active = [[one.topic_filter, one.qos] for one in row.subscriptions.all() if one.is_active]
        if active:
            places.append([row.client_id, active])
    own = path.with_name(f"{path.name}.{os.getpid()}")
    own.write_text(json.dumps(places))
    own.replace(path)


class BrokerPlaces:
    """Keeps the file as the rows are."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._written: set[tuple[int, int]] | None = None

    def follow(self, rows: Iterable[MqttConnection]) -> None:
        """Write it anew when a connection or its filters changed. Raises what the database raises."""
        if self._path is None:
            return
        enabled = (row for row in rows if row.is_enabled and row.deleted_at is None)
        wanted = {(row.pk, row.settings_revision) for row in enabled if means_embedded_broker(row)}
        if wanted == self._written:
            return
        try:
            write_places(self._path)
        except OSError:  # a full disk: no place is better than one that nobody wants any more
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._written = wanted
