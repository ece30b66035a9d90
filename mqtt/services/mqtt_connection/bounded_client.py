"""A paho client that does not hold whatever a broker sends, and leaves no broker before it has read all.

Messages are bounded by `packets`.
"""

import os
import select
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, _ConnectionState

LARGEST_FRAME = 4 * 1024 * 1024
"""Bytes of a WebSocket frame: paho keeps it until its last byte is read."""
MOST_UNSENT = 10_000
"""Packets that wait for a broker that does not read."""
LAST_LOOK = 1.0
"""Seconds for a broker to read what was said before DISCONNECT, and to close."""


class BoundedClient(Client):
    """Ends the link on what is too much: frames, answers that nobody reads, an opening that takes for ever."""

    sends_too_much = False
    """Why the link ended."""
    _brake: socket.socket | None = None

    @contextmanager
    def opening(self, seconds: float) -> Iterator[None]:
        """Around `connect`: hangs up after so long, and closes every socket when it fails."""
        limit = threading.Timer(seconds, self._hang_up)
        limit.daemon = True
        limit.start()
        try:
            yield
        except Exception as error:
            _close_sockets(error)
            raise
        finally:
            limit.cancel()
            if self._brake:
                self._brake.close()

    def _hang_up(self) -> None:
        if self._brake:
            with suppress(OSError):  # closed already
                self._brake.shutdown(socket.SHUT_RDWR)

    def _create_socket_connection(self) -> socket.socket:
        wire = super()._create_socket_connection()
        self._brake = wire.dup()  # TLS takes the first one's descriptor away
        return wire

    def _sock_close(self) -> None:
        if self._sock and self._state == _ConnectionState.MQTT_CS_DISCONNECTING:
            _wait_for_end(self._sock.fileno(), LAST_LOOK)
        super()._sock_close()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._transport == "websockets" and len(getattr(self._sock, "_readbuffer", b"")) > LARGEST_FRAME:
            self.sends_too_much = True
            raise OSError("a frame that is too long")
        return super()._sock_recv(bufsize)

    def _packet_handle(self) -> MQTTErrorCode:
        if len(self._out_packet) > MOST_UNSENT:
            self.sends_too_much = True
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._packet_handle()

    def _handle_publish(self) -> MQTTErrorCode:
        """A message before CONNACK; those after it are not paho's."""
        return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _handle_connack(self) -> MQTTErrorCode:
        if self.is_connected():  # a second one; each would make us subscribe again
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._handle_connack()


def _wait_for_end(descriptor: int, seconds: float) -> None:
    """Read away what comes until the broker closes, or for so long.

    It may not have read our last acknowledgements yet: a socket closed with something unread resets the connection,
    and our next CONNECT may overtake them. In both cases what they named would be sent again.
    """
    end, ready = time.monotonic() + seconds, select.poll()
    ready.register(descriptor, select.POLLIN)
    with suppress(OSError):  # reset: it has ended
        while (left := end - time.monotonic()) > 0:
            if ready.poll(left * 1000) and not os.read(descriptor, 65_536):
                return


def _close_sockets(error: BaseException) -> None:
    """Close what paho leaves open when TLS or the WebSocket handshake fails: only its frames still know it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in list(frame.f_locals.values()):
            if isinstance(value, socket.socket):
                value.close()
