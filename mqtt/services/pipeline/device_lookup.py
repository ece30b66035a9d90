"""Rows by their keys or aliases, and the sites that new devices belong to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from mqtt.enums import NodeKind
from mqtt.models import MAX_KEY_BYTES, DeviceAlias, MqttConnection, Site
from mqtt.services.pipeline.device_entries import GatewayEntry

CHUNK = 400


def fits(key: str) -> bool:
    """Whether a key is short enough for the index."""
    return len(key) <= MAX_KEY_BYTES // 4 or len(key.encode()) <= MAX_KEY_BYTES


def rows_of(
    model: type[Model], kind: NodeKind, wanted: Iterable[tuple[int, str]], fields: Sequence[str]
) -> list[tuple[tuple[int, str], Sequence[Any]]]:
    """The rows of keys, each with the (connection, key) that was asked for: its own or an alias."""
    found: list[tuple[tuple[int, str], Sequence[Any]]] = []
    by_connection: dict[int, list[str]] = defaultdict(list)
    for connection_id, key in wanted:
        by_connection[connection_id].append(key)
    manager: Any = model._default_manager  # noqa: SLF001 - Django's documented name for it
    for connection_id, keys in by_connection.items():
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            rows = {row[1]: row for row in manager.filter(connection=connection_id, key__in=chunk).values_list(*fields)}
            absent = [key for key in chunk if key not in rows]
            found += [((connection_id, key), row) for key, row in rows.items()]
            if absent:
                found += _aliased(manager, kind, connection_id, absent, fields)
    return found


def _aliased(
    manager: Any, kind: NodeKind, connection_id: int, keys: Sequence[str], fields: Sequence[str]
) -> list[tuple[tuple[int, str], Sequence[Any]]]:
    aliases = DeviceAlias.objects.filter(connection=connection_id, kind=kind, key__in=keys)
    named = dict(aliases.values_list("key", f"{kind.value}_id"))
    if not named:
        return []
    rows = {row[0]: row for row in manager.filter(pk__in=set(named.values())).values_list(*fields)}
    return [((connection_id, key), rows[pk]) for key, pk in named.items() if pk in rows]


class Sites:
    """Where new devices belong: the longest topic prefix, else their gateway's site, else the connection's."""

    def __init__(self, keys: Iterable[tuple[int, str]]) -> None:
        sites = Site.objects.exclude(topic_prefix="").values_list("topic_prefix", "pk")
        self._prefixes = sorted(sites, key=lambda pair: -len(pair[0]))
        connections = MqttConnection.objects.filter(pk__in={key[0] for key in keys})
        self._defaults = dict(connections.values_list("pk", "site_id"))

    def of(self, key: tuple[int, str], gateway: GatewayEntry | None = None) -> int | None:
        """The site's primary key, if any."""
        for prefix, pk in self._prefixes:
            if key[1].startswith(prefix):
                return pk
        if gateway and gateway.site_id:
            site: int = gateway.site_id
            return site
        return self._defaults.get(key[0])
