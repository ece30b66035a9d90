"""Create, edit and delete connections."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms import ConnectionForm, posted_filters, shown_filters
from mqtt.forms.subscriptions import BaseSubscriptionFormSet
from mqtt.models import ConnectionActivity, Datalogger, DiscoveredTopic, Gateway, MqttConnection, SensorDevice
from mqtt.permissions import CONFIGURE, visible_to
from mqtt.services import connections
from mqtt.services.audit import Actor
from mqtt.views.guard import needs


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "client_key")
def connection_create(request: HttpRequest) -> HttpResponse:
    """A new connection."""
    return _edit(request, MqttConnection())


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "client_key")
def connection_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The settings of a connection."""
    return _edit(request, _connection(request, pk))


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def connection_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what would be lost, and delete only on a second click."""
    connection = _connection(request, pk)
    if request.method == "GET":
        return render(request, "mqtt/connection_delete.html", {"connection": connection, "lost": _lost(connection)})
    try:
        connections.delete_connection(Actor.of(request.user, "web"), connection)
    except ServiceError as error:
        messages.error(request, reasons.explain(error.code, error.context))
        return redirect("connection-detail", pk)
    messages.success(
        request,
        _("%(name)s is deleted. What it brought is being erased in the background.") % {"name": connection.name},
    )
    return redirect("connection-list")


def _edit(request: HttpRequest, connection: MqttConnection) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ConnectionForm(instance=connection), shown_filters(connection))
    if "add-filter" in request.POST:
        form = ConnectionForm(request.POST, instance=connection)
        form.unchecked()
        return _page(request, form, posted_filters(request.POST, one_more=True))
    form, filters = ConnectionForm(request.POST, instance=connection), posted_filters(request.POST)
    if form.is_valid() & filters.is_valid():  # both, so that every error shows at once
        try:
            return _save(request, form, filters)
        except ServiceError as error:
            form.add_error(None, reasons.explain(error.code, error.context))
    return _page(request, form, filters)


def _save(request: HttpRequest, form: ConnectionForm, filters: BaseSubscriptionFormSet) -> HttpResponse:
    actor, connection = Actor.of(request.user, "web"), form.instance
    if connection.pk:
        changed = connections.EDITABLE & set(form.changed_data)
        connections.update_connection(actor, connection, changed, filters.subscriptions(), form.secrets())
        messages.success(request, _("Saved."))
    else:
        connections.create_connection(actor, connection, filters.subscriptions(), form.secrets())
        messages.success(request, _("%(name)s is saved.") % {"name": connection.name})
    connections.request_test(actor, connection)
    return redirect("connection-detail", connection.pk)


def _page(request: HttpRequest, form: ConnectionForm, filters: BaseSubscriptionFormSet) -> HttpResponse:
    # A form that failed has already written its values into the instance; the heading shows the stored name.
    stored = MqttConnection.objects.filter(pk=form.instance.pk).only("name").first() if form.instance.pk else None
    context = {"form": form, "filters": filters, "connection": stored, "sections": form.sections()}
    return render(request, "mqtt/connection_form.html", context)


def _connection(request: HttpRequest, pk: int) -> MqttConnection:
    return get_object_or_404(visible_to(request.user, MqttConnection.objects.select_related("site")), pk=pk)


def _lost(connection: MqttConnection) -> dict[str, int | None]:
    """What a deletion takes along; readings by the counter, because counting millions would take too long."""
    activity = ConnectionActivity.objects.filter(connection=connection).first()
    return {
        "gateways": Gateway.objects.filter(connection=connection).count(),
        "dataloggers": Datalogger.objects.filter(connection=connection).count(),
        "sensors": SensorDevice.objects.filter(connection=connection).count(),
        "topics": DiscoveredTopic.objects.filter(connection=connection).count(),
        "readings": activity.readings_total if activity else None,
    }
