"""The list of all devices as a spreadsheet: out, and back in after a look at what changes."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.models import MqttConnection
from mqtt.permissions import CONFIGURE, VIEW, can, visible_to
from mqtt.services.device_list.plan import Plan, plan
from mqtt.services.device_list.reading import LONGEST, text_of
from mqtt.services.device_list.storing import store
from mqtt.services.device_list.table import KINDS, file_of
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs

SHOWN = 500
"""Changes that the preview lists; all of them are counted."""
MOST_CHANGED = 2_000_000
"""Bytes of the rows that change, which travel with the preview's button: Django takes 2.5 MB in a form."""
FORMS = {"csv": (",", ""), "excel": (";", "\ufeff")}
"""Separator and mark: Excel takes semicolons and knows UTF-8 by the mark in most of Europe."""


@needs(VIEW)
@require_safe
def device_list(request: HttpRequest) -> HttpResponse:
    """Where the file is taken and given back."""
    return _page(request)


@needs(VIEW)
@require_safe
def device_list_file(request: HttpRequest) -> HttpResponse:
    """The file itself; of one connection, or of all."""
    form = request.GET.get("form", "")
    delimiter, mark = FORMS.get(form, FORMS["csv"])
    querysets = list(_visible(request, request.GET.get("connection", "")).values())
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="devices.csv"'
    response.write(mark)
    for piece in file_of(querysets, delimiter):
        response.write(piece.encode("utf-8", "replace"))
    return response


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def device_list_upload(request: HttpRequest) -> HttpResponse:
    """Say what a file would change; make the changes when that was looked at and is still so."""
    if request.method == "GET":
        return redirect("device-list")
    given = request.FILES.get("file")
    if given is not None and (given.size or 0) > LONGEST:
        return _page(request, reasons.explain("list_too_large", {"limit": LONGEST // 2**20}))
    text = text_of(given.read()) if given is not None else request.POST.get("changes", "")
    if not text.strip():
        return _page(request, _("Choose a file first."))
    try:
        made = plan(text, _visible(request))
        if made.changes and not made.problems and request.POST.get("digest") == made.digest:
            return _store(request, made)
    except ServiceError as error:
        return _page(request, reasons.explain(error.code, error.context))
    short = made.short
    if len(short.encode()) > MOST_CHANGED:
        return _page(request, reasons.explain("list_too_many_changes"))
    context = {
        "plan": made,
        "short": short,
        "changes": made.changes[:SHOWN],
        "more": max(0, len(made.changes) - SHOWN),
        "is_other": bool(request.POST.get("digest")),
    }
    return render(request, "mqtt/device_list_preview.html", context)


def _store(request: HttpRequest, made: Plan) -> HttpResponse:
    count = store(actor_of(request), made)
    said = ngettext("%(count)s device is changed.", "%(count)s devices are changed.", count)
    messages.success(request, said % {"count": count})
    return redirect("device-list")


def _page(request: HttpRequest, problem: str = "") -> HttpResponse:
    context = {
        "connections": visible_to(request.user, MqttConnection.objects.order_by("name")),
        "can_configure": can(request.user, CONFIGURE),
        "problem": problem,
        "limit": LONGEST // 2**20,
    }
    return render(request, "mqtt/device_list.html", context)


def _visible(request: HttpRequest, connection: str = "") -> dict[str, QuerySet[Any]]:
    """What this user may see of each type, perhaps of one connection alone."""
    found: dict[str, QuerySet[Any]] = {}
    for name, kind in KINDS.items():
        everything = kind.model.objects.select_related("site") if "site" in kind.written else kind.model.objects.all()
        rows: QuerySet[Any] = visible_to(request.user, everything)
        if connection.isdecimal() and connection.isascii() and len(connection) < 18:
            rows = rows.filter(connection=int(connection))
        found[name] = rows
    return found
