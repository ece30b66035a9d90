"""What people may change about a device: its label, where it stands, how often it should be heard."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms.device import FORMS
from mqtt.models import Datalogger, Gateway, SensorDevice
from mqtt.permissions import CONFIGURE, visible_to
from mqtt.services.audit import Actor
from mqtt.services.places import update_device
from mqtt.views.guard import needs


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def gateway_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What is written by hand of a gateway."""
    return _edit(request, Gateway, pk, "gateway-detail")


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def datalogger_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What is written by hand of a datalogger."""
    return _edit(request, Datalogger, pk, "datalogger-detail")


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def sensor_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What is written by hand of a sensor."""
    return _edit(request, SensorDevice, pk, "sensor-detail")


def _edit(request: HttpRequest, model: Any, pk: int, back: str) -> HttpResponse:
    device: Any = get_object_or_404(visible_to(request.user, model.objects.all()), pk=pk)
    name = str(device)
    form = FORMS[model](request.POST if request.method == "POST" else None, instance=device)
    if request.method == "POST" and form.is_valid():
        try:
            update_device(Actor.of(request.user, "web"), device, form.changed_data)
        except ServiceError as error:
            messages.error(request, reasons.explain(error.code, error.context))
        else:
            messages.success(request, _("Saved."))
        return redirect(back, pk)
    context = {"form": form, "device": device, "name": name, "back": back}
    return render(request, "mqtt/device_form.html", context)
