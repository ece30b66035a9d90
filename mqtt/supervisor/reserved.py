"""A place at the embedded broker, kept free for the mqtt process before any device is there.

rumqttd forgets all sessions when it ends, and acknowledges at once what devices publish when it is back: they come with
all that they kept meanwhile, before the mqtt process has connected. With its session and filters made first, rumqttd
keeps these messages for it. Only `socket` speaks here, so that nothing has to be loaded in that moment.
"""

import json
import logging
import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from mqtt.supervisor.broker import BrokerSettings

logger = logging.getLogger(__name__)

LONGEST_START = 30.0
"""Seconds that the broker may take to listen; after that, devices find it no sooner than the mqtt process does."""
BETWEEN_TRIES = 0.0002
"""Seconds. A device that knocks all the time needs an answer to CONNECT before it may publish; we need none."""
ANSWER_TIME = 5.0
CONNECT, CONNACK, SUBSCRIBE, SUBACK, DISCONNECT = 0x10, 0x20, 0x82, 0x90, 0xE0


class Place(NamedTuple):
    """A session as the mqtt process will ask for it."""

    client_id: str
    filters: tuple[tuple[str, int], ...]

    def packets(self, broker: BrokerSettings) -> bytes:
        """CONNECT, for a session that stays, and SUBSCRIBE, in one: no device comes in between."""
        login = [word for word in (broker.username, broker.password) if word]
        flags = (0, 0x80, 0xC0)[len(login)]
        connect = _text("MQTT") + bytes([4, flags, 0, 60]) + b"".join(map(_text, [self.client_id, *login]))
        wanted = b"".join(_text(one) + bytes([qos]) for one, qos in self.filters)
        return _packet(CONNECT, connect) + _packet(SUBSCRIBE, b"\0\1" + wanted)


class Reservation:
    """Called at every start of the broker, before it listens; returns at once."""

    def __init__(self, broker: BrokerSettings, places: Path) -> None:
        """`places`: the file of services.broker_places."""
        self._broker = broker
        self._places = places
        self._current = 0

    def __call__(self) -> None:
        """Begin; the start before is no longer waited for."""
        self._current += 1
        threading.Thread(target=self._run, args=(self._current,), name="reservation", daemon=True).start()

    def _run(self, number: int) -> None:
        end = time.monotonic() + LONGEST_START
        try:
            for place in read_places(self._places):
                while number == self._current and time.monotonic() < end and not take(self._broker, place):
                    time.sleep(BETWEEN_TRIES)
        except (OSError, EOFError, ValueError) as error:  # without a place, devices are heard a moment later
            logger.warning("No place could be kept at the embedded broker: %s", error)


def read_places(path: Path) -> list[Place]:
    """What the file names; nothing without one. Raises OSError or ValueError."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return []
    return [Place(client_id, tuple((one, qos) for one, qos in filters)) for client_id, filters in found]


def take(broker: BrokerSettings, place: Place) -> bool:
    """Make the session and leave it behind; False: nobody listens yet. Raises OSError or EOFError."""
    try:
        link = socket.create_connection((broker.reachable_at, broker.port), timeout=ANSWER_TIME)
    except ConnectionRefusedError:
        return False
    with closing(link), link.makefile("rb") as answers:
        link.sendall(place.packets(broker))
        answer = answers.read(5)
        if answer[:2] + answer[3:] != bytes([CONNACK, 2, 0, SUBACK]):
            raise EOFError(f"{broker.reachable_at}:{broker.port} answered {answer.hex() or 'nothing'}")
        link.sendall(bytes([DISCONNECT, 0]))
        link.shutdown(socket.SHUT_WR)
        answers.read()  # until it has let us go: the mqtt process is to be no second one with this client id
    return True


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 127
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body
