"""Which connections this process holds: rows taken, renewed and given back by conditional updates.

All times are the database's own (`Now()`), so that processes on machines with different clocks agree.
"""

import os
import secrets
import socket
import uuid
from collections.abc import Iterable

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from mqtt.models import LEASE_TIME, LONGEST_LEASE, ConnectionLease

RENEW_EVERY = 3.0
"""Seconds; a lease survives two missed renewals."""


def new_holder(worker_name: str) -> str:
    """A name that no other process has, nor this one after a restart; begins with what people know it by."""
    name = worker_name or f"{socket.gethostname()}:{os.getpid()}"
    return f"{name[:100]} {secrets.token_hex(6)}"


def nobody_holds(prefix: str = "") -> Q:
    """The leases that hold nobody up; `prefix` is the way to them."""
    now = Now()
    return Q(**{f"{prefix}expires_at__lte": now}) | Q(**{f"{prefix}expires_at__gt": now + LONGEST_LEASE})


class Leases:
    """The leases of one process. `tokens` may be read by every thread."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._tokens: dict[int, uuid.UUID] = {}

    def tokens(self) -> dict[int, uuid.UUID]:
        """{connection id: token} of what is held; never changed in place."""
        return self._tokens

    def acquire(self, connection_id: int) -> bool:
        """Take a connection that nobody holds; False: another process was first."""
        token = uuid.uuid4()
        values = {"holder": self.holder, "token": token, "expires_at": Now() + LEASE_TIME}
        free = ConnectionLease.objects.filter(nobody_holds() | Q(holder=self.holder), pk=connection_id)
        if not free.update(**values) and not self._insert(connection_id, values):
            return False
        self._tokens = {**self._tokens, connection_id: token}
        return True

    def renew(self) -> set[int]:
        """Extend all; returns what another process has taken meanwhile, which is no longer ours."""
        held = set(self._tokens)
        if not held:
            return set()
        ours = ConnectionLease.objects.filter(pk__in=held, holder=self.holder)
        if update_in_order(ours, expires_at=Now() + LEASE_TIME) == len(held):
            return set()
        lost = held - set(ours.values_list("pk", flat=True))
        self.forget(lost)
        return lost

    def release(self, connection_ids: Iterable[int]) -> None:
        """Let others take them at once."""
        given = set(connection_ids) & set(self._tokens)
        update_in_order(ConnectionLease.objects.filter(pk__in=given, holder=self.holder), expires_at=Now(), holder="")
        self.forget(given)

    def forget(self, connection_ids: Iterable[int]) -> None:
        """No longer ours, whatever the database says."""
        gone = set(connection_ids)
        self._tokens = {pk: token for pk, token in self._tokens.items() if pk not in gone}

    @staticmethod
    def _insert(connection_id: int, values: dict[str, object]) -> bool:
        if ConnectionLease.objects.filter(pk=connection_id).exists():
            return False
        try:
            with transaction.atomic():
                ConnectionLease.objects.create(connection_id=connection_id, **values)
        except IntegrityError:  # somebody else inserted it just now, or the connection was deleted
            return False
        return True


def update_in_order(leases: QuerySet[ConnectionLease], **values: object) -> int:
    """Update several; batches lock them by their number, and an update in another order could stand against one."""
    with transaction.atomic():
        pks = list(leases.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        return ConnectionLease.objects.filter(pk__in=pks).update(**values)


def locked_leases(connection_ids: Iterable[int]) -> dict[int, tuple[uuid.UUID, int]]:
    """{connection id: (token, version of its devices)} as stored; locked until the end of the transaction.

    In plain SQL, because each batch begins with it: building the queryset would cost more than the answer.
    """
    wanted = sorted(connection_ids)
    if not wanted:
        return {}
    marks = ", ".join(["%s"] * len(wanted))
    # SQLite has one writer, and each of its transactions is that of a writer.
    lock = "" if connection.vendor == "sqlite" else " FOR NO KEY UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT connection_id, token, devices_version FROM mqtt_connectionlease "  # noqa: S608 - marks alone
            f"WHERE connection_id IN ({marks}) ORDER BY connection_id{lock}",
            wanted,
        )
        return {
            pk: (token if isinstance(token, uuid.UUID) else uuid.UUID(token), version)
            for pk, token, version in cursor.fetchall()
        }
