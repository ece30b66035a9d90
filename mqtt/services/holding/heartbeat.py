"""The heartbeat of this mqtt process: a thread that says every 2 s how it fares, also while the database is away."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import redis

from mqtt.services.database_outage import DatabaseWatch
from mqtt.services.disk import DiskGuard
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.pipeline.clock_watch import ClockWatch
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.pipeline.processor_thread import ProcessorThread
from mqtt.services.pressure import BEAT_EVERY, ConnectionPressure, ProcessPressure, Publisher
from mqtt.services.sessions.reports import Counters

logger = logging.getLogger(__name__)


class Heartbeat:
    """It asks neither database nor brokers, and what it reads is written by other threads without waiting."""

    def __init__(
        self,
        name: str,
        held: Callable[[], list[HeldConnection]],
        inbox: Inbox,
        processor: ProcessorThread,
        database: DatabaseWatch,
        disk: DiskGuard,
        clock: ClockWatch,
    ) -> None:
        self._name = name
        self._held = held
        self._inbox = inbox
        self._processor = processor
        self._database = database
        self._disk = disk
        self._clock = clock
        self._started_at = time.time()
        self._before: dict[int, Counters] = {}
        self._looked_at = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Take the last word back, waiting up to so long for it."""
        self._stopping.set()
        self._thread.join(seconds)

    def look(self) -> ProcessPressure:
        """How this process fares now; rates since the last look."""
        now = time.monotonic()
        seconds, self._looked_at = max(now - self._looked_at, 0.001), now
        waiting = self._inbox.depths()
        for pk, count in self._processor.in_hand().items():
            waiting[pk] += count
        held = self._held()
        counters = {one.connection_id: replace(one.counters) for one in held}
        connections = tuple(
            replace(
                self._connection(one.connection_id, counters[one.connection_id], waiting[one.connection_id], seconds),
                status=one.status,
                broker=one.statistics.facts(),
                broker_state=one.statistics.state,
            )
            for one in sorted(held, key=lambda one: one.connection_id)
        )
        self._before = counters
        doubt = self._clock.doubt
        return ProcessPressure(
            name=self._name,
            at=time.time(),
            started_at=self._started_at,
            waiting=waiting.total(),
            waiting_bytes=self._inbox.bytes_waiting,
            behind_seconds=round(self._processor.behind_seconds, 3),
            database_away_seconds=round(self._database.away_seconds, 3),
            disk_share=round(self._disk.disk.share, 4) if self._disk.disk else 0.0,
            keeps_history=self._disk.keeps_history,
            clock_doubt=doubt.reason if doubt else "",
            clock_behind_seconds=round(doubt.seconds) if doubt else 0,
            connections=connections,
        )

    def _connection(self, pk: int, now: Counters, waiting: int, seconds: float) -> ConnectionPressure:
        before = self._before.get(pk, Counters())
        return ConnectionPressure(
            connection_id=pk,
            messages_per_second=round((now.messages - before.messages) / seconds, 2),
            readings_per_second=round((now.readings - before.readings) / seconds, 2),
            undecoded_per_second=round((now.undecoded - before.undecoded) / seconds, 2),
            waiting=waiting,
            lag_seconds=round(now.lag_seconds, 4),
            messages=now.messages,
            readings=now.readings,
            undecoded=now.undecoded,
            dropped=now.dropped,
            redelivered=now.redelivered,
            repeated=now.repeated,
            refused=now.refused,
            unkept=now.unkept,
            requests=now.requests,
            requests_refused=now.requests_refused,
        )

    def _run(self) -> None:
        publisher = Publisher(self._name)
        is_heard = True
        is_over = False
        while not is_over:
            try:
                publisher.publish(self.look())
            except (redis.RedisError, OSError) as error:
                if is_heard:
                    logger.warning("The heartbeat is not heard, Valkey does not answer: %s", error)
                is_heard = False
            except Exception:
                logger.exception("The heartbeat failed")
            else:
                is_heard = True
            is_over = self._stopping.wait(BEAT_EVERY)
        try:
            publisher.leave()
        except (redis.RedisError, OSError):
            logger.debug("The heartbeat expires by itself", exc_info=True)
        publisher.close()
