"""Live tails: raw messages of one filter for people who watch, on a link of its own that is never stored.

A clean session at QoS 0 is opened when somebody asks and closed with the last watcher. What it hears goes to the
channel layer and nowhere else, at most 20 messages a second; the rest is counted.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mqtt import groups
from mqtt.encryption import SecretUnreadableError
from mqtt.events import TailHeard, TailWanted
from mqtt.messages import InboundMessage
from mqtt.models import MqttConnection
from mqtt.services.broadcast import send_event
from mqtt.services.mqtt_connection import Link
from mqtt.services.sessions.connection_settings import ConnectionSettings, Filter
from mqtt.services.sessions.link_reasons import LinkError, Reason
from mqtt.topics import filter_error, without_share

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds after which a tail that nobody asks for any more ends; pages ask every two."""
SPEAK_EVERY = 0.25
MOST_A_SECOND = 20
MOST_TAILS = 10
"""Of one process: each is a client of its own at the broker."""
SHOWN_PAYLOAD = 1000


class LiveTail:
    """One filter of one connection, driven by a thread of its own (a LinkListener)."""

    def __init__(self, settings: ConnectionSettings, topic_filter: str) -> None:
        self.group = groups.tail(settings.connection_id, topic_filter)
        self.wanted_at = time.monotonic()
        self._connection_id = settings.connection_id
        self._filter = topic_filter
        client_id = f"{settings.client_id}-{self.group.rpartition('_')[2][:8]}"
        plain = Filter(without_share(topic_filter), 0)
        self._settings = replace(settings, client_id=client_id, filters=(plain,))
        self._heard: list[dict[str, Any]] = []
        self._skipped = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tail-{client_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    @property
    def has_ended(self) -> bool:
        """Whether its thread is gone."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        link: Link | None = None
        try:
            link = Link(self._settings, self, clean=True)
            link.open()
            link.wait_until_up(lambda: not self._stopping.is_set())
            if not self._stopping.is_set():
                link.subscribe(self._settings.filters)
            self._listen(link)
        except LinkError as error:
            self._say(error.reason)
        except Exception:
            logger.exception("A live tail failed")
        finally:
            if link is not None:
                if link.is_up:
                    link.disconnect(end_session=True)
                    link.drain(0.5)
                link.close()

    def _listen(self, link: Link) -> None:
        spoke_at = 0.0
        while not self._stopping.is_set() and time.monotonic() - self.wanted_at < PATIENCE:
            if not link.step(SPEAK_EVERY):
                self._say(link.reason)
                return
            if time.monotonic() - spoke_at >= SPEAK_EVERY:
                spoke_at = time.monotonic()
                self._say()

    def _say(self, reason: Reason | None = None) -> None:
        if not (self._heard or self._skipped or reason):
            return
        event = TailHeard(connection_id=self._connection_id, tail=self.group)
        event.messages, event.skipped = self._heard, self._skipped
        if reason is not None:
            event.reason, event.context = reason.code, dict(reason.context)
        self._heard, self._skipped = [], 0
        send_event(self.group, event)

    def link_up(self, link: Link, *, session_present: bool) -> None:
        """The broker accepted the CONNECT."""

    def link_message(self, link: Link, message: InboundMessage) -> None:
        """Keep what will be shown, count the rest."""
        if message.qos:
            link.acknowledge([message.mid])
        if len(self._heard) >= MOST_A_SECOND * SPEAK_EVERY:
            self._skipped += 1
            return
        shown = message.payload[:SHOWN_PAYLOAD].decode("utf-8", "backslashreplace")
        self._heard.append(
            {
                "topic": message.topic[:SHOWN_PAYLOAD],
                "payload": shown,
                "size": message.size,
                "qos": message.qos,
                "retained": message.retain,
                "at_us": message.received_us,
            }
        )

    def link_answered(self, link: Link, topic_filter: str, granted_qos: int | None, reason: Reason | None) -> None:
        """Tell the watchers when the broker refuses the filter."""
        if granted_qos is None:
            self._say(reason or Reason("filter_refused", is_error=True))

    def link_published(self, link: Link, mark: int, reason: Reason | None) -> None:
        """Nothing is ever published here."""

    def link_forgot(self, link: Link, topic_filter: str) -> None:
        """Nothing is ever taken back here."""


class LiveTails:
    """The tails of this process: asked for on the wake-up's thread, opened and closed on the service's own."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[int, str], float] = {}
        self._tails: dict[tuple[int, str], LiveTail] = {}
        self._lock = threading.Lock()

    def want(self, event: TailWanted) -> bool:
        """Somebody watches; returns whether that is news. From any thread."""
        if filter_error(event.topic_filter):
            return False
        key = (event.connection_id, event.topic_filter)
        with self._lock:
            is_news = key not in self._wanted
            if is_news and len(self._wanted) >= 10 * MOST_TAILS:
                return False
            self._wanted[key] = time.monotonic()
        return is_news

    def follow(self, held: Iterable[int]) -> None:
        """Open what is wanted on connections that this process holds, close the rest. Raises what the database does."""
        now = time.monotonic()
        with self._lock:
            self._wanted = {key: at for key, at in self._wanted.items() if now - at < PATIENCE}
            wanted = {key: at for key, at in self._wanted.items() if key[0] in set(held)}
        for key, tail in list(self._tails.items()):
            if key in wanted and not tail.has_ended:
                tail.wanted_at = wanted[key]
            else:
                tail.stop()
                del self._tails[key]
                if tail.has_ended:
                    with self._lock:
                        self._wanted.pop(key, None)  # asked for again, it is tried again
                    wanted.pop(key, None)
        for key in list(wanted)[:MOST_TAILS]:
            if key not in self._tails and len(self._tails) < MOST_TAILS:
                self._open(key)

    def stop(self) -> None:
        """Close all."""
        for tail in self._tails.values():
            tail.stop()
        self._tails.clear()

    def _open(self, key: tuple[int, str]) -> None:
        row = MqttConnection.objects.filter(pk=key[0], is_enabled=True).first()
        if row is None:
            return
        try:
            settings = ConnectionSettings.of(row)
        except SecretUnreadableError:
            return
        tail = self._tails[key] = LiveTail(settings, key[1])
        tail.start()
