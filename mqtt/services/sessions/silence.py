"""When a link that is up has been silent for too long: the rule of the devices, for a whole connection."""

from django.db import transaction

from mqtt.gaps import Gaps
from mqtt.models import ConnectionRhythm, MqttConnection
from mqtt.rhythm import SILENCE_LATE
from mqtt.services.sessions.link_reasons import Reason

SILENT_AFTER = 300.0
"""Seconds without a message after which a link that is up counts as silent while nothing is known of its rhythm. Not a
day as for a device: silence on a whole connection is what one sees of filters or rights that do not fit."""


class ConnectionGaps:
    """How often anything comes on a connection, from one session to the next; learned by the session's thread."""

    def __init__(self, connection_id: int) -> None:
        self._connection_id = connection_id
        self._gaps = Gaps()
        self._is_due = False

    def add(self, seconds: float, ended_us: int) -> None:
        """Count a gap between live messages."""
        gap = int(seconds * 1e6)
        if not self._gaps.rests(gap, ended_us) and self._gaps.add(gap, ended_us):
            self._is_due = True

    def silence(self, quiet: float) -> Reason | None:
        """Why the link counts as silent after so many quiet seconds, if it does."""
        expected = self._gaps.expectation()
        if expected.late_after is None:
            return None
        if expected.interval is None:
            if quiet <= max(SILENT_AFTER, SILENCE_LATE * self._gaps.silence):
                return None
            return Reason("silent", {"silence_seconds": round(quiet)})
        if quiet <= expected.late_after:
            return None
        facts = {"silence_seconds": round(quiet), "interval_seconds": round(expected.interval, 1)}
        return Reason("silent_usually", facts)

    def read(self) -> None:
        """Take over what the last holder of the connection learned."""
        memory = ConnectionRhythm.objects.filter(pk=self._connection_id).values_list("memory", flat=True).first()
        self._gaps.unpack(bytes(memory or b""))

    def write(self) -> None:
        """Store what follows from the gaps, when that changed. Raises what the database raises."""
        if not self._is_due:
            return
        self._is_due = False
        expected = self._gaps.expectation()
        row = ConnectionRhythm(pk=self._connection_id, memory=self._gaps.pack(), **expected._asdict())
        try:
            with transaction.atomic():
                if MqttConnection.objects.select_for_update(no_key=True).filter(pk=self._connection_id).exists():
                    ConnectionRhythm.objects.bulk_create(
                        [row],
                        update_conflicts=True,
                        unique_fields=["connection"],
                        update_fields=["interval", "source", "late_after", "offline_after", "memory"],
                    )
        except BaseException:
            self._is_due = True
            raise
