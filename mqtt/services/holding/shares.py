"""How many connections this process should hold, so that several share them fairly.

Every process keeps a row alive by the database's clock. Who holds more than its share gives one away at a
time; who holds less takes what is free. Shares are rounded up, so together they are never too few, and a
process that holds its share neither gives nor takes: nothing moves to and fro.
"""

import math
import time
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from mqtt.models import LEASE_TIME, LONGEST_LEASE, MqttWorker

STEADY_AFTER = timedelta(seconds=5)
"""A process counts for giving away only when it lives so long: one that keeps dying must not be fed."""

LEFT_OVER_AFTER = 5.0
"""Seconds after which anybody takes what is free: its share may belong to a process that just died."""

FORGOTTEN_AFTER = timedelta(minutes=1)


class Shares:
    """This process among the others; used by the main thread."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._free_since: dict[int, float] = {}

    def beat(self) -> None:
        """Say that we live; a dead process is forgotten after a while."""
        mine = MqttWorker.objects.filter(pk=self._holder)
        if not mine.update(expires_at=Now() + LEASE_TIME):
            MqttWorker.objects.create(holder=self._holder, started_at=Now(), expires_at=Now() + LEASE_TIME)
            MqttWorker.objects.filter(expires_at__lt=Now() - FORGOTTEN_AFTER).delete()

    def leave(self) -> None:
        """We stop: our share is the others'."""
        MqttWorker.objects.filter(pk=self._holder).delete()

    def may_take(self, free: Iterable[int], held: int, total: int) -> list[int]:
        """Which of the free connections are ours to take."""
        now = time.monotonic()
        self._free_since = {pk: self._free_since.get(pk, now) for pk in free}
        if not self._free_since:
            return []
        room = max(0, self._share(total, MqttWorker.objects.all()) - held)
        chosen = list(self._free_since)
        return chosen[:room] + [pk for pk in chosen[room:] if now - self._free_since[pk] > LEFT_OVER_AFTER]

    def has_too_many(self, held: int, total: int) -> bool:
        """Whether another process should have one of ours."""
        return held > 1 and held > self._share(total, MqttWorker.objects.filter(started_at__lt=Now() - STEADY_AFTER))

    def _share(self, total: int, workers: QuerySet[MqttWorker]) -> int:
        others = (
            workers.filter(expires_at__gt=Now(), expires_at__lte=Now() + LONGEST_LEASE).exclude(pk=self._holder).count()
        )
        return math.ceil(total / (others + 1))
