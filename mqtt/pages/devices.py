"""The pages of one gateway, one datalogger and one sensor."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mqtt.enums import NodeKind, ReadingFlag
from mqtt.lists import queries
from mqtt.lists.places import place_of
from mqtt.models import Datalogger, Gateway, SensorDevice
from mqtt.pages.base import Part, Shown, list_url, register
from mqtt.pages.chart import POINTS_PART
from mqtt.pages.joining import WORK_PART
from mqtt.pages.notes import NOTES_PART
from mqtt.pages.object_page import ObjectPage
from mqtt.pages.timeline import timeline_of
from mqtt.permissions import User
from mqtt.presentation import device_facts
from mqtt.services import history
from mqtt.templatetags.console import value

READINGS = 50
CHILDREN = 50
CHANGES = 10


def state(shown: Shown) -> dict[str, Any]:
    """What a gateway or datalogger is like now, to be read before anything else."""
    return {"device": shown.object, "clock": device_facts.clock(shown.object.facts)}


def about(shown: Shown) -> dict[str, Any]:
    """What a gateway or datalogger is and says of itself."""
    device = shown.object
    prefix = device.key.partition("#")[0]  # behind it stands a name from the payload, which no topic holds
    topics = list_url("topic-list", connection=device.connection_id, search=prefix)
    said = {"facts": device_facts.written(device.facts), "clock": device_facts.clock(device.facts)}
    return {"device": device, "site": place_of(device), "prefix": prefix, "topics": topics, **said}


def now(shown: Shown) -> dict[str, Any]:
    """The current value of a sensor."""
    sensor = shown.object
    return {"sensor": sensor, "state": getattr(sensor, "state", None)}


def readings(shown: Shown) -> dict[str, Any]:
    """The newest readings of a sensor, newest first, with what their flags mean."""
    found = history.readings("id", shown.object.pk, limit=READINGS)
    rules, decimals = shown.object.rules, shown.object.decimals
    rows = [
        {
            "one": one,
            "shown": value(one, rules=rules, decimals=decimals),
            "notes": flag_notes(one.flags),
            "is_own": is_own(one.flags),
        }
        for one in found
    ]
    return {"sensor": shown.object, "readings": rows}


def is_own(flags: int) -> bool:
    """Whether a time is the device's own."""
    return bool(flags & ReadingFlag.OWN_TIME)


def flag_notes(flags: int) -> list[str]:
    """What the flags of a reading mean, in words; nothing for an ordinary one."""
    notes = []
    if flags & ReadingFlag.RETAINED:
        notes.append(_("kept by the broker for new listeners"))
    if flags & ReadingFlag.UNCERTAIN:
        notes.append(_("waited in the broker and says no time of its own: it may be older"))
    if flags & ReadingFlag.LATE:
        notes.append(_("arrived after newer ones"))
    return notes


def dataloggers_of(user: User, gateway: Gateway) -> list[Datalogger]:
    """The dataloggers behind a gateway, worst first."""
    found = queries.rows("datalogger", user).filter(gateway=gateway)
    return queries.prepare("datalogger", found.order_by("rank", "identifier", "pk")[:CHILDREN])


def sensors_of(user: User, datalogger: Datalogger) -> list[SensorDevice]:
    """The sensors of a datalogger, by name: a reader looks for one, and jumping rows would hide it."""
    found = queries.rows("sensor", user).filter(datalogger=datalogger)
    return queries.prepare("sensor", found.order_by("name", "pk")[:CHILDREN])


def neighbours_of(user: User, sensor: SensorDevice) -> list[SensorDevice]:
    """The other sensors of a sensor's datalogger."""
    return [other for other in sensors_of(user, sensor.datalogger) if other.pk != sensor.pk]


def _keys(records: list[Any]) -> dict[int, int]:
    return {record.pk: record.connection_id for record in records}


def _gateway_queryset(user: User) -> QuerySet[Any]:
    return queries.rows("gateway", user).select_related("rhythm")


def _datalogger_queryset(user: User) -> QuerySet[Any]:
    return queries.rows("datalogger", user).select_related("rhythm")


def _sensor_queryset(user: User) -> QuerySet[Any]:
    return queries.rows("sensor", user).select_related(
        "datalogger__site", "datalogger__gateway__site", "datalogger__connection__site", "rhythm"
    )


def _node_parts(kind: NodeKind) -> tuple[Part, ...]:
    return (
        Part("state", "mqtt/parts/_state.html", state),
        Part("about", "mqtt/parts/_about.html", about, element="dl"),
        Part("timeline", "mqtt/parts/_timeline.html", timeline_of(kind, CHANGES), element="ol", every=2.0),
        POINTS_PART,
        NOTES_PART,
        WORK_PART,
    )


GATEWAY = register(
    ObjectPage(
        name="gateways",
        kind="gateway",
        parts=_node_parts(NodeKind.GATEWAY),
        rows=lambda user, gateway: {"datalogger": _keys(dataloggers_of(user, gateway))},
        queryset=_gateway_queryset,
    )
)
DATALOGGER = register(
    ObjectPage(
        name="dataloggers",
        kind="datalogger",
        parts=_node_parts(NodeKind.DATALOGGER),
        rows=lambda user, datalogger: {"sensor": _keys(sensors_of(user, datalogger))},
        queryset=_datalogger_queryset,
    )
)
SENSOR = register(
    ObjectPage(
        name="sensors",
        kind="sensor",
        parts=(
            Part("now", "mqtt/parts/_now.html", now),
            Part("readings", "mqtt/parts/_readings.html", readings),
            POINTS_PART,
            NOTES_PART,
            WORK_PART,
        ),
        rows=lambda user, sensor: {"sensor": _keys(neighbours_of(user, sensor))},
        queryset=_sensor_queryset,
    )
)
