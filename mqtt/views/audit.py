"""Who did what."""

from collections import defaultdict
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from mqtt.enums import AuditAction, NodeKind
from mqtt.filters import AuditFilter
from mqtt.models import AuditEntry, Datalogger, Gateway, MqttConnection, SensorDevice, Site
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


def changes_of(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """(field, old, new) of what an entry says; what has no old value has an empty one."""
    model = KINDS.get(entry.kind, (None, ""))[0]
    rows = []
    for name, value in list(entry.details.items())[:CHANGES]:
        both = value if isinstance(value, dict) and {"old", "new"} <= value.keys() else {"old": "", "new": value}
        rows.append((_label(model, name), _word(both["old"]), _word(both["new"])))
    return sorted(rows)


def _label(model: type[Model] | None, name: str) -> str:
    fields = {field.name: field for field in model._meta.fields} if model else {}  # noqa: SLF001 - public by its docs
    return str(fields[name].verbose_name) if name in fields else name.replace("_", " ")


def _word(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)[:LONGEST]


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
