"""The lists: connections, gateways, dataloggers, sensors, topics, and what was not understood."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Max, Sum
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from mqtt import filters, tables
from mqtt.badges import TROUBLE
from mqtt.enums import STATUS_WORST_FIRST, ConnectionStatus
from mqtt.lists.queries import AVAILABILITY_WORST_FIRST
from mqtt.models import ConnectionActivity, UndecodedMessage
from mqtt.pages.base import STATES, Part, Shown, list_url, register
from mqtt.pages.list_page import ListPage
from mqtt.permissions import visible_to
from mqtt.services.deletion import leaving
from mqtt.services.pressure import BEHIND_FROM

COUNTS_EVERY = 2.0
"""Seconds between two counts of the same list: they read the whole table, rows do not."""


def chips(shown: Shown) -> dict[str, Any]:
    """The counters above a list, worst first; each is a link that sets the filter."""
    page: Any = shown.page
    counts = shown.extra["counts"]
    chosen = shown.params.get(page.status_parameter, "")
    is_connections = page.status_parameter == "status"
    order = STATUS_WORST_FIRST if is_connections else AVAILABILITY_WORST_FIRST
    return {
        "chosen": chosen,
        "all": counts[""],
        "all_label": pgettext("connections", "All") if is_connections else gettext("All"),
        "all_url": _query(shown, page.status_parameter, ""),
        "chips": [
            {"status": name.value, "count": counts.get(name, 0), "url": _query(shown, page.status_parameter, name)}
            for name in order
            if counts.get(name) or name == chosen
        ],
    }


def _query(shown: Shown, name: str, value: str) -> str:
    params = shown.params.copy()
    params.pop("page", None)
    params.pop(name, None)
    if value:
        params[name] = value
    return f"?{params.urlencode()}"


def summary(shown: Shown) -> dict[str, Any]:
    """One line about all connections: how much comes in, how far storing is behind, how many need somebody."""
    activity = visible_to(shown.user, ConnectionActivity.objects.all()).filter(connection__is_enabled=True)
    counts = shown.extra["counts"]
    totals = activity.aggregate(rate=Sum("message_rate"))
    up = counts.get(ConnectionStatus.CONNECTED, 0) + counts.get(ConnectionStatus.SILENT, 0)
    return {
        "rate": totals["rate"] or 0.0 if up else 0.0,
        "up": up,
        "behind": behind(activity),
        "is_unheard": is_unheard({status: counts.get(status, 0) for status in ConnectionStatus}),
        "trouble": sum(counts.get(status, 0) for status in TROUBLE),
        "all": counts[""],
        "leaving": leaving().count(),
    }


def is_unheard(by_status: Mapping[Any, int]) -> bool:
    """Whether no process vouches for any connection that is enabled: then nobody can say that all is stored."""
    enabled = sum(by_status.values()) - by_status.get(ConnectionStatus.DISABLED, 0)
    return bool(enabled) and by_status.get(ConnectionStatus.UNKNOWN, 0) == enabled


def behind(activity: Any) -> float:
    """The longest delay in storing, or 0.0 when it is not worth showing."""
    worst = max(activity.filter(lag_seconds__gte=BEHIND_FROM).values_list("lag_seconds", flat=True), default=0.0)
    return float(worst)


MOST_GROUPS = 20


def groups(shown: Shown) -> dict[str, Any]:
    """What was not understood, by topic and reason, most frequent first; nothing while a filter narrows the list."""
    page: Any = shown.page
    if page.is_filtered(shown.params):
        return {"groups": []}
    rows = visible_to(shown.user, UndecodedMessage.objects.order_by())
    fields = ("connection", "connection__name", "topic", "reason")
    counted = rows.values(*fields).annotate(count=Count("pk"), last=Max("received_at"), newest=Max("pk"))
    found = list(counted.order_by("-count", "topic")[: MOST_GROUPS + 1])
    examples = UndecodedMessage.objects.defer("payload").in_bulk([group["newest"] for group in found])
    for group in found:
        group["why"] = examples[group["newest"]].reason_detail if group["newest"] in examples else group["reason"]
        chosen = {name: group[name] for name in ("connection", "topic", "reason")}
        group["url"] = list_url("undecoded-list", **chosen)
    return {"groups": found[:MOST_GROUPS], "more": len(found) > MOST_GROUPS}


CHIPS = Part("chips", "mqtt/parts/_chips.html", chips, every=COUNTS_EVERY)
SUMMARY = Part(
    "summary", "mqtt/parts/_connections_summary.html", summary, element="p", every=COUNTS_EVERY, on=STATES | {"rates"}
)

CONNECTIONS = ListPage(
    name="connections",
    table=tables.ConnectionTable,
    filterset=filters.ConnectionFilter,
    title=_("Connections"),
    status_field="effective_status",
    parts=(CHIPS, SUMMARY),
)
GATEWAYS = ListPage(
    name="gateways",
    table=tables.GatewayTable,
    filterset=filters.GatewayFilter,
    title=_("Gateways"),
    status_field="effective_availability",
    parts=(CHIPS,),
)
DATALOGGERS = ListPage(
    name="dataloggers",
    table=tables.DataloggerTable,
    filterset=filters.DataloggerFilter,
    title=_("Dataloggers"),
    status_field="effective_availability",
    parts=(CHIPS,),
)
SENSORS = ListPage(
    name="sensors",
    table=tables.SensorTable,
    filterset=filters.SensorFilter,
    title=_("Sensors"),
    status_field="effective_availability",
    parts=(CHIPS,),
)
TOPICS = ListPage(name="topics", table=tables.TopicTable, filterset=filters.TopicFilter, title=_("Topics"))
UNDECODED = ListPage(
    name="undecoded",
    table=tables.UndecodedTable,
    filterset=filters.UndecodedFilter,
    title=_("Not understood"),
    parts=(Part("groups", "mqtt/parts/_undecoded_groups.html", groups, every=COUNTS_EVERY, on=STATES | {"readings"}),),
)
COMMANDS = ListPage(name="commands", table=tables.CommandTable, filterset=filters.CommandFilter, title=_("Commands"))

for page in (CONNECTIONS, GATEWAYS, DATALOGGERS, SENSORS, TOPICS, UNDECODED, COMMANDS):
    register(page)
