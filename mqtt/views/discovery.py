"""New gateways and dataloggers: accepted one by one on their page, or all that match a list's filters."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from mqtt.enums import NodeKind
from mqtt.models import IS_NEW, Datalogger, Gateway
from mqtt.pages import lists
from mqtt.permissions import OPERATE, visible_to
from mqtt.services.audit import Actor
from mqtt.services.discovery import accept
from mqtt.views.guard import needs


@needs(OPERATE)
@require_POST
def gateway_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """This gateway belongs here."""
    return _accept_one(request, NodeKind.GATEWAY, Gateway, pk)


@needs(OPERATE)
@require_POST
def datalogger_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """This datalogger belongs here."""
    return _accept_one(request, NodeKind.DATALOGGER, Datalogger, pk)


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def gateways_accept(request: HttpRequest) -> HttpResponse:
    """All new gateways that match."""
    return _accept_all(request, NodeKind.GATEWAY, lists.GATEWAYS)


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def dataloggers_accept(request: HttpRequest) -> HttpResponse:
    """All new dataloggers that match."""
    return _accept_all(request, NodeKind.DATALOGGER, lists.DATALOGGERS)


def _accept_one(request: HttpRequest, kind: NodeKind, model: Any, pk: int) -> HttpResponse:
    found = visible_to(request.user, model.objects.filter(pk=pk))
    device = get_object_or_404(found)
    accept(Actor.of(request.user, "web"), kind, found)
    messages.success(request, _("%(name)s is accepted.") % {"name": device})
    return redirect(f"{kind}-detail", pk)


def _accept_all(request: HttpRequest, kind: NodeKind, page: Any) -> HttpResponse:
    params = request.GET.copy()
    found = page.filtered(request.user, params).qs.filter(IS_NEW)
    if request.method == "GET":
        context = {"kind": kind.value, "count": found.count(), "filters": params.urlencode(), "back": f"{kind}-list"}
        return render(request, "mqtt/devices_accept.html", context)
    count = accept(Actor.of(request.user, "web"), kind, found)
    said = ngettext("%(count)s device is accepted.", "%(count)s devices are accepted.", count)
    messages.success(request, said % {"count": count})
    return redirect(f"{kind}-list")
