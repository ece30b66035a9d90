"""Who did what."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from mqtt.enums import AuditAction, NodeKind
from mqtt.filters import AuditFilter
from mqtt.models import (
    AuditEntry,
    Command,
    Datalogger,
    Gateway,
    Mapping,
    MqttConnection,
    Note,
    SensorCorrection,
    SensorDevice,
    Site,
)
from mqtt.permissions import VIEW, visible_to
from mqtt.views import exports
from mqtt.views.guard import needs

PAGE_SIZE = 50
CHANGES = 60
LONGEST = 120

KINDS: dict[str, tuple[Any, str]] = {
    NodeKind.CONNECTION: (MqttConnection, "connection-detail"),
    NodeKind.SITE: (Site, "site-detail"),
    NodeKind.GATEWAY: (Gateway, "gateway-detail"),
    NodeKind.DATALOGGER: (Datalogger, "datalogger-detail"),
    NodeKind.SENSOR: (SensorDevice, "sensor-detail"),
}
WRITTEN = (Note, SensorCorrection, Command, Mapping)
"""What people do to a thing by writing something else: its fields stand in the entry of the thing."""
NAMES: dict[str, Any] = {
    "filters": gettext_lazy("topic filters"),
    "password": gettext_lazy("password"),
    "user": gettext_lazy("user"),
    "role": gettext_lazy("role"),
    "bytes": gettext_lazy("bytes"),
    "topics": gettext_lazy("topics"),
    "gateways": gettext_lazy("gateways"),
    "dataloggers": gettext_lazy("dataloggers"),
    "sensors": gettext_lazy("sensors"),
    "moved": gettext_lazy("moved as they are"),
    "messages": gettext_lazy("messages"),
    "seconds": gettext_lazy("seconds"),
}
"""Of what is written down without being a field of anything."""
ACTIONS: dict[str, Any] = {action.value: action.label for action in AuditAction}


@needs(VIEW)
@require_safe
def audit_list(request: HttpRequest) -> HttpResponseBase:
    """The newest actions, filtered."""
    entries = visible_to(request.user, AuditEntry.objects.all())
    filterset = AuditFilter(request.GET, entries, request=request)
    if writer := exports.wanted(request):
        return exports.audit_export(request, filterset.qs, writer)
    page = Paginator(filterset.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    urls = _urls(shown)
    params = request.GET.copy()
    params.pop("page", None)
    context = {
        "page": page,
        "rows": [
            {
                "entry": entry,
                "action": ACTIONS.get(entry.action, entry.action),
                "url": urls.get((entry.kind, entry.object_id), ""),
                "changes": changes_of(entry),
            }
            for entry in shown
        ],
        "export": exports.choices(request, page.paginator.count),
        "filter_form": filterset.form,
        "is_filtered": any(params.values()),
        "others": params.urlencode(),
    }
    return render(request, "mqtt/audit_list.html", context)


def changes_of(entry: AuditEntry) -> list[tuple[str, Any, Any]]:
    """(field, old, new) of what an entry says, each a text or a time; what has no old value has an empty one."""
    model = KINDS.get(entry.kind, (None, ""))[0]
    rows = []
    for name, value in list(entry.details.items())[:CHANGES]:
        both = value if isinstance(value, dict) and {"old", "new"} <= value.keys() else {"old": "", "new": value}
        rows.append((_label(model, name), _word(both["old"]), _word(both["new"])))
    return sorted(rows, key=lambda row: row[0])


def _label(model: type[Model] | None, name: str) -> str:
    for one in (model, *WRITTEN):
        fields = {field.name: field for field in one._meta.fields} if one else {}  # noqa: SLF001 - public by its docs
        if name in fields:
            return str(fields[name].verbose_name)
    return str(NAMES.get(name, name.replace("_", " ")))


def _word(value: Any) -> Any:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _moment(value) or str(value)[:LONGEST]


def _moment(value: Any) -> datetime | None:
    """The time that a text is; times stand in an entry as in its JSON."""
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:  # the 31st of February
        return None
    return at if at and at.tzinfo else None


def _urls(entries: list[AuditEntry]) -> dict[tuple[str, int | None], str]:
    """Where the things of the entries are, of those that still exist; one query a kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if entry.kind in KINDS and entry.object_id:
            wanted[entry.kind].add(entry.object_id)
    found: dict[tuple[str, int | None], str] = {}
    for kind, pks in wanted.items():
        model, name = KINDS[kind]
        for pk in model.objects.filter(pk__in=pks).values_list("pk", flat=True):
            found[kind, pk] = reverse(name, args=[pk])
    return found
