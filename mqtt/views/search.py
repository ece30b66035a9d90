"""Search over everything that has a page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mqtt import search
from mqtt.permissions import VIEW
from mqtt.views.guard import needs


@needs(VIEW)
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """The answers in sections."""
    query = request.GET.get("q", "").replace("\0", "").strip()[: search.LONGEST]
    sections = search.search(request.user, query)
    context = {"query": query, "sections": sections, "is_asked": bool(search.words_of(query))}
    return render(request, "mqtt/search.html", context)
