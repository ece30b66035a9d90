"""The list pages: one function for all, and what each says when it is empty."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mqtt.models import IS_NEW, Datalogger, Gateway, MqttConnection, UndecodedMessage
from mqtt.pages import lists
from mqtt.pages.base import Shown
from mqtt.pages.list_page import ListPage
from mqtt.permissions import CONFIGURE, OPERATE, VIEW, User, can, visible_to
from mqtt.presentation import formats
from mqtt.reasons import outline
from mqtt.views import exports
from mqtt.views.guard import needs


def _list(request: HttpRequest, page: ListPage, empty: dict[str, str], **context: Any) -> HttpResponseBase:
    if writer := exports.wanted(request):
        return exports.list_export(request, page, writer)
    shown = page.show(request.user, request.GET.copy())
    counts = shown.extra["counts"]
    return render(
        request,
        "mqtt/list.html",
        {
            "shown": shown,
            "title": page.title,
            "has_chips": bool(page.status_field),
            "has_summary": any(part.name == "summary" for part in page.parts),
            "has_groups": (has_groups := any(part.name == "groups" for part in page.parts)),
            "are_folded": has_groups and bool(shown.total) and not request.GET,
            "total_all": counts[""],
            "is_filtered": page.is_filtered(request.GET),
            "removable": _removable(page, shown),
            "export": exports.choices(request, shown.total),
            "sort": request.GET.get("sort", ""),
            "empty": empty,
            "can_operate": shown.can_operate,
            "live_socket": shown.socket,
            **context,
        },
    )


def _removable(page: ListPage, shown: Shown) -> list[dict[str, Any]]:
    """The active filters that have no field of their own: each a link to the list without it."""
    form = shown.extra["filterset"].form
    found = []
    for field in form.hidden_fields():
        value = getattr(form, "cleaned_data", {}).get(field.name)
        if value not in (None, "") and field.name != page.status_parameter:
            params = shown.params.copy()
            params.pop(field.name, None)
            params.pop("page", None)
            words = _("yes") if value is True else outline(value) if field.name == "reason" else value
            found.append({"label": field.label, "value": words, "url": f"?{params.urlencode()}"})
    return found


def _as_spreadsheet() -> list[dict[str, Any]]:
    """To the list of all devices that can be written in a spreadsheet."""
    return [{"url": reverse("device-list"), "label": _("Edit as a spreadsheet")}]


def _nothing_heard(user: User) -> dict[str, str]:
    """An empty device list: without a connection that comes first, else one waits."""
    if not visible_to(user, MqttConnection.objects.all()).exists():
        return connect_first(user)
    return {
        "title": _("Nothing heard yet."),
        "text": _("Devices appear here by themselves as soon as they send. If none does, test the connection."),
        "url": reverse("connection-list"),
        "action": _("See the connections"),
    }


def _new_ones(request: HttpRequest, model: Any, url_name: str) -> list[dict[str, Any]]:
    """The ways to what is new and to accepting it, while there is something new."""
    count = visible_to(request.user, model.objects.filter(IS_NEW)).count()
    if not count:
        return []
    if not request.GET.get("new"):
        label = ngettext("%(count)s new device", "%(count)s new devices", count) % {"count": formats.number(count)}
        return [{"url": "?new=true", "label": label}]
    if not can(request.user, OPERATE):
        return []
    return [{"url": f"{reverse(url_name)}?{request.GET.urlencode()}", "label": _("Accept them"), "primary": True}]


def connect_first(user: User) -> dict[str, str]:
    """Where an empty console starts."""
    return {
        "title": _("Connect a broker."),
        "text": _(
            "Vedetta listens to an MQTT broker and shows what your devices send. Begin with the broker's address."
        ),
        "url": reverse("connection-create") if can(user, CONFIGURE) else "",
        "action": _("Connect a broker"),
    }


@needs(VIEW)
def connection_list(request: HttpRequest) -> HttpResponseBase:
    """Connections with their status, what they bring, and their buttons."""
    actions = []
    if can(request.user, CONFIGURE):
        actions.append({"url": reverse("connection-create"), "label": _("New connection"), "primary": True})
    return _list(request, lists.CONNECTIONS, connect_first(request.user), actions=actions)


@needs(VIEW)
def gateway_list(request: HttpRequest) -> HttpResponseBase:
    """Gateways."""
    actions = [*_new_ones(request, Gateway, "gateways-accept"), *_as_spreadsheet()]
    return _list(request, lists.GATEWAYS, _nothing_heard(request.user), actions=actions)


@needs(VIEW)
def datalogger_list(request: HttpRequest) -> HttpResponseBase:
    """Dataloggers."""
    actions = [*_new_ones(request, Datalogger, "dataloggers-accept"), *_as_spreadsheet()]
    return _list(request, lists.DATALOGGERS, _nothing_heard(request.user), actions=actions)


@needs(VIEW)
def sensor_list(request: HttpRequest) -> HttpResponseBase:
    """Sensors with their current values."""
    return _list(request, lists.SENSORS, _nothing_heard(request.user), actions=_as_spreadsheet())


@needs(VIEW)
def topic_list(request: HttpRequest) -> HttpResponseBase:
    """Every topic that was heard."""
    chosen = request.GET.get("connection", "")
    tree = reverse("topic-tree") + (f"?connection={int(chosen)}" if chosen.isdecimal() and len(chosen) < 18 else "")
    actions = [{"url": tree, "label": _("As a tree")}, {"url": reverse("mapping-list"), "label": _("Mappings")}]
    return _list(request, lists.TOPICS, _nothing_heard(request.user), actions=actions)


@needs(VIEW)
def command_list(request: HttpRequest) -> HttpResponseBase:
    """What people and programs published, newest first."""
    empty = {
        "title": _("Nothing was published yet."),
        "text": _(
            "Messages that people and programs send to devices are listed here. Write one on a connection's page."
        ),
        "url": reverse("connection-list"),
        "action": _("See the connections"),
    }
    lead = _("What people and programs sent to devices, and what became of it. Nothing is ever sent twice by itself.")
    return _list(request, lists.COMMANDS, empty, lead=lead)


@needs(VIEW)
def undecoded_list(request: HttpRequest) -> HttpResponseBase:
    """Messages that no decoder understood, newest first."""
    empty = {"title": _("Everything was understood."), "text": _("Messages that cannot be read are kept here.")}
    lead = _("Kept with the reason, so that nothing is lost while you find out what it means.")
    actions = [{"url": reverse("mapping-list"), "label": _("Mappings")}]
    if can(request.user, OPERATE) and visible_to(request.user, UndecodedMessage.objects.all()).exists():
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        actions.append({"url": reverse("undecoded-again") + query, "label": _("Decode again")})
    return _list(request, lists.UNDECODED, empty, lead=lead, actions=actions)
