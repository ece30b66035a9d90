"""The mqtt process: the loop that keeps the sessions of its connections as the rows say; which it holds: `holdings`.

One main thread talks to the database about connections; a session thread each talks to a broker; one
processor thread stores. When the database is away the sessions stay up, nothing is acknowledged, and the
loop goes on as soon as it returns.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.db import InterfaceError, OperationalError, connection

from mqtt.messages import InboundMessage
from mqtt.services.broker_places import BrokerPlaces
from mqtt.services.database_outage import DatabaseWatch, drop_connection, what_ails
from mqtt.services.holding import command_desk, wake_ups
from mqtt.services.holding.activity import WRITE_EVERY
from mqtt.services.holding.former import Former
from mqtt.services.holding.heartbeat import Heartbeat
from mqtt.services.holding.holdings import Holdings
from mqtt.services.holding.leases import RENEW_EVERY, Leases, new_holder
from mqtt.services.holding.live_tail import LiveTails
from mqtt.services.holding.wake_ups import Alarm
from mqtt.services.pipeline.batch_outcome import ProcessedBatch
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.pipeline.kept_messages import KeptMessages
from mqtt.services.pipeline.message_processor import MessageProcessor
from mqtt.services.pipeline.processor_thread import ProcessorThread

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between looks at all rows: takes over what nobody holds, finds what a lost wake-up missed."""

PATIENCE = 1.0
"""Seconds before the loop tries again after an error."""

HEARTBEAT_PATIENCE = 0.3
BATCH_PATIENCE = 2.0
GOODBYE_PATIENCE = 1.0
"""Seconds at the end for the last heartbeat, for the batch in hand, and for all sessions together to disconnect."""


