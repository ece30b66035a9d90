"""A publisher that is not the bottleneck: pre-encoded packets over a raw socket, in a process of its own.

`python -m benchmarks.publisher PORT COUNT ...` prints one line of JSON: when it began and ended, how many the broker
acknowledged, and when each probe was sent.
"""

import argparse
import json
import os
import select
import socket
import time
from datetime import UTC, datetime

from benchmarks import packets

CHUNK = 100_000
"""Messages encoded at once; a longer run pauses shortly for the next."""
BURST = 100
PATIENCE = 30.0
"""Seconds without an acknowledgement after which the broker is taken for dead."""


class Sender:
    """One connection to the broker with a window of unacknowledged messages."""

    def __init__(self, port: int, qos: int, window: int) -> None:
        self.qos, self.window = qos, window
        self.sent = self.acknowledged_bytes = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(packets.connect(f"bench-publisher-{os.getpid()}"))
        if self.socket.recv(4)[:1] != b"\x20":
            raise ConnectionError("The broker did not answer CONNECT.")

    @property
    def acknowledged(self) -> int:
        """How many messages the broker took."""
        return self.acknowledged_bytes // packets.ACKNOWLEDGED if self.qos else self.sent

    def room(self) -> int:
        """How many more may be on their way now."""
        return self.window - (self.sent - self.acknowledged) if self.qos else BURST

    def send(self, ready: list[bytes]) -> None:
        """Hand packets to the kernel."""
        self.socket.sendall(b"".join(ready))
        self.sent += len(ready)

    def listen(self, seconds: float) -> None:
        """Take acknowledgements, waiting so long for the first."""
        if select.select([self.socket], [], [], seconds)[0]:
            received = self.socket.recv(65_536)
            if not received:
                raise ConnectionError("The broker closed the connection.")
            self.acknowledged_bytes += len(received)


class Run:
    """The sending of one run: paced when `rate` is set, else as fast as the broker takes it."""

    def __init__(self, sender: Sender, options: argparse.Namespace) -> None:
        self.sender, self.options = sender, options
        self.probes: dict[int, float] = {}
        self.begin = 0.0

    def due(self, total: int) -> int:
        """How many messages should be out by now."""
        rate = self.options.rate
        return min(total, int((time.monotonic() - self.begin) * rate) + 1) if rate else total

    def send(self, ready: list[bytes], first: int) -> None:
        """Send messages `first` and on."""
        total = first + len(ready)
        while self.sender.sent < total:
            sent = self.sender.sent
            until = min(self.due(total), sent + self.sender.room(), sent + BURST)
            if until > sent:
                self.note_probes(sent, until)
                self.sender.send(ready[sent - first : until - first])
                self.sender.listen(0)
            elif self.sender.room() <= 0:
                self.sender.listen(PATIENCE)
            else:
                self.sender.listen(min(0.002, 0.5 / self.options.rate))

    def note_probes(self, first: int, until: int) -> None:
        """Remember when probes leave."""
        every = self.options.probe_every
        if every:
            now = time.time()
            for number in range(first + -first % every, until, every):
                self.probes[packets.FIRST_VALUE + self.options.first + number] = now

    def prepared(self, first: int, count: int) -> list[bytes]:
        """The packets of a chunk, probes in their places."""
        options = self.options
        made = packets.messages(first + options.first, count, options.topics, options.qos, options.timed)
        if options.probe_every:
            every, start = options.probe_every, datetime.now(UTC)
            for number in range(first + -first % every, first + count, every):
                topic = packets.probe_topic(number // every % options.probes)
                value = packets.FIRST_VALUE + options.first + number
                content = packets.payload(value, start, number, options.timed)
                made[number - first] = packets.publish(topic, content, options.qos, number)
        return made


def main() -> None:
    """Publish and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    for name, default in (("first", 0), ("qos", 1), ("topics", 1000), ("window", 1000), ("probe-every", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--probes", type=int, default=50)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--timed", action="store_true")
    parser.add_argument("--marker", action="store_true")
    options = parser.parse_args()
    run = Run(Sender(options.port, options.qos, options.window), options)
    ready = run.prepared(0, min(CHUNK, options.count))
    begun, run.begin = time.time(), time.monotonic()
    for first in range(0, options.count, CHUNK):
        run.send(ready if first == 0 else run.prepared(first, min(CHUNK, options.count - first)), first)
    if options.marker:
        number = options.first + options.count
        content = packets.payload(packets.FIRST_VALUE + number, datetime.now(UTC), number, options.timed)
        run.sender.send([packets.publish(packets.MARKER, content, options.qos, number)])
    while run.sender.acknowledged < run.sender.sent:
        run.sender.listen(PATIENCE)
    ended = time.time()
    result = {"begun": begun, "ended": ended, "acknowledged": run.sender.acknowledged, "probes": run.probes}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
