"""Buttons of a connection: htmx gets the row or the page's buttons anew, without JavaScript they lead back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.fragments import row_context, row_template
from mqtt.lists import queries
from mqtt.models import MqttConnection
from mqtt.pages.connection import CONNECTION
from mqtt.permissions import OPERATE, can, visible_to
from mqtt.services import connections
from mqtt.services.audit import Actor
from mqtt.views.guard import needs

Service = Callable[[Actor, MqttConnection], Any]


def actor_of(request: HttpRequest) -> Actor:
    """Who acts, for the audit."""
    return Actor.of(request.user, "web")


def way_back(request: HttpRequest, default: str) -> str:
    """Where the form wants to return to, when that is a page of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else default


def _act(request: HttpRequest, pk: int, service: Service, done: str) -> HttpResponse:
    connection = get_object_or_404(visible_to(request.user, MqttConnection.objects.all()), pk=pk)
    refusal = ""
    try:
        service(actor_of(request), connection)
    except ServiceError as error:
        refusal = reasons.explain(error.code, error.context)
    said = done % {"name": connection.name}
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if not htmx:
        if refusal:
            messages.error(request, refusal)
        else:
            messages.success(request, said)
        return HttpResponseRedirect(way_back(request, reverse("connection-list")))
    on_its_page = htmx.target == "buttons"
    response = _buttons(request, pk) if on_its_page else _row(request, pk)
    if refusal or on_its_page:  # a fragment alone cannot say it; the page's script shows the note
        note = {"text": refusal or said, "tone": "bad" if refusal else "success"}
        trigger_client_event(response, "console:note", note)
    return response


def _row(request: HttpRequest, pk: int) -> HttpResponse:
    row = queries.rows("connection", request.user).get(pk=pk)
    context = row_context("connection", row, can_operate=can(request.user, OPERATE))
    return render(request, row_template("connection"), context)


def _buttons(request: HttpRequest, pk: int) -> HttpResponse:
    shown = CONNECTION.show(request.user, QueryDict(), pk)
    if shown is None:
        raise Http404
    part = shown.part("buttons")
    return render(request, part.template, shown.part_context(part))


@require_POST
@needs(OPERATE)
def connection_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a connection on."""
    return _act(request, pk, connections.enable_connection, _("%(name)s is being connected."))


@require_POST
@needs(OPERATE)
def connection_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a connection off; htmx has asked already, a plain form is asked here."""
    if not request.htmx and "confirmed" not in request.POST:  # type: ignore[attr-defined]
        connection = get_object_or_404(visible_to(request.user, MqttConnection.objects.all()), pk=pk)
        back = way_back(request, reverse("connection-list"))
        return render(request, "mqtt/connection_disable.html", {"connection": connection, "next": back})
    return _act(request, pk, connections.disable_connection, _("%(name)s is being disabled."))


@require_POST
@needs(OPERATE)
def connection_resubscribe(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the broker for all topics again."""
    return _act(request, pk, connections.resubscribe_connection, _("%(name)s subscribes again."))


@require_POST
@needs(OPERATE)
def connection_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try to connect now instead of at the next try."""
    return _act(request, pk, connections.retry_connection_now, _("%(name)s is being tried now."))
