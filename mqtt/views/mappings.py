"""Mappings: the list, and the form in which one clicks values out of a payload."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms.mapping import MappingForm, posted_values, shown_values, unchecked, with_pick
from mqtt.models import DiscoveredTopic, Mapping, UndecodedMessage
from mqtt.pages import mapping as bench
from mqtt.permissions import CONFIGURE, VIEW, can, visible_to
from mqtt.services import mappings
from mqtt.services.audit import Actor
from mqtt.views.guard import needs

ROLES = ("value", "name", "time", "device")


@needs(VIEW)
@require_safe
def mapping_list(request: HttpRequest) -> HttpResponse:
    """All mappings."""
    rows = visible_to(request.user, Mapping.objects.select_related("connection"))
    context = {"mappings": rows, "can_configure": can(request.user, CONFIGURE)}
    return render(request, "mqtt/mapping_list.html", context)


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def mapping_create(request: HttpRequest) -> HttpResponse:
    """A new mapping, best begun from a topic or from a message that was not understood."""
    start = _start(request)
    row = Mapping()
    if start:
        row.connection_id, row.topic_pattern = start.connection_id, start.topic
        row.name = start.topic[:120]
    return _edit(request, row, start)


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def mapping_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """An existing mapping."""
    rows = visible_to(request.user, Mapping.objects.filter(is_ignored=False))
    return _edit(request, get_object_or_404(rows, pk=pk), _start(request))


@needs(CONFIGURE)
@require_POST
def mapping_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a mapping; the page asked before."""
    row = get_object_or_404(visible_to(request.user, Mapping.objects.all()), pk=pk)
    mappings.delete_mapping(Actor.of(request.user, "web"), row)
    messages.success(request, _("%(name)s is deleted. The readings that it made stay.") % {"name": row.name})
    return redirect("mapping-list")


def _start(request: HttpRequest) -> DiscoveredTopic | None:
    """The topic from which somebody came here, by its own key or that of a message."""
    topics = visible_to(request.user, DiscoveredTopic.objects.all())
    given = request.GET.get("topic", ""), request.GET.get("message", "")
    pk, message_pk = (int(text) if text.isdecimal() and len(text) < 18 else 0 for text in given)
    if message_pk:
        kept = visible_to(request.user, UndecodedMessage.objects.all()).filter(pk=message_pk).first()
        if kept:
            return topics.filter(connection=kept.connection_id, topic=kept.topic[:1000]).first()
    return topics.filter(pk=pk).first() if pk else None


def _edit(request: HttpRequest, row: Mapping, start: DiscoveredTopic | None) -> HttpResponse:
    title = row.name if row.pk else _("New mapping")
    if request.method == "GET":
        form, values = MappingForm(instance=row), shown_values(row.values)
    else:
        data: Any = request.POST
        role, _colon, path = data.get("pick", "").partition(":")
        if role in ROLES and path:
            data = with_pick(data, role, path)
        form, values = MappingForm(data, instance=row), posted_values(data)
        is_good = form.is_valid() & values.is_valid()
        row.values = values.filled()
        if "save" in data and is_good:
            try:
                mappings.save_mapping(Actor.of(request.user, "web"), row)
            except ServiceError as error:
                form.add_error(None, reasons.explain(error.code, error.context))
            else:
                messages.success(request, _("%(name)s is saved. New messages are read with it.") % {"name": row.name})
                return redirect("mapping-list")
        if "save" not in data:
            unchecked(form, values)
    context = {
        "form": form,
        "values": values,
        "mapping": row if row.pk else None,
        "title": title,
        "start": start,
        "bench": bench.workbench(row, bench.samples(request.user, row, start)),
    }
    return render(request, "mqtt/mapping_form.html", context)
