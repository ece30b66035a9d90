"""Listening to raw messages of any topic, live; nothing of it is stored."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mqtt import reasons
from mqtt.pages import connection
from mqtt.permissions import TAIL
from mqtt.topics import filter_error
from mqtt.views.details import object_page
from mqtt.views.guard import needs
from mqtt.watching import LONGEST_FILTER

USUAL = 12
"""Filters of the connection itself that are offered before anything is typed."""


@needs(TAIL)
@require_safe
def connection_tail(request: HttpRequest, pk: int) -> HttpResponse:
    """The messages of one filter of a connection."""
    context = object_page(request, connection.TAIL, pk, "mqtt/connection_tail.html")
    topic_filter = request.GET.get("filter", "")[:LONGEST_FILTER]
    code = filter_error(topic_filter) if topic_filter else None
    error = reasons.explain(code, {}) if code else ""
    usual = [] if topic_filter else list(context["object"].subscriptions.filter(is_active=True)[:USUAL])
    context |= {"connection": context["object"], "filter": topic_filter, "error": error, "usual": usual}
    return render(request, context["template"], context)
