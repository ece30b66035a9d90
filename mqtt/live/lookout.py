"""What no event announces: statuses that nobody vouches for any more, connections that came and went, rates."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import Max
from django.utils import timezone

from mqtt.live.changes import Change
from mqtt.models import AuditEntry, MqttConnection, StatusChange
from mqtt.templatetags.mqtt_rows import PATIENCE


class Seen(NamedTuple):
    """What is looked at of a connection."""

    effective_status: str
    is_vouched: bool
    """Its devices' availability is believed."""
    is_lost_long: bool
    """Disconnected for so long that amber turns red."""
    measured_at: Any
    """When its rates were written last."""


class Sight(NamedTuple):
    """One look around."""

    connections: dict[int, Seen]
    journal: tuple[int, int]
    """The newest status change and the newest audit entry."""


NOTHING = Sight({}, (0, 0))


def look_around() -> Sight:
    """All connections by the database's clock, and how far the journals are."""
    annotated: Any = MqttConnection.objects.with_effective_status()
    connections = annotated.values_list("pk", "effective_status", "status_changed_at", "activity__measured_at")
    believed = set(MqttConnection.objects.vouched().values_list("pk", flat=True))
    long_ago = timezone.now() - PATIENCE
    seen = {
        pk: Seen(status, pk in believed, status == "disconnected" and bool(since) and since < long_ago, measured)
        for pk, status, since, measured in connections.order_by()
    }
    newest = [model.objects.aggregate(newest=Max("pk"))["newest"] or 0 for model in (StatusChange, AuditEntry)]
    return Sight(seen, (newest[0], newest[1]))


def changes(before: Sight, now: Sight) -> Iterator[Change]:
    """What is different in the later of two looks."""
    for pk in before.connections.keys() | now.connections.keys():
        old, new = before.connections.get(pk), now.connections.get(pk)
        if old == new:
            continue
        change = Change(connection_id=pk, rows={"connection": {pk}}, words={"rates"})
        if old is None or new is None:
            change.words |= {"sweep", "new", "new connection"}
        elif (old.effective_status, old.is_vouched) != (new.effective_status, new.is_vouched):
            change.words.add("sweep")
            change.whole_connection = True
        yield change
    if before.journal != now.journal:
        yield Change(words={"journal"})
