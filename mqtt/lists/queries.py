"""What a row of each kind needs from the database: one queryset a kind, for pages, pushes and searches alike.

The querysets carry the effective status and `rank` (0 is worst), and follow relations, so that a row
template runs no query of its own. `prepare` adds what is cheaper to count for fifty rows than for all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

from django.db.models import Case, Count, IntegerField, Model, QuerySet, Value, When

from mqtt.charts.sparklines import add_sparks
from mqtt.enums import STATUS_WORST_FIRST, Availability
from mqtt.lists.prepared import ByKey
from mqtt.models import (
    Command,
    Datalogger,
    DiscoveredTopic,
    Gateway,
    MqttConnection,
    SensorCorrection,
    SensorDevice,
    UndecodedMessage,
)
from mqtt.models.device import known
from mqtt.permissions import User, visible_to

AVAILABILITY_WORST_FIRST = (Availability.OFFLINE, Availability.LATE, Availability.UNKNOWN, Availability.ONLINE)


def _rank(field: str, order: Iterable[str]) -> Case:
    whens = [When(**{field: name}, then=Value(place)) for place, name in enumerate(order)]
    return Case(*whens, default=Value(99), output_field=IntegerField())


_OF_ROWS = {"id", "name", "site", "is_enabled", "status", "status_changed_at", "deleted_at"}
_FIELDS = MqttConnection._meta.concrete_fields  # noqa: SLF001 - Django's public name for it
_NOT_OF_ROWS = [f"connection__{field.name}" for field in _FIELDS if field.name not in _OF_ROWS]
"""The settings of a connection, with its certificates, are not for rows of its devices."""


def _built_once(build: Callable[[], QuerySet[Any]]) -> Callable[[], QuerySet[Any]]:
    """Building such a queryset takes longer than reading a row: each caller gets a copy of the same."""
    built = cache(build)

    @wraps(build)
    def copied() -> QuerySet[Any]:
        return built().all()

    return copied


@_built_once
def connections() -> QuerySet[Any]:
    """Connections with site, activity and subscriptions."""
    return (
        MqttConnection.objects.with_effective_status()
        .annotate(rank=_rank("effective_status", STATUS_WORST_FIRST))
        .select_related("site", "activity")
        .prefetch_related("subscriptions")
        .defer("ca_certificate", "client_certificate", "password_token", "client_key_token")
    )


_UNKNOWN = Value(AVAILABILITY_WORST_FIRST.index(Availability.UNKNOWN))


def _devices(model: Any, *related: str) -> QuerySet[Any]:
    found: QuerySet[Any] = (
        model.objects.with_availability()
        .annotate(rank=known(_rank("state__availability", AVAILABILITY_WORST_FIRST), _UNKNOWN, IntegerField()))
        .select_related("connection", "state", *related)
        .defer(*_NOT_OF_ROWS)
    )
    return found


@_built_once
def gateways() -> QuerySet[Any]:
    """Gateways with their state, site and connection."""
    return _devices(Gateway, "site", "connection__site")


@_built_once
def dataloggers() -> QuerySet[Any]:
    """Dataloggers with their state, gateway, connection, and the sites of these."""
    return _devices(Datalogger, "gateway__site", "site", "connection__site")


@_built_once
def sensors() -> QuerySet[Any]:
    """Sensors with their current value, datalogger and gateway."""
    return _devices(SensorDevice, "datalogger", "datalogger__gateway")


@_built_once
def topics() -> QuerySet[Any]:
    """Topics with their connection."""
    return DiscoveredTopic.objects.select_related("connection")


@_built_once
def undecoded() -> QuerySet[Any]:
    """Messages that were not understood, with their connection."""
    return UndecodedMessage.objects.select_related("connection")


@_built_once
def commands() -> QuerySet[Any]:
    """What people published, with its connection and what became of it."""
    return Command.objects.with_effective_state().select_related("connection")


BY_KIND = {
    "connection": connections,
    "gateway": gateways,
    "datalogger": dataloggers,
    "sensor": sensors,
    "topic": topics,
    "undecoded": undecoded,
    "command": commands,
}


def rows(kind: str, user: User) -> QuerySet[Any]:
    """All rows of a kind that the user may see."""
    return visible_to(user, BY_KIND[kind]())


def prepare(kind: str, found: Iterable[Model]) -> list[Any]:
    """The rows with their counts (dataloggers of a gateway, sensors of a datalogger), sensors with their corrections
    and sparkline.
    """
    objects: list[Any] = list(found)
    pks = [row.pk for row in objects]
    if kind == "gateway":
        counts = _counts(Datalogger, "gateway_id", pks)
        for row in objects:
            row.datalogger_count = counts.get(row.pk, 0)
    elif kind == "datalogger":
        counts = _counts(SensorDevice, "datalogger_id", pks)
        for row in objects:
            row.sensor_count = counts.get(row.pk, 0)
    elif kind == "sensor":
        _add_corrections(objects)
        add_sparks(objects)
    return objects


_corrections = ByKey(lambda: SensorCorrection.objects.order_by("valid_from"), "sensor")


def _add_corrections(sensors: list[Any]) -> None:
    found: dict[int, list[SensorCorrection]] = defaultdict(list)
    for one in _corrections(sensor.pk for sensor in sensors):
        found[one.sensor_id].append(one)
    for sensor in sensors:
        sensor.loaded_corrections = found.get(sensor.pk, [])


def _counts(model: Any, field: str, pks: list[int]) -> dict[int, int]:
    found = model.objects.filter(**{f"{field}__in": pks}).order_by().values_list(field)
    return dict(found.annotate(n=Count("pk")))
