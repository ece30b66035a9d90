"""Whether the console does its work: database, channel layer, and somebody who holds the connections."""

import logging
from dataclasses import dataclass
from enum import IntEnum

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mqtt.models import ConnectionLease, MqttConnection
from mqtt.services import clock, pressure
from mqtt.services.database_outage import ask_anew_if_stalled, ask_for_connection
from mqtt.services.disk import WARN_AT

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds for the channel layer to answer; it is on this machine or next to it."""


class HealthState(IntEnum):
    """Worst last; the number is the exit code of `check_health`."""

    UP = 0
    DEGRADED = 1
    DOWN = 2


@dataclass(frozen=True)
class Check:
    """One part, its state, and a sentence for people."""

    name: str
    state: HealthState
    detail: str


@dataclass(frozen=True)
class Health:
    """All parts together; as bad as the worst of them."""

    checks: tuple[Check, ...]

    @property
    def state(self) -> HealthState:
        """The worst state of all parts."""
        return max(check.state for check in self.checks)


def check_health() -> Health:
    """Ask every part once, in the active language; bounded by PATIENCE and the pool's SOON."""
    return Health((*_database_and_mqtt(), _channel_layer(), *_storing()))


class Readiness:
    """What the log was told last: load balancers ask every few seconds, and an outage is news once."""

    def __init__(self) -> None:
        self._down: tuple[str, ...] = ()

    def note(self, health: Health) -> None:
        """Say what went down or came back since the last time."""
        down = tuple(check.name for check in health.checks if check.state is HealthState.DOWN)
        before, self._down = self._down, down
        if down and down != before:
            logger.warning("Not ready, manage.py check_health says more: %s", ", ".join(down))
        elif before and not down:
            logger.warning("Ready again: %s", ", ".join(before))


READINESS = Readiness()


def _database_and_mqtt() -> tuple[Check, ...]:
    try:
        ask_anew_if_stalled()
        ask_for_connection()
        enabled = MqttConnection.objects.filter(is_enabled=True).count()
        held = ConnectionLease.objects.filter(connection__is_enabled=True, expires_at__gt=Now()).count()
        found = clock.doubt()
    except DatabaseError as error:
        return (Check("database", HealthState.DOWN, _("The database does not answer: %s") % str(error).strip()),)
    return Check("database", HealthState.UP, _("The database answers.")), _mqtt(enabled, held), _clock(found)


def _mqtt(enabled: int, held: int) -> Check:
    if not enabled:
        return Check("mqtt", HealthState.UP, _("No connection is enabled."))
    if not held:
        if any(one.database_away_seconds for one in pressure.read_all() or ()):
            text = _("The mqtt process runs, but the database takes nothing from it: what devices send waits.")
            return Check("mqtt", HealthState.DOWN, text)
        return Check(
            "mqtt",
            HealthState.DOWN,
            _("No mqtt process runs: nothing is received. Start it with scripts/run or manage.py run_mqtt."),
        )
    if held < enabled:
        missing = enabled - held
        text = ngettext(
            "%(count)s enabled connection is held by no mqtt process.",
            "%(count)s enabled connections are held by no mqtt process.",
            missing,
        )
        return Check("mqtt", HealthState.DEGRADED, text % {"count": missing})
    return Check("mqtt", HealthState.UP, _("The mqtt process holds every enabled connection."))


def _clock(found: clock.Doubt | None) -> Check:
    if found is None:
        return Check("clock", HealthState.UP, _("Nothing speaks against this computer's clock."))
    return Check("clock", HealthState.DEGRADED, clock.explain(found))


def _channel_layer() -> Check:
    try:
        with redis.Redis.from_url(
            settings.CHANNEL_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return Check(
            "channel layer",
            HealthState.DEGRADED,
            _("The channel layer does not answer, pages are not live: %s") % error,
        )
    return Check("channel layer", HealthState.UP, _("The channel layer answers."))


def _storing() -> tuple[Check, ...]:
    """What the mqtt processes say through Valkey; nothing when none does."""
    processes = pressure.read_all()
    if not processes:
        return ()
    behind = max(one.behind_seconds for one in processes)
    checks = [Check("storing", HealthState.UP, _("Readings are stored as they come."))]
    if any(one.is_behind for one in processes):
        text = _("Storing is behind by %(seconds)s s.") % {"seconds": round(behind)}
        checks = [Check("storing", HealthState.DEGRADED, text)]
    share = max(one.disk_share for one in processes)
    if share:
        checks.append(_disk(share, keeps_history=all(one.keeps_history for one in processes)))
    return tuple(checks)


def _disk(share: float, *, keeps_history: bool) -> Check:
    facts = {"percent": int(share * 100)}
    if not keeps_history:
        text = _("The disk is %(percent)s %% full: readings are no longer kept in the history.") % facts
        return Check("disk", HealthState.DEGRADED, text)
    state = HealthState.DEGRADED if share >= WARN_AT else HealthState.UP
    return Check("disk", state, _("The disk is %(percent)s %% full.") % facts)
