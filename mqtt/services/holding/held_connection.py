"""One connection as this process holds it: follow its row, run its session, write what the session reports."""

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from mqtt.encryption import SecretUnreadableError
from mqtt.enums import ConnectionStatus
from mqtt.models import CommittedPackets, ConnectionLease, MqttConnection, TopicSubscription
from mqtt.services.broadcast import broadcast_status_update
from mqtt.services.holding.wake_ups import Alarm
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.session_status import set_status
from mqtt.services.sessions.broker_session import BrokerSession
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.outbox import Answer
from mqtt.services.sessions.reports import Counters, FilterAnswer, Report
from mqtt.services.sessions.silence import ConnectionGaps
from mqtt.services.sessions.statistics import SessionStatistics

logger = logging.getLogger(__name__)

RESTART_AFTER = 30.0
"""Seconds after which a session that failed inside is tried again."""


@dataclass(slots=True)
class HeldConnection:
    """Only the service's main thread calls its methods; processor and network threads touch `session` alone."""

    connection_id: int
    token: UUID
    inbox: Inbox
    alarm: Alarm
    gaps: ConnectionGaps
    counters: Counters = field(default_factory=Counters)
    answers: "deque[Answer]" = field(default_factory=deque)
    """What became of the commands that its sessions were given."""
    statistics: SessionStatistics = field(default_factory=SessionStatistics)
    session: BrokerSession | None = None
    status: str = ""
    is_leaving: bool = False
    """Another process goes on with it as soon as the session here has ended."""
    _revision: int = 0
    _resubscribed_at: datetime | None = None
    _retried_at: datetime | None = None
    _failed_at: float = 0.0
    _refusal_noted: bool = False

    def begin(self, row: MqttConnection, lease: ConnectionLease) -> None:
        """Start where the last holder left off: with the session that the broker may keep."""
        self._resubscribed_at = row.resubscribe_requested_at
        self._retried_at = row.next_retry_at
        self.gaps.read()
        self._refusal_noted = lease.statistics_refused
        self.statistics = SessionStatistics(is_refused=lease.statistics_refused)
        settings = self._read(row)
        if settings is None:
            return
        former = lease.session_client_id or settings.client_id
        is_same = former == settings.client_id
        self._run(
            row,
            settings,
            kept_filters=lease.session_filters if is_same else (),
            is_kept=lease.session_open and is_same,
            is_noted=CommittedPackets.objects.filter(connection=row.pk).exists(),
            leftovers=[settings.with_client_id(former)] if lease.session_open and not is_same else [],
        )

    @property
    def can_leave(self) -> bool:
        """Whether another process may go on with it: not while its session with the broker is being ended."""
        return self.session is not None and not self.session.is_ending and not self.session.has_failed

    def hand_over(self) -> None:
        """Leave the broker with its session kept."""
        if self.session:
            self.is_leaving = True
            self.session.hand_over()

    def follow(self, row: MqttConnection) -> None:
        """Bring the session in line with the row: switch, settings, and what people asked for."""
        if self.is_leaving:
            return  # whoever holds it next does
        session = self.session
        if row.settings_revision != self._revision and row.is_enabled:
            self._change_settings(row)
        elif session is None:
            if not row.is_enabled:
                set_status(row.pk, ConnectionStatus.DISABLED, token=self.token)
        elif session.is_finished:
            # Switched off it begins anew too: somebody has to leave the broker.
            if (row.is_enabled or session.has_failed) and time.monotonic() - self._failed_at > RESTART_AFTER:
                self._change_settings(row, always=True)
        elif row.is_enabled == session.is_ending:
            if row.is_enabled:
                session.resume()
            else:
                session.stop(end_session=True)
        self._act_on_requests(row)

    def write_reports(self) -> bool:
        """Write what the session found, in order; whether it has ended for good. Raises what the database raises."""
        session = self.session
        if session is None:
            return False
        finished = session.is_finished  # asked first: a finished thread adds no reports
        while session.reports:
            self._write(session.reports[0])
            session.reports.popleft()
        if finished and session.has_failed and not self._failed_at:
            self._failed_at = time.monotonic()
        return finished and (session.is_ending or self.is_leaving)

    def _read(self, row: MqttConnection) -> ConnectionSettings | None:
        self._revision = row.settings_revision
        try:
            return ConnectionSettings.of(row)
        except SecretUnreadableError:
            set_status(row.pk, ConnectionStatus.ERROR, "secret_unreadable", token=self.token)
            return None

    def _change_settings(self, row: MqttConnection, *, always: bool = False) -> None:
        old = self.session
        settings = self._read(row)
        if settings is None or (old is not None and old.settings == settings and not always):
            return
        if old is not None:
            old.stop(end_session=False, quietly=True)
        self.statistics = SessionStatistics()
        self._run(row, settings, predecessor=old, is_noted=True)

    def _run(self, row: MqttConnection, settings: ConnectionSettings, **left_behind: Any) -> None:
        """Start a session that goes on with what others have `left_behind`."""
        self._failed_at = 0.0
        self.session = session = BrokerSession(
            settings,
            self.inbox,
            self.alarm.ring,
            counters=self.counters,
            gaps=self.gaps,
            answers=self.answers,
            statistics=self.statistics,
            **left_behind,
        )
        if not row.is_enabled:
            session.stop(end_session=True)
        session.start()

    def _act_on_requests(self, row: MqttConnection) -> None:
        session = self.session
        if row.resubscribe_requested_at != self._resubscribed_at:
            self._resubscribed_at = row.resubscribe_requested_at
            if session:
                self.statistics.ask_again()
                session.resubscribe()
        # Whoever asks to retry writes "now" where we had written a later time.
        asked, planned = row.next_retry_at, session.next_retry_at if session else None
        if session and asked and planned and asked < planned and asked <= timezone.now() and asked != self._retried_at:
            self._retried_at = asked
            session.retry_now()

    @transaction.atomic
    def _write(self, report: Report) -> None:
        times = {"last_connected_at": report.at} if report.connected else {}
        reason = report.reason
        ours = set_status(
            self.connection_id,
            report.status,
            reason.code if reason else "",
            reason.context if reason else {},
            token=self.token,
            retry_count=report.retry_count,
            next_retry_at=report.next_retry_at,
            **times,
        )
        if not ours:
            return
        self.status = report.status
        self._write_session(report)
        if report.answers is not None:
            self._write_answers(report.answers, report.status)

    def _write_session(self, report: Report) -> None:
        values: dict[str, object] = {}
        if report.session_open is not None and self.session:
            values["session_open"] = report.session_open
            values["session_client_id"] = self.session.settings.client_id if report.session_open else ""
        if report.kept_filters is not None:
            values["session_filters"] = list(report.kept_filters)
        if self.statistics.is_refused != self._refusal_noted:
            self._refusal_noted = self.statistics.is_refused
            values["statistics_refused"] = self._refusal_noted
        if values:
            ConnectionLease.objects.filter(pk=self.connection_id, token=self.token).update(**values)
        if report.session_open is False:
            CommittedPackets.objects.filter(connection=self.connection_id).delete()

    def _write_answers(self, answers: tuple[FilterAnswer, ...], status: str) -> None:
        for answer in answers:
            reason = answer.reason
            TopicSubscription.objects.filter(connection=self.connection_id, topic_filter=answer.topic_filter).update(
                granted_qos=answer.granted_qos,
                reason=reason.code if reason else "",
                reason_context=dict(reason.context) if reason else {},
            )
        transaction.on_commit(lambda: broadcast_status_update(self.connection_id, status, ["subscriptions"]))
