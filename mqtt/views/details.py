"""The pages of one thing: connection, gateway, datalogger, sensor, topic, message."""

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from mqtt.forms import PublishForm
from mqtt.lists.places import place_of
from mqtt.models import DiscoveredTopic, SensorDevice, UndecodedMessage
from mqtt.pages import connection, devices, topic
from mqtt.pages.base import Page, list_url
from mqtt.pages.chart import panel
from mqtt.permissions import CONFIGURE, PUBLISH, TAIL, VIEW, can, visible_to
from mqtt.presentation.payloads import views_of
from mqtt.views.guard import needs


def object_page(request: HttpRequest, page: Page, pk: int, template: str) -> dict[str, Any]:
    """The context that every live page of one thing shares; 404 when it is not there for this user."""
    shown = page.show(request.user, request.GET.copy(), pk)
    if shown is None:
        raise Http404
    return {
        "shown": shown,
        "object": shown.object,
        "live_socket": shown.socket,
        "can_operate": shown.can_operate,
        "can_configure": can(request.user, CONFIGURE),
        "template": template,
    }


def _render(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    return render(request, context["template"], {**context, **more})


def _render_with_chart(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    """400 with the whole page when the address asks the chart for what cannot be drawn."""
    chart = panel(request.user, context["object"], request.GET)
    answer = _render(request, context, chart=chart, **more)
    if chart and chart.error:
        answer.status_code = HTTPStatus.BAD_REQUEST
    return answer


@needs(VIEW)
@require_safe
def connection_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One connection."""
    context = object_page(request, connection.CONNECTION, pk, "mqtt/connection_detail.html")
    form = PublishForm() if can(request.user, PUBLISH) else None
    return _render(request, context, can_tail=can(request.user, TAIL), connection=context["object"], publish_form=form)


@needs(VIEW)
@require_safe
def gateway_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One gateway with its dataloggers."""
    context = object_page(request, devices.GATEWAY, pk, "mqtt/gateway_detail.html")
    gateway = context["object"]
    return _render_with_chart(
        request,
        context,
        device=gateway,
        site=place_of(gateway),
        dataloggers=devices.dataloggers_of(request.user, gateway),
        total=gateway.datalogger_count,
        all_url=list_url("datalogger-list", gateway=pk),
    )


@needs(VIEW)
@require_safe
def datalogger_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One datalogger with its sensors."""
    context = object_page(request, devices.DATALOGGER, pk, "mqtt/datalogger_detail.html")
    datalogger = context["object"]
    return _render_with_chart(
        request,
        context,
        device=datalogger,
        site=place_of(datalogger),
        sensors=devices.sensors_of(request.user, datalogger),
        total=datalogger.sensor_count,
        all_url=list_url("sensor-list", datalogger=pk),
    )


@needs(VIEW)
@require_safe
def sensor_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One sensor: the value now, the last readings, and its neighbours."""
    context = object_page(request, devices.SENSOR, pk, "mqtt/sensor_detail.html")
    sensor: SensorDevice = context["object"]
    return _render_with_chart(
        request,
        context,
        sensor=sensor,
        datalogger=sensor.datalogger,
        site=place_of(sensor.datalogger),
        others=devices.neighbours_of(request.user, sensor),
        all_url=list_url("sensor-list", datalogger=sensor.datalogger_id),
    )


@needs(VIEW)
@require_safe
def topic_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The last payload of a topic, and what it becomes."""
    context = object_page(request, topic.TOPIC, pk, "mqtt/topic_detail.html")
    return _render(
        request,
        context,
        topic=context["object"],
        can_publish=can(request.user, PUBLISH),
        can_tail=can(request.user, TAIL),
    )


@needs(VIEW)
@require_safe
def undecoded_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A message as it came, with the reason why it became no reading."""
    message = get_object_or_404(visible_to(request.user, UndecodedMessage.objects.select_related("connection")), pk=pk)
    payload = bytes(message.payload)
    view, text, views = views_of(payload, request.GET.get("view", ""))
    context = {
        "message": message,
        "topic": DiscoveredTopic.objects.filter(connection=message.connection, topic=message.topic[:1000]).first(),
        "view": view,
        "views": views,
        "text": text,
        "size": message.size,
        "stored": len(payload),
        "at": message.received_at,
        "can_configure": can(request.user, CONFIGURE),
    }
    return render(request, "mqtt/undecoded_detail.html", context)
