"""Topics as a tree, subtrees that are left aside, and taking a kept message away from the broker."""

from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.models import DiscoveredTopic, Mapping, MqttConnection
from mqtt.pages.base import list_url
from mqtt.permissions import CONFIGURE, PUBLISH, VIEW, can, visible_to
from mqtt.services import mappings
from mqtt.services.commands import request_publish
from mqtt.topic_tree import below
from mqtt.topics import filter_error
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs

LONGEST_PREFIX = 1000


@needs(VIEW)
@require_safe
def topic_tree(request: HttpRequest) -> HttpResponse:
    """One level of the tree; htmx asks for the levels below as they are opened."""
    connections = visible_to(request.user, MqttConnection.objects.order_by("name"))
    prefix = request.GET.get("prefix", "").replace("\0", "")[:LONGEST_PREFIX]
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    connection = _chosen(request, connections)
    found = visible_to(request.user, DiscoveredTopic.objects.filter(connection=connection)) if connection else None
    branches, is_cut = below(found, prefix) if found is not None else ([], False)
    context = {
        "connections": connections,
        "connection": connection,
        "prefix": prefix,
        "steps": _steps(prefix),
        "branches": branches,
        "is_cut": is_cut,
        "all_url": list_url("topic-list", connection=connection.pk, search=prefix) if connection else "",
        "can_configure": can(request.user, CONFIGURE),
    }
    inner = request.htmx  # type: ignore[attr-defined]
    return render(request, "mqtt/parts/_branches.html" if inner else "mqtt/topic_tree.html", context)


def _chosen(request: HttpRequest, connections: Any) -> MqttConnection | None:
    given = request.GET.get("connection", "")
    found: MqttConnection | None
    if given.isdecimal() and len(given) < 18:
        found = get_object_or_404(connections, pk=int(given))
    else:
        found = connections.filter(Exists(DiscoveredTopic.objects.filter(connection=OuterRef("pk")))).first()
        found = found or connections.first()
    return found


def _steps(prefix: str) -> list[tuple[str, str]]:
    """The way to a prefix: each level's name, and the prefix that ends there."""
    levels = prefix.split("/")[:-1]
    return [(level, "/".join(levels[: index + 1]) + "/") for index, level in enumerate(levels)]


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def topics_ignore(request: HttpRequest) -> HttpResponse:
    """Leave a subtree aside: asked first, with what it holds."""
    connections = visible_to(request.user, MqttConnection.objects.all())
    connection = _chosen(request, connections)
    prefix = request.GET.get("prefix", "")
    pattern = f"{prefix.rstrip('/')}/#"
    is_odd = not prefix or set(prefix) & set("+#{}") or filter_error(pattern) or len(pattern) > LONGEST_PREFIX
    if connection is None or is_odd:
        messages.error(request, _("Open a branch of the tree first; its page can leave it aside."))
        return redirect("topic-tree")
    if request.method == "POST":
        name = _free_name(pattern)
        row = Mapping(name=name, connection=connection, topic_pattern=pattern, is_ignored=True)
        try:
            mappings.save_mapping(actor_of(request), row)
        except ServiceError as error:  # a second click, or somebody else, was as fast
            messages.error(request, reasons.explain(error.code, error.context))
        else:
            messages.success(request, _("What comes below %(topic)s is left aside from now on.") % {"topic": prefix})
        return redirect("mapping-list")
    found = visible_to(request.user, DiscoveredTopic.objects.filter(connection=connection))
    branches, _is_cut = below(found, f"{prefix.rstrip('/')}/")
    context = {"connection": connection, "pattern": pattern, "count": sum(branch.topics for branch in branches)}
    return render(request, "mqtt/topics_ignore.html", context)


def _free_name(pattern: str) -> str:
    """A name for the rule that no other has."""
    name, number = pattern[:100], 1
    while Mapping.objects.filter(name=name).exists():
        number += 1
        name = f"{pattern[:100]} ({number})"
    return name


@needs(PUBLISH)
@require_http_methods(["GET", "POST"])
def topic_purge(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the message away that the broker keeps for new listeners: an empty one with the flag set does it."""
    topic = get_object_or_404(visible_to(request.user, DiscoveredTopic.objects.select_related("connection")), pk=pk)
    if request.method == "GET":
        return render(request, "mqtt/topic_purge.html", {"topic": topic})
    try:
        request_publish(actor_of(request), topic.connection, topic.topic, b"", qos=1, retain=True)
    except ServiceError as error:
        messages.error(request, reasons.explain(error.code, error.context))
    else:
        messages.success(
            request, _("The broker is asked to forget what it keeps of %(topic)s.") % {"topic": topic.topic}
        )
    return redirect("topic-detail", pk)
