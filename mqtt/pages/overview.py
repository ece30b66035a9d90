"""The overview: what needs somebody, worst first; how much is up; what happened just now."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.http import QueryDict
from django.utils import timezone

from mqtt.badges import MISSING, TROUBLE
from mqtt.enums import STATUS_WORST_FIRST, Availability, ConnectionStatus, NodeKind
from mqtt.lists import queries
from mqtt.models import (
    IS_NEW,
    AuditEntry,
    ConnectionActivity,
    Datalogger,
    DiscoveredTopic,
    Gateway,
    MqttConnection,
    SensorDevice,
    StatusChange,
)
from mqtt.pages.base import STATES, Page, Part, Shown, list_url, register
from mqtt.pages.lists import behind, is_unheard
from mqtt.pages.pulse import PULSE, flow
from mqtt.pages.timeline import FLAPPING, OFTEN
from mqtt.permissions import User, visible_to
from mqtt.supervisor.state import read_state

NEEDS = 12
FEED = 12
LOOKED_AT = 10 * FEED
"""Changes that are read for the feed: what happened to many at once, or often to one, is one line of it."""
AT_ONCE = timedelta(seconds=2)
NEW: dict[str, Any] = {"gateway": Gateway, "datalogger": Datalogger}
RECENTLY = timedelta(minutes=15)
"""How long a restarted process stays on the overview."""

FEED_KINDS = (NodeKind.CONNECTION, NodeKind.GATEWAY, NodeKind.DATALOGGER)
"""Sensors follow their datalogger; each of them in the feed would bury the rest."""


def numbers(shown: Shown) -> dict[str, Any]:
    """The counters: connections up, dataloggers online, messages a second, sensors."""
    connections = visible_to(shown.user, MqttConnection.objects.all()).with_effective_status()  # type: ignore[attr-defined]
    by_status = _grouped(connections, "effective_status")
    dataloggers = visible_to(shown.user, Datalogger.objects.all()).with_availability()  # type: ignore[attr-defined]
    by_availability = _grouped(dataloggers, "effective_availability")
    activity = visible_to(shown.user, ConnectionActivity.objects.all()).filter(connection__is_enabled=True)
    rates = activity.filter(connection__status__in=("connected", "silent")).aggregate(
        messages=Sum("message_rate"), readings=Sum("reading_rate")
    )
    enabled = sum(by_status.values()) - by_status.get(ConnectionStatus.DISABLED, 0)
    up = by_status.get(ConnectionStatus.CONNECTED, 0) + by_status.get(ConnectionStatus.SILENT, 0)
    stored = (rates["messages"] or 0.0, rates["readings"] or 0.0) if up else (0.0, 0.0)  # of a process that is gone
    messages, readings = flow() or stored  # one figure on one page
    troubles = [(status.value, by_status[status]) for status in STATUS_WORST_FIRST[:5] if by_status.get(status)]
    return {
        "up": up,
        "enabled": enabled,
        "all": sum(by_status.values()),
        "troubles": troubles,
        "is_bad": bool(by_status.get(ConnectionStatus.ERROR)),
        "online": by_availability.get(Availability.ONLINE, 0),
        "dataloggers": sum(by_availability.values()),
        "missing": [(status.value, by_availability[status]) for status in MISSING if by_availability.get(status)],
        "is_offline": bool(by_availability.get(Availability.OFFLINE)),
        "unknown": by_availability.get(Availability.UNKNOWN, 0),
        "messages": messages,
        "readings": readings,
        "behind": behind(activity),
        "is_unheard": is_unheard(by_status),
        "sensors": visible_to(shown.user, SensorDevice.objects.all()).count(),
    }


def _grouped(queryset: Any, field: str) -> dict[str, int]:
    return dict(queryset.order_by().values_list(field).annotate(n=Count("pk")))


def needs(shown: Shown) -> dict[str, Any]:
    """Connections in trouble, then devices that are offline or late, worst first; a device behind a missing
    gateway is counted there and not listed again.
    """
    troubled = queries.rows("connection", shown.user).filter(effective_status__in=TROUBLE)
    gateways = queries.rows("gateway", shown.user).filter(effective_availability__in=MISSING)
    dataloggers = (
        queries.rows("datalogger", shown.user)
        .filter(effective_availability__in=MISSING)
        .exclude(Q(gateway__state__availability=Availability.OFFLINE))
    )
    items = [{"kind": "connection", "record": row} for row in troubled.order_by("rank", "name")[:NEEDS]]
    for kind, found in (("gateway", gateways), ("datalogger", dataloggers)):
        rows = queries.prepare(kind, found.order_by("rank", "identifier", "pk")[:NEEDS])
        items += [{"kind": kind, "record": row} for row in rows]
    total = troubled.count() + gateways.count() + dataloggers.count()
    items.sort(key=_severity)
    is_unheard = not visible_to(shown.user, Datalogger.objects.all()).exists()
    return {
        "items": items[:NEEDS],
        "more": max(0, total - NEEDS),
        "new": _new(shown.user),
        "is_unheard": is_unheard and not visible_to(shown.user, DiscoveredTopic.objects.all()).exists(),
    }


def _new(user: User) -> list[dict[str, Any]]:
    """How many gateways and dataloggers nobody has accepted yet, and where they are."""
    counts = {kind: visible_to(user, model.objects.filter(IS_NEW)).count() for kind, model in NEW.items()}
    return [
        {"kind": kind, "count": count, "url": list_url(f"{kind}-list", new="true")}
        for kind, count in counts.items()
        if count
    ]


def _severity(item: dict[str, Any]) -> int:
    record = item["record"]
    if item["kind"] == "connection":
        order = {ConnectionStatus.ERROR: 0, ConnectionStatus.DISCONNECTED: 1, ConnectionStatus.UNKNOWN: 2}
        return order.get(record.effective_status, 4)
    late = record.effective_availability == Availability.LATE
    return 5 if late else 3


def feed(shown: Shown) -> dict[str, Any]:
    """The newest status changes and actions, as one list."""
    changes = list(visible_to(shown.user, StatusChange.objects.filter(kind__in=FEED_KINDS))[:LOOKED_AT])
    entries = visible_to(shown.user, AuditEntry.objects.all())[:FEED]
    events = _together(changes) + [{"at": entry.at, "entry": entry} for entry in entries]
    events.sort(key=lambda event: event["at"], reverse=True)
    return {"events": events[:FEED]}


def _together(changes: list[StatusChange]) -> list[dict[str, Any]]:
    """One line for what happened to several for the same reason at once, such as all behind a gateway that is lost."""
    found: list[dict[str, Any]] = []
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    flapping = _flapping(changes)
    for change in changes:
        often = flapping.get((change.kind, change.object_id))
        if often and change is not often[0]:
            continue
        key = (change.kind, change.to_status, change.reason, bool(often))
        known = first.get(key)
        if known is not None and change.reason and known["at"] - change.at <= AT_ONCE:
            known["others"] += 1
            known["is_cut"] = change is changes[-1] and len(changes) == LOOKED_AT
        else:
            first[key] = {"at": change.at, "change": change, "others": 0}
            if often:
                first[key] |= {"times": len(often), "since": often[-1].at}
            found.append(first[key])
    return found


def _flapping(changes: list[StatusChange]) -> dict[tuple[str, int], list[StatusChange]]:
    """What went back and forth, newest first, of each that did so too often to be told one by one."""
    of: dict[tuple[str, int], list[StatusChange]] = {}
    for change in changes:
        of.setdefault((change.kind, change.object_id), []).append(change)
    return {key: all_ for key, all_ in of.items() if len(all_) > OFTEN and all_[0].at - all_[OFTEN].at <= FLAPPING}


def processes(_shown: Shown) -> dict[str, Any]:
    """Processes of this machine that had to be started again not long ago."""
    since = timezone.now() - RECENTLY
    children = read_state(settings.RUN_DIR)
    return {
        "restarted": [
            child
            for child in children
            if child.restarts and (child.started_at is None or child.started_at > since or child.state != "running")
        ]
    }


class OverviewPage(Page):
    """Everything on it changes, none of it is a table of one kind."""

    name = "overview"
    pulses = (PULSE,)
    parts = (
        Part("processes", "mqtt/parts/_processes.html", processes, every=2.0, on=STATES | {"rates"}),
        Part("numbers", "mqtt/parts/_numbers.html", numbers, on=STATES | {"rates"}),
        Part("needs", "mqtt/parts/_needs.html", needs),
        Part("feed", "mqtt/parts/_feed.html", feed, element="ol", on=STATES | {"journal"}),
    )

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown:
        """The overview has no rows of its own."""
        return Shown(self, user, params)


class ConsolePage(Page):
    """Pages without live parts of their own: only the menu's badges."""

    name = "console"

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown:
        """Nothing."""
        return Shown(self, user, params)


OVERVIEW = register(OverviewPage())
CONSOLE = register(ConsolePage())
