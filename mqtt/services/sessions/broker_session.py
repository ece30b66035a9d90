"""Our session with one broker: a thread that holds a link, reconnects it, and ends the session when asked.

The thread reports what it finds, in order; the service writes the reports. Settings never change within a
session object: changed settings make a new one.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from django.utils import timezone

from mqtt.enums import ConnectionStatus
from mqtt.messages import InboundMessage, Request
from mqtt.services.broker_facts import FILTERS
from mqtt.services.mqtt_connection import OWN_BIRTH, Link
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.clearing import Clearing
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.ending import SETTLING, end_elsewhere, say_goodbye
from mqtt.services.sessions.filters import SessionFilters
from mqtt.services.sessions.intake import Intake
from mqtt.services.sessions.link_reasons import LinkError, Reason
from mqtt.services.sessions.outbox import Answer, Outbox, Outgoing
from mqtt.services.sessions.reports import Counters
from mqtt.services.sessions.requests import SessionRequests
from mqtt.services.sessions.retries import Retries
from mqtt.services.sessions.silence import ConnectionGaps
from mqtt.services.sessions.statistics import SessionStatistics
from mqtt.services.sessions.voice import Voice

logger = logging.getLogger(__name__)


class Wish(Enum):
    """What the service wants of a session."""

    RUN = "run"
    STOP = "stop"
    END = "end"


class BrokerSession:
    """Start it once, stop it once; `is_finished` says when its thread has left the broker alone."""

    def __init__(
        self,
        settings: ConnectionSettings,
        inbox: Inbox,
        notify: Callable[[], None],
        *,
        counters: Counters | None = None,
        gaps: ConnectionGaps | None = None,
        answers: "deque[Answer] | None" = None,
        statistics: SessionStatistics | None = None,
        kept_filters: Iterable[str] = (),
        is_kept: bool = False,
        is_noted: bool = False,
        leftovers: Iterable[ConnectionSettings] = (),
        predecessor: "BrokerSession | None" = None,
    ) -> None:
        """`is_kept`: the broker may hold a session of ours, with `kept_filters`; `leftovers` are to be ended first.

        `is_noted`: packet ids are noted, and must be forgotten before a new session brings its first message.
        A stopped `predecessor` with other settings hands on what it leaves behind when its thread has ended.
        """
        self.settings = settings
        self.counters = counters or Counters()
        self.next_retry_at: datetime | None = None
        self.leftovers = list(leftovers)
        self.is_kept = is_kept
        self._outbox = Outbox(deque() if answers is None else answers, notify)
        self._requests = SessionRequests(self.counters)
        self._filters = SessionFilters(settings.filters, kept_filters, FILTERS if settings.reads_statistics else ())
        self._statistics = statistics or SessionStatistics()
        self._clearing = Clearing(is_noted=is_noted)
        self._hands_over = False
        self._predecessor = predecessor
        self._gaps = gaps or ConnectionGaps(settings.connection_id)
        self._intake = Intake(inbox, self.counters, self._filters, self._gaps, self._statistics)
        self._notify = notify
        self._voice = Voice(notify)
        self.reports = self._voice.reports
        self._wish = Wish.RUN
        self._is_quiet = False
        self.has_failed = False
        """The thread ended by an error of ours, or there was no room for it."""
        self._nudged = threading.Event()
        self._resubscribe = False
        self._link: Link | None = None
        self._retries = Retries(settings)
        self._up_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"session-{settings.connection_id}", daemon=True)

    @property
    def is_finished(self) -> bool:
        """Whether the thread has ended, or could not begin; what it had to say is in `reports`."""
        return self.has_failed if self._thread.ident is None else not self._thread.is_alive()

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end the broker's session."""
        return self._wish is Wish.END

    @property
    def is_up(self) -> bool:
        """Whether it has a link on which something can be published."""
        link = self._link
        return link is not None and link.is_up and self._wish is Wish.RUN

    @property
    def kept_filters(self) -> set[str]:
        """The filters that the broker's session holds."""
        return self._filters.kept

    def start(self) -> None:
        """Begin connecting; without room for another thread it has failed at once."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self._fail(error)
            self._outbox.close()

    def stop(self, *, end_session: bool, quietly: bool = False) -> None:
        """Leave the broker; `end_session`: have it forget us, and keep trying until it has. Returns at once.

        `quietly`: somebody else goes on with this client id, so nothing is said about going offline.
        """
        self._is_quiet = quietly
        self._wish = Wish.END if end_session else Wish.STOP
        self._nudge()

    def publish(self, message: Outgoing) -> None:
        """Send a message for somebody; what became of it is in the answers. Returns at once."""
        self._outbox.put(message)
        self._nudge_link()

    def request(self, requests: Iterable[Request]) -> None:
        """Publish what decoders want, while the link is up. Returns at once."""
        if self.is_up:
            self._requests.put(requests)
            self._nudge_link()

    def hand_over(self) -> None:
        """Leave so that another process goes on: what was read is stored and acknowledged first. Returns at once."""
        self._hands_over = True
        self.stop(end_session=False, quietly=True)

    def resume(self) -> None:
        """Wanted again after `stop(end_session=True)`: what is not yet ended is ended before connecting."""
        self._wish = Wish.RUN
        self._nudge()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it ended in time."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def retry_now(self) -> None:
        """Do not wait any longer for the next try."""
        self._nudge()

    def resubscribe(self) -> None:
        """Subscribe to every filter again."""
        self._resubscribe = True
        link = self._link
        if link:
            link.wake()

    def acknowledge(self, messages: Sequence[InboundMessage]) -> None:
        """Acknowledge what is committed, in arrival order; messages of an earlier link come again by themselves."""
        link = self._link
        if link:
            ours = [one for one in messages if one.session == link.number]
            link.acknowledge([one.mid for one in ours if one.mid])
            self._clearing.stored(link, ours)

    # The thread

    def _run(self) -> None:
        try:
            self._inherit()
            if self._wish is Wish.RUN:
                self._voice.report(ConnectionStatus.CONNECTING)
            while self._wish is not Wish.STOP:
                self._nudged.clear()
                if self._wish is Wish.END and self.is_kept:
                    self.leftovers.append(self.settings)
                    self.is_kept = False
                reason = self._end_leftover() if self.leftovers else self._live()
                if reason is not None:
                    self._pause(reason)
                elif self._wish is Wish.END and not self.leftovers and not self.is_kept:
                    self._voice.report(ConnectionStatus.DISABLED, session_open=False, kept_filters=())
                    break
        except Exception as error:  # noqa: BLE001 - logged and reported
            self._fail(error)
        finally:
            self._outbox.close()
            self._notify()

    def _fail(self, error: Exception) -> None:
        self.has_failed = True
        logger.error("The session of connection %s failed", self.settings.connection_id, exc_info=error)
        self._voice.report(ConnectionStatus.ERROR, link_reasons.of_failure(error))

    def _inherit(self) -> None:
        """Wait for the predecessor to leave; another broker or client id leaves a session behind to be ended."""
        old, self._predecessor = self._predecessor, None
        if old is None:
            return
        old.join(link_reasons.TAKEN_OVER_WAIT)
        if old.has_failed:
            old._inherit()  # noqa: SLF001 - it may have had no thread to do so
        self.leftovers += old.leftovers
        if old.settings.broker_session == self.settings.broker_session:
            self.is_kept, self._filters.kept = old.is_kept, old.kept_filters
        elif old.is_kept:
            self.leftovers.append(old.settings)

    def _live(self) -> Reason | None:
        """Hold one link; why it ended, or None when it was to end."""
        if self._wish is not Wish.RUN:
            return None
        link = None
        try:
            link = self._link = Link(self.settings, self)
            link.open()
            reason = self._drive(link)
        except LinkError as error:
            reason = error.reason
        finally:
            self._link = None
            self._statistics.link_ended()
            self._outbox.link_ended()
            self._requests.link_ended()
            if link:
                link.close()
        return reason

    def _drive(self, link: Link) -> Reason | None:
        link.wait_until_up(lambda: self._wish is Wish.RUN)
        while self._wish is Wish.RUN:
            self._tend(link)
            if not link.step(1.0):
                return self._after_life(link)
        self._leave(link)
        return None

    def _tend(self, link: Link) -> None:
        self._outbox.send(link)
        self._requests.send(link)
        if self._clearing.is_on:
            if not self._clearing.is_over(link):
                return
            self._subscribe(link)
        if self._resubscribe:
            self._resubscribe = False
            self._filters.subscribe(link)
        self._filters.insist(link)
        self._statistics.tend(link)
        if self._voice.may_fall_silent:
            silence = self._gaps.silence(self._intake.quiet_for())
            if silence is not None:
                self._voice.silent(silence)

    def _leave(self, link: Link) -> None:
        """Say goodbye on a link that is no longer wanted."""
        ending = self._wish is Wish.END
        if link.is_up:
            if self._hands_over:
                link.settle(SETTLING)
                self._intake.is_closed = True
            say_goodbye(link, ending=ending, quietly=self._is_quiet)
            if ending and self.settings.is_v5:
                self.is_kept = False

    def _after_life(self, link: Link) -> Reason:
        """What the end of a link means, in the light of those before."""
        reason = link.reason or link_reasons.plain("link_lost", self.settings)
        if not self._up_at:
            return reason
        lived, self._up_at = time.monotonic() - self._up_at, 0.0
        return self._retries.after_life(reason, lived)

    def _end_leftover(self) -> Reason | None:
        settings = self.leftovers[0]
        reason = end_elsewhere(settings, self.settings, self, lambda: self._wish is not Wish.STOP)
        if reason is not None:
            return reason
        self.leftovers.remove(settings)
        if settings.broker_session == self.settings.broker_session:
            self.is_kept = False
            self._filters.kept.clear()
        return None

    def _pause(self, reason: Reason) -> None:
        """Report a failure and wait for the next try, or until nudged."""
        delay = self._retries.next_delay(reason)
        self.next_retry_at = timezone.now() + timedelta(seconds=delay)
        if self._wish is Wish.END:
            waiting = Reason("session_not_ended", reason.context)
            self._voice.report(ConnectionStatus.DISABLED, waiting, next_retry_at=self.next_retry_at)
        elif self._wish is Wish.RUN:
            status = ConnectionStatus.ERROR if reason.is_error else ConnectionStatus.DISCONNECTED
            self._voice.report(status, reason, retry_count=self._retries.failures, next_retry_at=self.next_retry_at)
        if self._nudged.wait(delay) and self._wish is Wish.RUN:
            self._voice.report(ConnectionStatus.CONNECTING, retry_count=self._retries.failures)
        self.next_retry_at = None

    # What the link says, on the same thread

    def link_up(self, link: Link, *, session_present: bool) -> None:
        """Take back what was removed, subscribe, announce ourselves."""
        if link.is_clean:
            return
        self._up_at = time.monotonic()
        self._resubscribe = False
        self._filters.begin(session_present=session_present)
        self._statistics.begin(is_wanted=self.settings.reads_statistics)
        is_ours = session_present and self.is_kept and not self._clearing.is_on
        self._intake.begin(session_present=session_present, is_ours=is_ours)
        self.is_kept = True
        self._voice.link_up(self.kept_filters, link_reasons.of_session(link.session_seconds))
        if self._clearing.is_needed(is_ours=is_ours):
            self._clearing.begin()
            self._intake.mark_new_session(self.settings.connection_id, link)
        else:
            self._subscribe(link)

    def _subscribe(self, link: Link) -> None:
        link.unsubscribe(sorted(self._filters.removed))
        self._filters.subscribe(link)
        link.announce(OWN_BIRTH)

    def link_message(self, link: Link, message: InboundMessage) -> None:
        """Hand over; this runs once a message and must stay small."""
        if self._intake.take(link, message):
            self._voice.heard()

    def link_answered(self, link: Link, topic_filter: str, granted_qos: int | None, reason: Reason | None) -> None:
        """Collect the answers; the last one reports them all."""
        if granted := self._statistics.answered(topic_filter, granted_qos):
            self.kept_filters.update(granted)
            self._voice.keeps(self.kept_filters)
        report = self._filters.answered(topic_filter, granted_qos, reason)
        if report is not None:
            self._voice.answered(report)

    def link_published(self, link: Link, mark: int, reason: Reason | None) -> None:
        """The broker answered to a message of ours."""
        self._outbox.answered(mark, reason)
        self._requests.answered(mark, reason)

    def link_forgot(self, link: Link, topic_filter: str) -> None:
        """A removed filter is gone from the broker's session."""
        self._filters.forgotten(topic_filter)
        self._voice.keeps(self.kept_filters)

    def _nudge(self) -> None:
        self._nudged.set()
        self._nudge_link()

    def _nudge_link(self) -> None:
        link = self._link
        if link:
            link.wake()
