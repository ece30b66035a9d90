"""Publishing by hand: written, shown once more, sent on the second click; and what was sent, one by one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms import PublishForm
from mqtt.models import Command, MqttConnection
from mqtt.permissions import PUBLISH, VIEW, visible_to
from mqtt.presentation.payloads import views_of
from mqtt.services.commands import request_publish
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs

PANEL = "mqtt/parts/_publish.html"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(PUBLISH)
def connection_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """The form; its first answer shows what would be sent, the second sends it."""
    connection = get_object_or_404(visible_to(request.user, MqttConnection.objects.all()), pk=pk)
    form = PublishForm(request.POST or None)
    is_asked = request.method == "POST" and form.is_valid() and "change" not in request.POST
    if is_asked and "confirmed" in request.POST:
        try:
            request_publish(actor_of(request), connection, **form.message())
        except ServiceError as error:
            form.add_error(None, reasons.explain(error.code, error.context))
            is_asked = False
        else:
            return _sent(request, connection, form)
    context = {"connection": connection, "form": form, "is_asked": is_asked}
    return render(request, PANEL if request.htmx else "mqtt/connection_publish.html", context)  # type: ignore[attr-defined]


def _sent(request: HttpRequest, connection: MqttConnection, form: PublishForm) -> HttpResponse:
    """Say that it is on its way; what becomes of it is shown on the connection's page, live."""
    said = _("A message to %(topic)s is on its way.") % {"topic": form.cleaned_data["topic"]}
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, said)
        return redirect("connection-detail", connection.pk)
    again = PublishForm(initial=form.cleaned_data)
    answer = render(request, PANEL, {"connection": connection, "form": again, "is_asked": False})
    return trigger_client_event(answer, "console:note", {"text": said, "tone": "success"})


@needs(VIEW)
@require_safe
def command_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One message that was published, whole."""
    commands = visible_to(request.user, Command.objects.with_effective_state().select_related("connection"))
    command = get_object_or_404(commands, pk=pk)
    payload = bytes(command.payload)
    view, text, views = views_of(payload, request.GET.get("view", ""))
    context = {
        "command": command,
        "view": view,
        "views": views,
        "text": text,
        "size": len(payload),
        "stored": len(payload),
        "at": command.requested_at,
    }
    return render(request, "mqtt/command_detail.html", context)
