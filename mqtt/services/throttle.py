"""Slows down who guesses passwords and tokens: counted in this process, bounded, forgotten after a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Network, ip_address

WINDOW = 300.0
"""Seconds after which a failure no longer counts."""
ALLOWED = {"pair": 5, "address": 30}
"""Failures before the waiting begins: of one name from one address, and of all names from one address.

A name alone is not counted: a stranger could lock its owner out from elsewhere.
"""
REMEMBERED = 5000
"""Keys kept; the oldest go first, so that memory stays bounded whatever names are tried."""


class Failures:
    """Times of failed tries by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, keys: dict[str, str]) -> int:
        """Whole seconds until `keys` may try again; 0 when they may now. `keys` is {kind of ALLOWED: key}."""
        now = time.monotonic()
        with self._lock:
            ends = [self._end(kind, key, now) for kind, key in keys.items()]
        return max(0, *(int(end - now) + 1 if end > now else 0 for end in ends))

    def add(self, keys: Iterable[str]) -> None:
        """Count one failure for each key."""
        now = time.monotonic()
        with self._lock:
            for key in keys:
                times = [one for one in self._times.pop(key, []) if one > now - WINDOW]
                self._times[key] = [*times, now][-max(ALLOWED.values()) :]
            while len(self._times) > REMEMBERED:
                self._times.popitem(last=False)

    def take_back(self, keys: Iterable[str]) -> None:
        """The newest failure of each key was none."""
        with self._lock:
            for key in keys:
                times = self._times.get(key)
                if times:
                    times.pop()

    def forget(self, keys: Iterable[str]) -> None:
        """Start afresh after a success."""
        with self._lock:
            for key in keys:
                self._times.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._times.clear()

    def _end(self, kind: str, key: str, now: float) -> float:
        recent = [one for one in self._times.get(key, []) if one > now - WINDOW]
        allowed = ALLOWED[kind]
        return recent[-allowed] + WINDOW if len(recent) >= allowed else 0.0


_failures = Failures()


def network_of(address: str) -> str:
    """Who counts as one: an IPv4 address, or the 64 bits of IPv6 within which everybody has addresses enough."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found.packed, 64), strict=False))


def login_keys(username: str, address: str) -> dict[str, str]:
    """What a failed login is counted under; names of any length take the same room."""
    name = sha256(username.casefold().encode("utf-8", "replace")).hexdigest()[:32]
    return {"pair": f"{name} {network_of(address)}", "address": f"login {network_of(address)}"}


def login_wait(username: str, address: str) -> int:
    """Seconds this name must wait at this address before the next try."""
    return _failures.wait(login_keys(username, address))


def login_begins(username: str, address: str) -> None:
    """Count a try as failed until it is known: many at once must not all slip past the count."""
    _failures.add(login_keys(username, address).values())


def login_succeeded(username: str, address: str) -> None:
    """A right password: forget this name's failures; those of the address stay, or an own account would clear them."""
    keys = login_keys(username, address)
    _failures.take_back([keys["address"]])
    _failures.forget([keys["pair"]])


def token_wait(address: str) -> int:
    """Seconds this address must wait before its tokens are looked at again."""
    return _failures.wait({"address": f"token {network_of(address)}"})


def token_failed(address: str) -> None:
    """Count a wrong token."""
    _failures.add([f"token {network_of(address)}"])


def forget_everything() -> None:
    """For tests: every address starts afresh."""
    _failures.clear()
