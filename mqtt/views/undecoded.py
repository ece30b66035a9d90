"""What was not understood, decoded again: asked first, with the number of messages."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from mqtt.models import UndecodedMessage
from mqtt.pages import lists
from mqtt.permissions import OPERATE
from mqtt.services.audit import Actor
from mqtt.services.decode_again import request_again
from mqtt.views.guard import needs


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def undecoded_again(request: HttpRequest) -> HttpResponse:
    """Decode again what the filters of the list let through."""
    params = request.GET.copy()
    found = lists.UNDECODED.filtered(request.user, params).qs.select_related(None)
    if request.method == "GET":
        context = {"count": found.count(), "query": params.urlencode()}
        return render(request, "mqtt/undecoded_again.html", context)
    wanted = UndecodedMessage.objects.filter(pk__in=found.order_by().values("pk"))
    count = request_again(Actor.of(request.user, "web"), wanted)
    said = ngettext(
        "%(count)s message is decoded again. What becomes a reading leaves this list.",
        "%(count)s messages are decoded again. What becomes a reading leaves this list.",
        count,
    )
    messages.success(request, said % {"count": count})
    return redirect("undecoded-list")
