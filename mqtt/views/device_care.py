"""Replacing, merging and deleting devices: each on the second click, with what will happen said before."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from mqtt import reasons
from mqtt.enums import NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import Datalogger, DeviceAlias, Gateway, SensorDevice
from mqtt.pages import joining
from mqtt.permissions import CONFIGURE, visible_to
from mqtt.services import device_joining
from mqtt.services.device_removal import COUNTED, delete_device, loss_of
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs

MODELS: dict[NodeKind, Any] = {
    NodeKind.GATEWAY: Gateway,
    NodeKind.DATALOGGER: Datalogger,
    NodeKind.SENSOR: SensorDevice,
}


@needs(CONFIGURE)
@require_safe
def device_care(request: HttpRequest, pk: int, kind: NodeKind) -> HttpResponse:
    """What can be done with a device, in words."""
    device = _device(request, kind, pk)
    aliases = DeviceAlias.objects.filter(**{str(kind): device}).order_by("key")
    return render(request, "mqtt/device_care.html", {"device": device, "urls": _urls(kind, pk), "aliases": aliases})


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def device_replace(request: HttpRequest, pk: int, kind: NodeKind) -> HttpResponse:
    """A new device stands where this one stood: choose it, look, and do it."""
    device = _device(request, kind, pk)
    words = {
        "title": _("Replace %(name)s") % {"name": device},
        "lead": _("Which device stands there now? Switch it on and let it send once, then it is listed here."),
        "verb": _("Replace it"),
        "done": _("%(name)s goes on with the new device."),
    }
    return _join(request, device, kind, words, is_replaced=True)


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def device_merge(request: HttpRequest, pk: int, kind: NodeKind) -> HttpResponse:
    """This one and another are the same: choose the other, look, and do it."""
    device = _device(request, kind, pk)
    words = {
        "title": _("Merge %(name)s into another") % {"name": device},
        "lead": _("Which one is it really? The one that you choose stays."),
        "verb": _("Merge them"),
        "done": _("%(name)s has what both had."),
    }
    return _join(request, device, kind, words, is_replaced=False)


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def device_delete(request: HttpRequest, pk: int, kind: NodeKind) -> HttpResponse:
    """Say what would be lost, and delete on the second click."""
    device = _device(request, kind, pk)
    if request.method == "GET":
        context = {"device": device, "loss": loss_of(device), "counted": COUNTED, "urls": _urls(kind, pk)}
        return render(request, "mqtt/device_delete.html", context)
    name = str(device)
    try:
        delete_device(actor_of(request), device)
    except ServiceError as error:
        messages.error(request, reasons.explain(error.code, error.context))
    else:
        messages.success(request, _("%(name)s is deleted. Its readings are erased in the background.") % {"name": name})
    return redirect(f"{kind}-list")


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def alias_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a further topic of a device go, on the second click."""
    rows = DeviceAlias.objects.select_related("gateway", "datalogger", "sensor")
    alias = get_object_or_404(visible_to(request.user, rows), pk=pk)
    device = alias.gateway or alias.datalogger or alias.sensor
    urls = _urls(NodeKind(alias.kind), device.pk) if device else {}
    if request.method == "GET":
        return render(request, "mqtt/alias_release.html", {"alias": alias, "device": device, "urls": urls})
    try:
        device_joining.release(actor_of(request), alias)
    except ServiceError as error:
        messages.error(request, reasons.explain(error.code, error.context))
    else:
        messages.success(request, _("What comes as %(key)s is a device of its own again.") % {"key": alias.key})
    return redirect(urls.get("care", "overview"))


def _join(
    request: HttpRequest, device: Any, kind: NodeKind, words: dict[str, str], *, is_replaced: bool
) -> HttpResponse:
    given = request.POST.get("with", "") if request.method == "POST" else request.GET.get("with", "")
    context = {"device": device, "urls": _urls(kind, device.pk), **words}
    if not (given.isdecimal() and given.isascii() and len(given) < 18):
        asked = request.GET.get("q", "")[:200]
        found, more = joining.candidates(request.user, device, asked)
        return render(request, "mqtt/device_join.html", {**context, "candidates": found, "more": more, "asked": asked})
    other = _device(request, kind, int(given))
    stays, goes = (device, other) if is_replaced else (other, device)
    if request.method == "POST":
        name = str(stays)
        try:
            if is_replaced:
                device_joining.replace(actor_of(request), stays, goes)
            else:
                device_joining.merge(actor_of(request), goes, stays)
        except ServiceError as error:
            messages.error(request, reasons.explain(error.code, error.context))
            return redirect(f"{kind}-care", device.pk)
        messages.success(request, words["done"] % {"name": name})
        return redirect(f"{kind}-detail", stays.pk)
    if other.pk == device.pk or other.connection_id != device.connection_id:
        messages.error(request, _("Choose another device of the same connection."))
        return redirect(request.path)
    plan = joining.preview(goes, stays)
    context |= {"other": other, "stays": stays, "goes": goes, "plan": plan}
    return render(request, "mqtt/device_join_preview.html", context)


def _device(request: HttpRequest, kind: NodeKind, pk: int) -> Any:
    rows = MODELS[kind].objects.select_related("connection")
    return get_object_or_404(visible_to(request.user, rows), pk=pk)


def _urls(kind: NodeKind, pk: int) -> dict[str, str]:
    names = {"back": "detail", "care": "care", "replace": "replace", "merge": "merge", "delete": "delete"}
    if kind == NodeKind.SENSOR:
        del names["replace"]  # a sensor has no place of its own: its datalogger is replaced
    return {name: reverse(f"{kind}-{view}", args=[pk]) for name, view in names.items()}
