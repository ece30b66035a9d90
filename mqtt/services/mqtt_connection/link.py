"""One network connection to a broker, from CONNECT to its end.

Driven by one thread, which alone reads, writes and closes the socket. Other threads only queue packets and
wake it. Every attempt makes a new client: no acknowledgement of an old connection can slip into a new one,
where its packet id would name another message.
"""

import itertools
import select
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from paho.mqtt.client import Client
from paho.mqtt.enums import MessageType
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from mqtt import topics
from mqtt.messages import InboundMessage
from mqtt.services.mqtt_connection.asking import Asking
from mqtt.services.mqtt_connection.bounded_client import BoundedClient
from mqtt.services.mqtt_connection.client import build_client, connect_client, properties_of
from mqtt.services.mqtt_connection.packets import PUBLISH, MalformedPacketError, Publish, read_publish
from mqtt.services.mqtt_connection.reader import Reader
from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.link_reasons import LinkError, Reason

CONNACK_TIMEOUT = 10.0

MOST_UNSTORED = 5_000
"""QoS 1 messages after which nothing more is read until some are stored: as many as MQTT 5 tells the broker itself.
Of a broker that sends past its own limit (Mosquitto 2.0.11: 50 times) the network holds the rest."""
STORING = 5.0
"""Seconds without an acknowledgement after which it is read all the same: storing has stopped, and pings are heard."""

OWN_BIRTH = b"online"

_numbers = itertools.count(1)


class LinkListener(Protocol):
    """Who owns a link; every call comes from the thread that drives it, and must be short."""

    def link_up(self, link: "Link", *, session_present: bool) -> None:
        """The broker accepted the CONNECT."""

    def link_message(self, link: "Link", message: InboundMessage) -> None:
        """A message arrived."""

    def link_answered(self, link: "Link", topic_filter: str, granted_qos: int | None, reason: Reason | None) -> None:
        """The broker answered to one filter of a SUBSCRIBE; `granted_qos` None: refused."""

    def link_published(self, link: "Link", mark: int, reason: Reason | None) -> None:
        """The broker has what was published under this mark; a reason that is an error: it did not take it."""

    def link_forgot(self, link: "Link", topic_filter: str) -> None:
        """The broker took back one filter."""


