"""The page of one connection: its link, its filters and its data are three things that can each be true or not."""

from typing import Any

from mqtt.enums import LINK_UP, NodeKind
from mqtt.models import (
    MOST_OF_CONNECTION,
    Command,
    Datalogger,
    DiscoveredTopic,
    Gateway,
    SensorDevice,
    TopicSubscription,
    UndecodedMessage,
)
from mqtt.pages import connection_test
from mqtt.pages.base import Part, Shown, list_url, register
from mqtt.pages.notes import NOTES_PART
from mqtt.pages.object_page import ObjectPage
from mqtt.pages.pressure import BROKER, PRESSURE
from mqtt.pages.timeline import timeline_of
from mqtt.templatetags.mqtt_rows import connection_status

NEWEST = 5
COUNTED: tuple[tuple[str, str, Any], ...] = (
    ("gateways", "gateway-list", Gateway),
    ("dataloggers", "datalogger-list", Datalogger),
    ("sensors", "sensor-list", SensorDevice),
    ("topics", "topic-list", DiscoveredTopic),
)


def link(shown: Shown) -> dict[str, Any]:
    """The connection alone."""
    return {"connection": shown.object}


def truths(shown: Shown) -> dict[str, Any]:
    """Link, filters as the broker answered them, and what came."""
    connection = shown.object
    is_up = connection.effective_status in LINK_UP
    return {
        "connection": connection,
        "link": connection_status(connection),
        "is_up": is_up,
        "activity": getattr(connection, "activity", None),
        "filters": [{"one": one, "state": filter_state(one, is_up=is_up)} for one in connection.subscriptions.all()],
    }


def filter_state(one: TopicSubscription, *, is_up: bool) -> str:
    """paused, down (nothing is subscribed while the link is down), refused, granted, or waiting for the broker."""
    if not one.is_active:
        return "paused"
    if not is_up:
        return "down"
    if one.reason:
        return "refused"
    return "waiting" if one.granted_qos is None else "granted"


def brought(shown: Shown) -> dict[str, Any]:
    """How much lies below it, each count a link, and the newest messages that nobody understood."""
    connection = shown.object
    undecoded = UndecodedMessage.objects.filter(connection=connection)
    counts = [(name, url, model.objects.filter(connection=connection).count()) for name, url, model in COUNTED]
    return {
        "connection": connection,
        "counts": [
            {
                "name": name,
                "count": count,
                "url": list_url(url, connection=connection.pk),
                "is_full": count >= MOST_OF_CONNECTION,
            }
            for name, url, count in counts
        ],
        "undecoded": undecoded.defer("payload")[:NEWEST],
        "undecoded_count": undecoded.count(),
        "undecoded_url": list_url("undecoded-list", connection=connection.pk),
    }


def published(shown: Shown) -> dict[str, Any]:
    """The newest messages that people sent, and what became of them."""
    commands = Command.objects.with_effective_state().filter(connection=shown.object.pk)
    url = list_url("command-list", connection=shown.object.pk)
    return {"commands": commands.defer("payload")[:NEWEST], "commands_url": url}


TAIL = register(ObjectPage(name="tail", kind="connection", parts=()))
CONNECTION = register(
    ObjectPage(
        name="connections",
        kind="connection",
        pulses=(PRESSURE, BROKER),
        parts=(
            Part("buttons", "mqtt/parts/_connection_buttons.html", link),
            Part("truths", "mqtt/parts/_connection_truths.html", truths, element="section"),
            Part("test", "mqtt/parts/_connection_test.html", connection_test.panel, element="section"),
            Part("brought", "mqtt/parts/_connection_brought.html", brought, every=5.0),
            Part("commands", "mqtt/parts/_connection_commands.html", published, element="section"),
            Part("timeline", "mqtt/parts/_timeline.html", timeline_of(NodeKind.CONNECTION), element="ol", every=2.0),
            NOTES_PART,
        ),
    )
)
