"""The button that tests a connection, and the panel that shows how far the test is."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.pages.connection import CONNECTION
from mqtt.permissions import OPERATE, VIEW, can
from mqtt.services import connections
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs


@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def connection_test(request: HttpRequest, pk: int) -> HttpResponse:
    """POST asks for a test; both answer htmx with the panel, and everybody else with the connection's page."""
    shown = CONNECTION.show(request.user, request.GET.copy(), pk)
    if shown is None:
        raise Http404
    if request.method == "POST":
        if not can(request.user, OPERATE):
            raise PermissionDenied
        try:
            connections.request_test(actor_of(request), shown.object)
        except ServiceError as error:
            messages.error(request, reasons.explain(error.code, error.context))
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{reverse('connection-detail', args=[pk])}#test")
    part = shown.part("test")
    return render(request, part.template, shown.part_context(part))
