"""The connections that this process holds: taken, followed as their rows say, handed over, and given back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from mqtt.enums import ConnectionStatus
from mqtt.models import ConnectionLease, MqttConnection
from mqtt.services.broadcast import wake_up
from mqtt.services.holding.activity import ActivityWriter
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.holding.leases import Leases, nobody_holds
from mqtt.services.holding.shares import Shares
from mqtt.services.holding.wake_ups import Alarm
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions.broker_session import BrokerSession
from mqtt.services.sessions.silence import ConnectionGaps

logger = logging.getLogger(__name__)


class Holdings:
    """Only the service's main thread calls its methods; any may read `held`.

    They raise what the database raises while it is away; what else goes wrong with one connection is logged, and the
    others go on.
    """

    def __init__(self, leases: Leases, inbox: Inbox, alarm: Alarm) -> None:
        self.held: dict[int, HeldConnection] = {}
        self._leases = leases
        self._inbox = inbox
        self._alarm = alarm
        self._shares = Shares(leases.holder)
        self._activity = ActivityWriter()
        self._leaving: list[BrokerSession] = []
        """Of deleted connections, until they have left their brokers."""

    def renew(self) -> None:
        """Say that we live, and let go what another process has taken."""
        self._drop(self._leases.renew())
        self._shares.beat()

    def look(self) -> QuerySet[MqttConnection]:
        """Follow every row: take what is ours to take, let go what is gone or too much. Returns the rows."""
        free = Q(lease__isnull=True) | nobody_holds("lease__") | Q(lease__holder=self._leases.holder)
        is_free = Case(When(free, then=Value(True)), default=Value(False), output_field=BooleanField())
        rows = MqttConnection.all_objects.select_related("lease").annotate(is_free=is_free)
        present, unheld, total = set(), list[int](), 0
        for row in rows:
            present.add(row.pk)
            total += row.is_enabled
            if row.pk in self.held:
                with _apart(row.pk):
                    self.held[row.pk].follow(row)
            elif row.is_free and _needs_a_holder(row):
                unheld.append(row.pk)
        for pk in self._shares.may_take(unheld, len(self.held), max(total, len(self.held))):
            with _apart(pk):
                self._take(pk)
        for pk in self.held.keys() - present:
            logger.info("Connection %s was deleted", pk)
            session = self.held.pop(pk).session
            self._leases.forget([pk])
            if session:
                session.stop(end_session=True)
                self._leaving.append(session)
        self._give_away(total)
        return rows

    def _give_away(self, total: int) -> None:
        """One connection at a time, while we hold more than our share and nothing is on its way already."""
        ours = [one for one in self.held.values() if one.can_leave]
        if not any(one.is_leaving for one in self.held.values()) and self._shares.has_too_many(len(ours), total):
            logger.info("Handing connection %s over to another process", ours[-1].connection_id)
            ours[-1].hand_over()

    def _take(self, pk: int) -> None:
        if not self._leases.acquire(pk):
            return
        try:
            self._begin(pk)
        except BaseException:
            # Renewed without a session it would keep everybody away, us too; the next look takes it anew.
            self.held.pop(pk, None)
            self._leases.forget([pk])
            raise

    def _begin(self, pk: int) -> None:
        row = MqttConnection.all_objects.filter(pk=pk).first()
        lease = ConnectionLease.objects.filter(pk=pk).first()
        if row is None or lease is None:
            self._leases.forget([pk])
            return
        logger.info("Holding connection %s (%s)", pk, row.name)
        gaps = ConnectionGaps(pk)
        one = HeldConnection(pk, self._leases.tokens()[pk], self._inbox, self._alarm, gaps, status=row.status)
        self.held[pk] = one
        one.begin(row, lease)

    def _drop(self, lost: set[int]) -> None:
        """Another process holds them now; the broker's sessions are theirs to go on with."""
        for pk in lost:
            logger.warning("Another process took connection %s over", pk)
            session = self.held.pop(pk).session
            if session:
                session.stop(end_session=False, quietly=True)

    def write_reports(self) -> None:
        """Write what the sessions found, and give back what has ended."""
        ended = []
        for pk, one in self.held.items():
            with _apart(pk):
                if one.write_reports():
                    ended.append(pk)
        if ended:
            self.write_activity()  # while their last counts are still known
            self._leases.release(ended)
            for pk in ended:
                if self.held.pop(pk).is_leaving:
                    wake_up(pk)  # another process need not wait for its next look
        self._leaving = [session for session in self._leaving if not session.is_finished]

    def write_activity(self) -> None:
        """Write what the connections bring."""
        self._activity.write(list(self.held.values()))

    def stop(self) -> list[BrokerSession]:
        """Let all sessions leave their brokers, which keep them; returns those that are still at it."""
        sessions = [one.session for one in self.held.values() if one.session]
        for session in sessions:
            session.stop(end_session=False)
        return [*sessions, *self._leaving]

    def give_back(self) -> None:
        """At the end: write what the sessions said last, and let others have the connections at once."""
        for pk, one in self.held.items():
            with _apart(pk):
                one.write_reports()
        self.write_activity()
        self._leases.release(self.held)
        self._shares.leave()


@contextmanager
def _apart(pk: int) -> Iterator[None]:
    """Keep one connection's trouble from the others; a database that is away is everybody's."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Connection %s cannot be looked after", pk)


def _needs_a_holder(row: MqttConnection) -> bool:
    """Enabled, or switched off with something left to do."""
    lease = getattr(row, "lease", None)
    return row.is_enabled or row.status != ConnectionStatus.DISABLED or bool(lease and lease.session_open)
