"""How much each connection brings: totals, rates, lag and the age of the last message, written every 2 s."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from mqtt.models import ConnectionActivity
from mqtt.services.broadcast import broadcast_status_update
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.sessions.reports import Counters

WRITE_EVERY = 2.0
"""Seconds; also the least time between two pushes of the same connection's rates."""


class ActivityWriter:
    """Compares counters with those of its last visit; a connection that is quiet twice costs nothing."""

    def __init__(self) -> None:
        self._before: dict[int, Counters] = {}
        self._written_at = time.monotonic()
        self._busy: set[int] = set()

    def write(self, held: Iterable[HeldConnection]) -> None:
        """Write and announce what changed. Raises what the database raises; nothing is lost then."""
        now = time.monotonic()
        seconds = max(now - self._written_at, 0.001)
        present = {one.connection_id: replace(one.counters) for one in held}
        changes = {pk: self._change(pk, counters, seconds) for pk, counters in present.items()}
        statuses = {one.connection_id: one.status for one in held}
        changed = {pk: values for pk, values in changes.items() if values}
        if changed:
            with transaction.atomic():
                for pk, values in changed.items():
                    _store(pk, values)
        self._before, self._written_at = present, now
        self._busy = {pk for pk, values in changed.items() if values["message_rate"] or values["reading_rate"]}
        for pk in changed:
            broadcast_status_update(pk, statuses[pk], ["activity"])

    def _change(self, pk: int, now: Counters, seconds: float) -> dict[str, Any]:
        before = self._before.get(pk, Counters())
        if now == before and pk not in self._busy:
            return {}
        values: dict[str, Any] = {
            "messages_total": now.messages - before.messages,
            "readings_total": now.readings - before.readings,
            "undecoded_total": now.undecoded - before.undecoded,
            "dropped_total": now.dropped - before.dropped,
            "refused_total": now.refused - before.refused,
            "repeated_total": now.repeated - before.repeated,
            "message_rate": (now.messages - before.messages) / seconds,
            "reading_rate": (now.readings - before.readings) / seconds,
            "lag_seconds": now.lag_seconds,
            "measured_at": datetime.now(UTC),
        }
        if now.last_message_at:
            values["last_message_at"] = datetime.fromtimestamp(now.last_message_at, UTC)
        return values


def _store(pk: int, values: dict[str, Any]) -> None:
    """Add the totals to the row, which is made when it is missing."""
    totals = {name: value for name, value in values.items() if name.endswith("_total")}
    added = {name: F(name) + value for name, value in totals.items()}
    if not ConnectionActivity.objects.filter(pk=pk).update(**values | added):
        ConnectionActivity.objects.create(connection_id=pk, **values)
