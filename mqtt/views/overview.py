"""The first page."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from mqtt.models import MqttConnection
from mqtt.pages.overview import OVERVIEW
from mqtt.permissions import VIEW, visible_to
from mqtt.views.guard import needs
from mqtt.views.lists import connect_first


@needs(VIEW)
def overview(request: HttpRequest) -> HttpResponse:
    """What needs somebody, worst first; an empty console starts at connecting a broker."""
    shown = OVERVIEW.show(request.user, QueryDict())
    known = visible_to(request.user, MqttConnection.objects.all()).exists()
    empty = None if known else connect_first(request.user)
    return render(
        request,
        "mqtt/overview.html",
        {
            "shown": shown,
            "now": timezone.now(),
            "empty": empty,
            "live_socket": "" if empty or shown is None else shown.socket,
        },
    )