class Link:
    """One connection of a session, numbered within this process."""

    def __init__(self, settings: ConnectionSettings, listener: LinkListener, *, clean: bool = False) -> None:
        self.settings = settings
        self.number = next(_numbers)
        self.is_up = False
        self.reason: Reason | None = None
        """Why it ended; the first reason heard is the true one."""
        self.is_clean = clean
        self.session_seconds: int | None = None
        """MQTT 5: how long the broker keeps our session after a break, where that is not what we asked for."""
        self.received = 0
        self.acknowledged = 0
        self.acknowledged_at = 0.0
        self._listener = listener
        self._is_given_up = False
        self._client = self._build()
        self._reader = Reader(self._client)
        self._asking = asking = Asking(
            self._client,
            is_v5=settings.is_v5,
            answered=partial(listener.link_answered, self),
            published=partial(listener.link_published, self),
            forgot=partial(listener.link_forgot, self),
        )
        self.subscribe, self.unsubscribe, self.publish = asking.subscribe, asking.unsubscribe, asking.publish
        """The answers come to the listener. Only from the driving thread."""
        self._waker, self._waking = socket.socketpair()
        self._waker.setblocking(False)
        self._waking.setblocking(False)
        self._poll = select.poll()  # select() ends at 1,024 descriptors
        self._poll.register(self._waking, select.POLLIN)

    def open(self) -> None:
        """Connect and send CONNECT; blocks. Raises LinkError."""
        connect_client(self._client, self.settings, clean=self.is_clean)

    def wait_until_up(self, wanted: Callable[[], bool]) -> None:
        """Drive until the broker accepted the CONNECT or nobody wants that any more. Raises LinkError."""
        give_up_at = time.monotonic() + CONNACK_TIMEOUT
        while not self.is_up and wanted():
            if not self.step(1.0):
                raise LinkError(self.reason or link_reasons.plain("closed_early", self.settings))
            if time.monotonic() > give_up_at:
                raise LinkError(link_reasons.of_silence(self.settings, CONNACK_TIMEOUT))

    def step(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for traffic and handle it; False: the link has ended."""
        sock: Any = self._client.socket()
        if sock is None:
            return False
        reads = not self._is_ahead()
        self._poll.register(
            sock, (select.POLLIN if reads else 0) | (select.POLLOUT if self._client.want_write() else 0)
        )
        decrypted = reads and hasattr(sock, "pending") and sock.pending() > 0
        ready = dict(self._poll.poll(0 if decrypted else timeout * 1000))
        if self._waking.fileno() in ready:
            self._hush()
        if decrypted or ready.get(sock.fileno(), 0) & ~select.POLLOUT:
            self._read()
        if self._client.want_write():
            self._client.loop_write()
        if self._holds_back():
            # rumqttd answers no ping while its window is full. To leave it for that would only let it send all anew,
            # once a minute, under new packet ids.
            self._client._last_bytes_received = time.monotonic()  # noqa: SLF001 - paho knows no other patience
        self._client.loop_misc()
        return self._client.socket() is not None and not self._is_given_up

    def _is_ahead(self) -> bool:
        """Whether more waits to be stored than we ask for, while storing goes on."""
        is_much = self.received - self.acknowledged > MOST_UNSTORED
        return is_much and time.monotonic() - self.acknowledged_at < STORING

    def _holds_back(self) -> bool:
        """Whether storing has stopped: the broker may be silent because it waits for us."""
        return self.received > self.acknowledged and time.monotonic() - self.acknowledged_at >= STORING

    def give_up(self) -> None:
        """Nobody can hold what comes: end the link, the broker keeps what is not acknowledged. Only from its thread."""
        self._is_given_up = True
        self._end(link_reasons.plain("sends_too_much", self.settings, is_error=True))

    def wake(self) -> None:
        """End the driving thread's wait; from any thread."""
        with suppress(OSError):  # full: it is being woken already; closed: nobody waits any more
            self._waker.send(b"\0")

    def acknowledge(self, mids: Iterable[int]) -> None:
        """Queue the PUBACKs of a batch in this order, as one piece; from any thread.

        One paho packet for all: an `ack` each costs a wake-up and a system call for every message.
        """
        packets = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
        if packets:
            self._client._packet_queue(MessageType.PUBACK, packets, 0, 1)  # noqa: SLF001 - no public way for a batch
            self.acknowledged += len(packets) // 4
            self.acknowledged_at = time.monotonic()
            self.wake()

    def announce(self, payload: bytes) -> None:
        """Publish our own status, retained; empty clears it. Only from the driving thread."""
        self._client.publish(topics.own_status_topic(self.settings.client_id), payload, qos=0, retain=True)

    def settle(self, seconds: float) -> None:
        """Read no more; send the acknowledgements of what was read as they come, for at most so long."""
        end = time.monotonic() + seconds
        while (sock := self._client.socket()) is not None and (left := end - time.monotonic()) > 0:
            writes = self._client.want_write()
            if self.acknowledged >= self.received and not writes:
                return
            self._poll.register(sock, select.POLLOUT if writes else 0)
            self._poll.poll(min(left, 0.1) * 1000)
            self._hush()
            if writes:
                self._client.loop_write()

    def disconnect(self, *, end_session: bool = False) -> None:
        """Queue a DISCONNECT, in MQTT 5 one that ends the broker's session where asked."""
        properties = None
        if self.settings.is_v5 and end_session:
            properties = properties_of(PacketTypes.DISCONNECT, SessionExpiryInterval=0)
        self._client.disconnect(properties=properties)

    def drain(self, seconds: float) -> None:
        """Drive the link until it has ended, or for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.step(0.05):
            pass

    def close(self) -> None:
        """Drop the socket without a word; only from the driving thread."""
        self._client.on_disconnect = None
        sock = self._client.socket()
        if sock is not None:
            self._client._sock_close()  # noqa: SLF001 - `disconnect` only queues, the socket must go now
        self._waker.close()
        self._waking.close()

    def _build(self) -> BoundedClient:
        client = build_client(self.settings, client_id=self.settings.client_id, clean=self.is_clean)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        if self.settings.is_encrypted:
            client.on_log = self._on_log
        return client

    def _hush(self) -> None:
        with suppress(BlockingIOError):
            self._waking.recv(4096)

    def _read(self) -> None:
        """PUBLISH is ours, everything else is handed to paho."""
        try:
            for packets in self._reader.reads():
                for packet, body in packets:
                    if packet[0] >> 4 == PUBLISH and self.is_up:
                        is_cut = self._reader.lost > 0
                        self._take(read_publish(packet, body, self.settings.is_v5, is_cut=is_cut))
                    else:
                        self._reader.pass_on(packet)
                if self._client.socket() is None or self._is_given_up or self._is_ahead():
                    return
        except MalformedPacketError as error:
            self._end(link_reasons.of_garbage(self.settings, was_up=self.is_up))
            self._reader.pass_on(ConnectionResetError(str(error)))

    def _end(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason

    def _on_connect(self, client: Client, _: Any, flags: Any, code: ReasonCode, properties: Any) -> None:
        if code.is_failure:
            self._end(link_reasons.of_refusal(code.value, str(code), self.settings))
            return
        self.is_up = True
        self.session_seconds = getattr(properties, "SessionExpiryInterval", None)
        self._asking.largest_packet = getattr(properties, "MaximumPacketSize", None)
        client.on_log = None  # it costs a formatted line a packet, and is needed only for TLS refusals
        self._listener.link_up(self, session_present=bool(flags.session_present))

    def _on_disconnect(self, _client: Client, _: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self._client.sends_too_much:
            reason = link_reasons.plain("sends_too_much", self.settings, is_error=True)
        else:
            by_broker = flags.is_disconnect_packet_from_server
            reason = link_reasons.of_disconnect(
                code.value, str(code), self.settings, by_broker=by_broker, was_up=self.is_up
            )
        self._end(reason)
        self.is_up = False

    def _take(self, message: Publish) -> None:
        if message.qos:
            self.received += 1
        self._listener.link_message(
            self,
            InboundMessage(
                self.settings.connection_id,
                _topic(message.topic),
                message.payload,
                message.qos,
                message.retain,
                time.time_ns() // 1000,
                message.dup,
                message.mid,
                self.number,
                cut=self._reader.lost,
            ),
        )

    def _on_log(self, _client: Client, _: Any, _level: int, text: str) -> None:
        """TLS 1.3 brokers refuse a client certificate after the handshake; paho only logs what they say."""
        if not self.is_up and "SSL" in text:
            self._end(link_reasons.of_tls_text(text, self.settings))


def _topic(sent: bytes) -> str:
    """MQTT forbids NUL and no topic at all; rumqttd lets both pass, and a message that ends the link would come again.

    With NUL PostgreSQL would refuse every batch that counts the topic.
    """
    return sent.decode("utf-8", "replace").replace("\0", "\ufffd") or "\ufffd"