class Every:
    """True at most once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.due_at = 0.0

    def is_due(self) -> bool:
        """Whether it is time again; if so, the next time is planned."""
        now = time.monotonic()
        if now < self.due_at:
            return False
        self.due_at = now + self.seconds
        return True


class MqttService:
    """Run it once in the main thread; `stop` may be called from a signal handler."""

    def __init__(
        self,
        processor: MessageProcessor,
        *,
        worker_name: str = "",
        ready_file: Path | None = None,
        holder_file: Path | None = None,
        places_file: Path | None = None,
        jobs: Callable[[], object] | None = None,
        run_tests: Callable[[], object] | None = None,
    ) -> None:
        """`jobs` run every second in a thread of their own; `run_tests` starts the connection tests asked for.

        `holder_file` tells the next process in this folder whose connections are free when we die, `places_file`
        whoever starts the embedded broker which sessions belong there.
        """
        self.leases = Leases(new_holder(worker_name))
        self._former = Former(holder_file, self.leases.holder)
        self._places = BrokerPlaces(places_file)
        self.inbox = Inbox()
        self._kept = KeptMessages(self.inbox)
        self._tails = LiveTails()
        self._alarm = Alarm()
        self.holdings = Holdings(self.leases, self.inbox, self._alarm)
        self._processor = ProcessorThread(self.inbox, processor, self.leases.tokens, self._committed)
        self._database = DatabaseWatch()
        self._heartbeat = Heartbeat(
            self.leases.holder,
            lambda: list(self.holdings.held.values()),
            self.inbox,
            self._processor,
            self._database,
            processor.guard,
            processor.clock,
        )
        self._guard = processor.guard
        self._clock = processor.clock
        self._stopping = threading.Event()
        self._ready_file = ready_file
        self._jobs = jobs
        self._run_tests = run_tests
        self._look = Every(LOOK_EVERY)
        self._renew = Every(RENEW_EVERY)
        self._write_activity = Every(WRITE_EVERY)
        self._is_troubled = False

    def run(self) -> None:
        """Hold connections until `stop`."""
        logger.info("Holding connections as %s", self.leases.holder)
        self._processor.start()
        self._heartbeat.start()
        if self._jobs:
            threading.Thread(target=self._run_jobs, name="periodic", daemon=True).start()
        wake_ups.listen(self._alarm.summon, self._tails.want)
        try:
            while not self._stopping.is_set():
                self._round()
        finally:
            self._shut_down()

    def stop(self) -> None:
        """Finish the batch, leave the brokers with their sessions kept, give the connections back."""
        self._stopping.set()
        self._alarm.ring()

    def _round(self) -> None:
        self._database.asking()
        try:
            self._work()
        except (OperationalError, InterfaceError) as error:
            self._database.failed()
            if not self._is_troubled:
                logger.warning("%s, sessions stay up: %s", what_ails(error), str(error).strip())
            self._recover()
        except Exception:
            logger.exception("A round of the mqtt process failed")
            self._database.answered()  # a mistake of ours is no outage
            self._recover()
        else:
            self._is_troubled = False
            self._database.answered()
            self._wait()

    def _recover(self) -> None:
        self._is_troubled = True
        self._renew.due_at = self._look.due_at = 0.0
        drop_connection()
        self._stopping.wait(PATIENCE)

    def _wait(self) -> None:
        next_at = min(every.due_at for every in (self._look, self._renew, self._write_activity))
        if self._alarm.wait(max(0.0, next_at - time.monotonic())):
            self._look.due_at = 0.0

    def _work(self) -> None:
        self._guard.look()
        if self._renew.is_due():
            self.holdings.renew()
        self._write_reports()
        if self._look.is_due():
            self._former.bury()
            self._clock.look()  # before sessions begin: the clock may have been set back while nothing ran
            self._places.follow(self.holdings.look())
            command_desk.hand_out(self.holdings.held)
            self._kept.put_waiting(self.holdings.held)
            self._tails.follow(self.holdings.held)
            self._write_reports()
            if self._run_tests:
                self._run_tests()
            self._say_ready()
        if self._write_activity.is_due():
            self.holdings.write_activity()
            for one in self.holdings.held.values():
                one.gaps.write()

    def _write_reports(self) -> None:
        command_desk.write_answers(self.holdings.held)
        self.holdings.write_reports()

    def _committed(self, pk: int, messages: list[InboundMessage], processed: ProcessedBatch) -> None:
        """On the processor thread: acknowledge what is stored, and count it."""
        one = self.holdings.held.get(pk)
        if one is None:
            return
        session = one.session
        if session:
            session.acknowledge(messages)
            if pk in processed.requests:
                session.request(processed.requests[pk])
        counters, counts = one.counters, processed.counts.get(pk)
        if counts:
            counters.readings += counts.readings
            counters.undecoded += counts.undecoded
            counters.refused += counts.refused
            counters.repeated += counts.repeated
            counters.unkept += counts.unkept
        if not messages[-1].kept_id:
            counters.lag_seconds = max(0.0, time.time() - messages[-1].received_us / 1e6)

    def _run_jobs(self) -> None:
        """A thread of its own: a long job must not cost us the leases."""
        while not self._stopping.wait(1.0):
            try:
                self._jobs() if self._jobs else None
            except (OperationalError, InterfaceError):
                connection.close()  # the main loop says that the database is away
            except Exception:
                logger.exception("A periodic job failed")
                connection.close()
        connection.close()

    def _say_ready(self) -> None:
        if self._ready_file and not self._ready_file.exists():
            self._ready_file.touch()

    def _shut_down(self) -> None:
        self._heartbeat.stop(HEARTBEAT_PATIENCE)
        self._tails.stop()
        self._processor.stop(BATCH_PATIENCE)
        sessions, end = self.holdings.stop(), time.monotonic() + GOODBYE_PATIENCE
        for session in sessions:
            session.join(max(0.0, end - time.monotonic()))
        with suppress(OperationalError, InterfaceError):
            command_desk.write_answers(self.holdings.held)
            self.holdings.give_back()
        self._former.close()
        if self._ready_file:
            self._ready_file.unlink(missing_ok=True)
        connection.close()
        logger.info("Stopped")
