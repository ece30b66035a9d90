"""How many calls one account may make: enough for any script that thinks, too few for a loop that went wrong."""

import threading
import time
from collections import OrderedDict
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

BURST = 60.0
"""Seconds whose calls may come at once."""
REMEMBERED = 2000
"""Accounts and addresses that are counted; who called longest ago is forgotten first."""


class Bucket:
    """Calls that may still be made; refilled as time goes by. Counted in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_minute: int, now: float) -> float:
        """Make one call; seconds to wait when there is none left, else 0.0."""
        rate = per_minute / 60.0
        full = rate * BURST
        with self._lock:
            level, since = self._levels.pop(key, (full, now))
            level = min(full, level + (now - since) * rate)
            allowed = level >= 1.0
            self._levels[key] = (level - allowed, now)
            while len(self._levels) > REMEMBERED:
                self._levels.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / rate

    def clear(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._levels.clear()


_bucket = Bucket()


class CallThrottle(BaseThrottle):
    """429 with `Retry-After` beyond API_RATE calls a minute, for each account; without a login for each address."""

    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this call may be made."""
        user = getattr(request, "user", None)
        key = f"user {user.pk}" if user and user.pk else f"address {request.META.get('REMOTE_ADDR', '')}"
        self._wait = _bucket.take(key, settings.API_RATE, time.monotonic())
        return not self._wait

    def wait(self) -> float:
        """Seconds, for `Retry-After`."""
        return self._wait


def forget_everything() -> None:
    """For tests: everybody starts afresh."""
    _bucket.clear()
