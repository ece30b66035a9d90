"""Correcting a sensor's values, and taking a correction back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms.correction import CorrectionForm
from mqtt.models import SensorCorrection, SensorDevice
from mqtt.permissions import CONFIGURE, visible_to
from mqtt.services.audit import Actor
from mqtt.services.corrections import add_correction, remove_correction
from mqtt.views.guard import needs


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def correction_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new correction of a sensor."""
    sensor = get_object_or_404(visible_to(request.user, SensorDevice.objects.all()), pk=pk)
    form = CorrectionForm(request.POST if request.method == "POST" else None, instance=SensorCorrection(sensor=sensor))
    if request.method == "POST" and form.is_valid():
        try:
            add_correction(Actor.of(request.user, "web"), form.instance)
        except ServiceError as error:
            form.add_error(None, reasons.explain(error.code, error.context))
        else:
            messages.success(request, _("The values are shown corrected now; what the device said stays stored."))
            return redirect("sensor-detail", pk)
    return render(request, "mqtt/correction_form.html", {"form": form, "sensor": sensor})


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def correction_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a correction back on the second click."""
    rows = visible_to(request.user, SensorCorrection.objects.select_related("sensor"))
    correction = get_object_or_404(rows, pk=pk)
    if request.method == "GET":
        return render(request, "mqtt/correction_delete.html", {"correction": correction, "sensor": correction.sensor})
    remove_correction(Actor.of(request.user, "web"), correction)
    messages.success(request, _("The correction is taken back."))
    return redirect("sensor-detail", correction.sensor_id)
