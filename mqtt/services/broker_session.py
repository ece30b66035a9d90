"""Our session with one broker: a thread that holds a link, reconnects it, and ends the session when asked.

The thread reports what it finds, in order; the service writes the reports. Settings never change within a
session object: changed settings make a new one.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from django.utils import timezone

from mqtt import topics
from mqtt.enums import ConnectionStatus
from mqtt.messages import InboundMessage
from mqtt.services import link_reasons
from mqtt.services.catch_up import CatchUp
from mqtt.services.connection_settings import ConnectionSettings, Filter
from mqtt.services.inbox import Inbox
from mqtt.services.link_reasons import LinkError, Reason
from mqtt.services.mqtt_connection import OWN_BIRTH, OWN_WILL, Link
from mqtt.services.session_reports import Counters, FilterAnswer, Report

logger = logging.getLogger(__name__)

SILENT_AFTER = 300.0
"""Seconds without a message after which a link that is up counts as silent."""

STABLE_AFTER = 10.0
"""Seconds a link must live before a failure counts as the first one again."""

SHORT_LIVES = 3
"""So many links in a row that ended at once are no accident."""

LONGEST_WAIT = 60.0
FAREWELL = 2.0
"""Seconds to get the last words and the DISCONNECT out."""

UNSUBACK_PATIENCE = 2.0
"""Seconds after which a removed filter is subscribed once more and taken back again: rumqttd forgets, with a
kept session, that the filter is subscribed, ignores the UNSUBSCRIBE and goes on delivering."""

REPORTS_KEPT = 200


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
        kept_filters: Iterable[str] = (),
        is_kept: bool = False,
        leftovers: Iterable[ConnectionSettings] = (),
        predecessor: "BrokerSession | None" = None,
        silent_after: float = SILENT_AFTER,
    ) -> None:
        """`is_kept`: the broker may hold a session of ours, with `kept_filters`; `leftovers` are to be ended first.

        A stopped `predecessor` with other settings hands on what it leaves behind when its thread has ended.
        """
        self.settings = settings
        self.counters = counters or Counters()
        self.reports: deque[Report] = deque(maxlen=REPORTS_KEPT)
        self.next_retry_at: datetime | None = None
        self.leftovers = list(leftovers)
        self.kept_filters = set(kept_filters)
        self.is_kept = is_kept
        self._predecessor = predecessor
        self._inbox = inbox
        self._notify = notify
        self._silent_after = silent_after
        self._wish = Wish.RUN
        self._is_quiet = False
        self.has_failed = False
        """The thread ended by an error of ours."""
        self._nudged = threading.Event()
        self._resubscribe = False
        self._link: Link | None = None
        self._failures = 0
        self._short_lives = 0
        self._up_at = 0.0
        self._heard_at = 0.0
        self._up = Report(status=ConnectionStatus.CONNECTED)
        self._is_silent = False
        self._answers: dict[str, FilterAnswer] = {}
        self._catch_up = CatchUp()
        self._wanted = frozenset(one.topic_filter for one in settings.filters)
        self._removed: set[str] = set()
        """Filters that the broker still holds although we do not want them."""
        self._take_back_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"session-{settings.connection_id}", daemon=True)

    @property
    def is_finished(self) -> bool:
        """Whether the thread has ended; what it had to say is in `reports`."""
        return self._thread.ident is not None and not self._thread.is_alive()

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end the broker's session."""
        return self._wish is Wish.END

    def start(self) -> None:
        """Begin connecting."""
        self._thread.start()

    def stop(self, *, end_session: bool, quietly: bool = False) -> None:
        """Leave the broker; `end_session`: have it forget us, and keep trying until it has. Returns at once.

        `quietly`: somebody else goes on with this client id, so nothing is said about going offline.
        """
        self._is_quiet = quietly
        self._wish = Wish.END if end_session else Wish.STOP
        self._nudge()

    def resume(self) -> None:
        """Wanted again after `stop(end_session=True)`: what is not yet ended is ended before connecting."""
        self._wish = Wish.RUN
        self._nudge()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it ended in time."""
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
            link.acknowledge([one.mid for one in messages if one.qos and one.session == link.number])

    # The thread

    def _run(self) -> None:
        try:
            self._inherit()
            if self._wish is Wish.RUN:
                self._report(ConnectionStatus.CONNECTING)
            while self._wish is not Wish.STOP:
                self._nudged.clear()
                if self._wish is Wish.END and self.is_kept:
                    self.leftovers.append(self.settings)
                    self.is_kept = False
                reason = self._end_leftover() if self.leftovers else self._live()
                if reason is not None:
                    self._pause(reason)
                elif self._wish is Wish.END and not self.leftovers and not self.is_kept:
                    self._report(ConnectionStatus.DISABLED, session_open=False, kept_filters=())
                    break
        except Exception as error:
            self.has_failed = True
            logger.exception("The session of connection %s failed", self.settings.connection_id)
            facts = {"detail": f"{type(error).__name__}: {error}"[:200]}
            self._report(ConnectionStatus.ERROR, Reason("internal_error", facts, is_error=True))
        finally:
            self._notify()

    def _inherit(self) -> None:
        """Wait for the predecessor to leave; another broker or client id leaves a session behind to be ended."""
        old, self._predecessor = self._predecessor, None
        if old is None:
            return
        old.join(link_reasons.TAKEN_OVER_WAIT)
        self.leftovers += old.leftovers
        if old.settings.broker_session == self.settings.broker_session:
            self.is_kept, self.kept_filters = old.is_kept, old.kept_filters
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
        if self._resubscribe:
            self._resubscribe = False
            self._answers.clear()
            link.subscribe(self.settings.filters)
        now = time.monotonic()
        if self._removed and now > self._take_back_at:
            self._take_back_at = now + LONGEST_WAIT
            link.subscribe([Filter(one, 0) for one in sorted(self._removed)])
            link.unsubscribe(sorted(self._removed))
        quiet = now - self._heard_at
        if not self._is_silent and quiet > self._silent_after and self._up.status is ConnectionStatus.CONNECTED:
            self._is_silent = True
            self._report(ConnectionStatus.SILENT, Reason("silent", {"minutes": round(self._silent_after / 60)}))

    def _leave(self, link: Link) -> None:
        """Say goodbye on a link that is no longer wanted."""
        ending = self._wish is Wish.END
        if link.is_up:
            if not self._is_quiet:
                link.announce(b"" if ending else OWN_WILL)
            link.disconnect(end_session=ending)
            link.drain(FAREWELL)
            if ending and self.settings.is_v5:
                self.is_kept = False

    def _after_life(self, link: Link) -> Reason:
        """What the end of a link means, in the light of those before."""
        reason = link.reason or link_reasons.plain("link_lost", self.settings)
        if not self._up_at:
            return reason
        lived, self._up_at = time.monotonic() - self._up_at, 0.0
        if lived >= STABLE_AFTER:
            self._failures = self._short_lives = 0
        elif reason.code == "link_lost":
            self._short_lives += 1
            if self._short_lives >= SHORT_LIVES:
                return link_reasons.plain(
                    "closed_again", self.settings, is_error=True, wait=link_reasons.TAKEN_OVER_WAIT
                )
        return reason

    def _end_leftover(self) -> Reason | None:
        """Have a broker forget a session: one clean connect ends it in every version of MQTT."""
        settings = self.leftovers[0]
        link = None
        try:
            link = Link(settings, self, clean=True)
            link.open()
            link.wait_until_up(lambda: self._wish is not Wish.STOP)
            link.announce(b"")
            link.disconnect(end_session=True)
            link.drain(FAREWELL)
        except LinkError as error:
            # Another broker's old session is tried once: it may be the very reason for the new settings.
            if settings.broker_session[:2] == self.settings.broker_session[:2]:
                return error.reason
            logger.warning("The session with %s could not be ended: %s", settings.address, error.reason.code)
        finally:
            if link:
                link.close()
        self.leftovers.remove(settings)
        if settings.broker_session == self.settings.broker_session:
            self.is_kept = False
            self.kept_filters.clear()
        return None

    def _pause(self, reason: Reason) -> None:
        """Report a failure and wait for the next try, or until nudged."""
        self._failures += 1
        usual = min(LONGEST_WAIT, 2.0 ** min(self._failures - 1, 10))
        delay = reason.wait or min(LONGEST_WAIT, max(1.0, usual * random.uniform(0.8, 1.2)))  # noqa: S311 - jitter
        self.next_retry_at = timezone.now() + timedelta(seconds=delay)
        if self._wish is Wish.END:
            waiting = Reason("session_not_ended", reason.context)
            self._report(ConnectionStatus.DISABLED, waiting, next_retry_at=self.next_retry_at)
        elif self._wish is Wish.RUN:
            status = ConnectionStatus.ERROR if reason.is_error else ConnectionStatus.DISCONNECTED
            self._report(status, reason, retry_count=self._failures, next_retry_at=self.next_retry_at)
        if self._nudged.wait(delay) and self._wish is Wish.RUN:
            self._report(ConnectionStatus.CONNECTING, retry_count=self._failures)
        self.next_retry_at = None

    # What the link says, on the same thread

    def link_up(self, link: Link, *, session_present: bool) -> None:
        """Take back what was removed, subscribe, announce ourselves."""
        if link.is_clean:
            return
        self._up_at = self._heard_at = time.monotonic()
        self._is_silent = self._resubscribe = False
        self._catch_up.begin(session_present=session_present)
        self._removed = self.kept_filters - self._wanted if session_present else set()
        self._take_back_at = self._up_at + UNSUBACK_PATIENCE
        self.kept_filters = set(self._wanted) | self._removed
        self.is_kept = True
        self._answers.clear()
        self._up = Report(status=ConnectionStatus.CONNECTED)
        self._report(
            ConnectionStatus.CONNECTED, connected=True, session_open=True, kept_filters=tuple(sorted(self.kept_filters))
        )
        link.unsubscribe(sorted(self._removed))
        link.subscribe(self.settings.filters)
        link.announce(OWN_BIRTH)

    def link_message(self, link: Link, message: InboundMessage) -> None:
        """Hand over; this runs once a message and must stay small."""
        counters = self.counters
        counters.messages += 1
        now = time.monotonic()
        if message.dup:
            counters.redelivered += 1
        if self._catch_up.is_on:
            message.queued = self._catch_up.may_have_waited(link, message, now)
        if self._removed and not any(topics.matches(one, message.topic) for one in self._wanted):
            message.unwanted = True
        if not topics.is_own_status(message.topic):
            self._heard_at = now
            counters.last_message_at = message.received_us / 1e6
            if self._is_silent:
                self._is_silent = False
                self._add(self._up)
        if not self._inbox.put(message):
            if message.qos:
                link.give_up()
            else:
                counters.dropped += 1

    def link_answered(self, link: Link, topic_filter: str, granted_qos: int | None, reason: Reason | None) -> None:
        """Collect the answers; the last one reports them all."""
        if topic_filter not in self._wanted:
            return
        self._answers[topic_filter] = FilterAnswer(topic_filter, granted_qos, reason)
        if len(self._answers) < len(self.settings.filters):
            return
        answers = tuple(self._answers.values())
        refused = sum(one.granted_qos is None for one in answers)
        status, why = ConnectionStatus.CONNECTED, None
        if refused == len(answers):
            status, why = ConnectionStatus.ERROR, Reason("filters_refused", is_error=True)
        elif refused:
            why = Reason("some_filters_refused", {"count": refused, "total": len(answers)})
        self._up = Report(status=status, reason=why)
        self._is_silent = False
        self._report(status, why, answers=answers)

    def link_forgot(self, link: Link, topic_filter: str) -> None:
        """A removed filter is gone from the broker's session."""
        self.kept_filters -= {topic_filter}
        self._removed -= {topic_filter}
        self._add(Report(status=self._up.status, reason=self._up.reason, kept_filters=tuple(sorted(self.kept_filters))))

    def _report(self, status: ConnectionStatus, reason: Reason | None = None, **facts: object) -> None:
        self._add(Report(status=status, reason=reason, **facts))  # type: ignore[arg-type]

    def _add(self, report: Report) -> None:
        self.reports.append(report)
        self._notify()

    def _nudge(self) -> None:
        self._nudged.set()
        link = self._link
        if link:
            link.wake()
