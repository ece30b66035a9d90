"""Does the name resolve, and does the port answer?"""

import errno
import ipaddress
import queue
import socket
import threading
import time
from typing import Any, NamedTuple

from mqtt.exceptions import ReasonError

UNREACHABLE = {
    errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT,
}  # fmt: skip
"""What the system says when there is no way to an address."""
MOST_ADDRESSES = 6
"""A name with more addresses than this is tried at its first ones only."""


class Address(NamedTuple):
    """One place where a host name leads."""

    family: int
    sockaddr: tuple[Any, ...]
    text: str


def is_address(host: str) -> bool:
    """Whether the host is an IP address already, so that there is no name to look up."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def look_up(host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of a host, in the order in which a client tries them; gives up after `seconds`."""
    # getaddrinfo knows no timeout and may wait for silent name servers for half a minute.
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise ReasonError("dns_failed", host=host) from None
    if isinstance(found, Exception):
        raise _explained(host, found) from found
    return [Address(family, sockaddr, str(sockaddr[0])) for family, _, _, _, sockaddr in found][:MOST_ADDRESSES]


def _explained(host: str, error: Exception) -> ReasonError:
    if isinstance(error, UnicodeError):
        return ReasonError("test_name_invalid", host=host)
    code = error.args[0] if error.args else 0
    if code in {socket.EAI_AGAIN, socket.EAI_FAIL}:
        return ReasonError("dns_failed", host=host)
    return ReasonError("dns_unknown", host=host)


def dial(addresses: list[Address], seconds: float) -> tuple[socket.socket, Address]:
    """An open TCP connection to the first address that answers; all tries together take at most `seconds`."""
    end = time.monotonic() + seconds
    failure = ReasonError("link_failed", address="?", detail="?")
    for position, address in enumerate(addresses):
        # What is left is shared out, so that one silent address does not use up everything.
        patience = max(0.2, (end - time.monotonic()) / (len(addresses) - position))
        wire = socket.socket(address.family, socket.SOCK_STREAM)
        wire.settimeout(patience)
        try:
            wire.connect(address.sockaddr)
        except OSError as error:
            wire.close()
            failure = _refused(address, error, patience)
        else:
            return wire, address
    raise failure


def _refused(address: Address, error: OSError, seconds: float) -> ReasonError:
    host, port = address.text, int(address.sockaddr[1])
    if isinstance(error, ConnectionRefusedError):
        if ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            return ReasonError("test_tcp_refused_here", port=port)
        return ReasonError("refused", host=host, port=port)
    if isinstance(error, TimeoutError):
        return ReasonError("test_tcp_timeout", address=host, port=port, seconds=round(seconds))
    if error.errno in UNREACHABLE:
        return ReasonError("unreachable", host=host)
    return ReasonError("link_failed", address=f"{host} port {port}", detail=error.strerror or str(error))
