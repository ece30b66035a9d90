"""Small TCP servers that behave badly on purpose, each in a thread on a free loopback port."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]


def silent(wire: socket.socket) -> None:
    """Take everything and never answer."""
    with contextlib.suppress(OSError):
        while wire.recv(4096):
            pass


def closing(wire: socket.socket) -> None:
    """Read what comes first, then hang up."""
    with contextlib.suppress(OSError):
        wire.recv(4096)


def saying(answer: bytes) -> Behaviour:
    """Answer the first bytes with always the same."""

    def behave(wire: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wire.recv(4096)
            wire.sendall(answer)
            silent(wire)

    return behave


@contextlib.contextmanager
def listening(behave: Behaviour) -> Iterator[int]:
    """The port of a listener that treats every connection with `behave`."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    ended = threading.Event()
    wires: list[socket.socket] = []

    def treat(wire: socket.socket) -> None:
        with wire:
            behave(wire)

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                wire, _ = server.accept()
                wires.append(wire)
                threading.Thread(target=treat, args=(wire,), daemon=True).start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        ended.set()
        thread.join()
        server.close()
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
