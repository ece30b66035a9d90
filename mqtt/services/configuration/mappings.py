"""Mappings that people made by hand, known by their name."""

from collections.abc import Iterator
from typing import Any

from jmespath.exceptions import JMESPathError

from mqtt import reasons
from mqtt.decoders.mapping import MappingDecoder, pattern_error
from mqtt.models import Mapping, MqttConnection
from mqtt.services.audit import Actor
from mqtt.services.configuration.sections import (
    CHANGED,
    CREATED,
    SAME,
    Done,
    Row,
    RowError,
    Section,
    assign,
    check_names,
    plain,
)
from mqtt.services.mappings import FIELDS, VALUE_FIELDS, rules_of, save_mapping

OWN = tuple(name for name in FIELDS if name not in {"connection", "values"})


def _export(_secrets: bool) -> Iterator[dict[str, Any]]:
    for mapping in Mapping.objects.select_related("connection"):
        entry = plain(mapping, OWN)
        if mapping.connection:
            entry["connection"] = mapping.connection.name
        if mapping.values:
            entry["values"] = [{name: one[name] for name in VALUE_FIELDS if one.get(name)} for one in mapping.values]
        yield entry


def _store(actor: Actor, row: Row) -> Done:
    name = check_names(row, FIELDS)
    mapping = Mapping.objects.filter(name=name).first()
    is_new = mapping is None
    mapping = mapping or Mapping()
    changed = assign(mapping, row, OWN)
    connection = _connection_named(row.get("connection")) if "connection" in row else mapping.connection
    if connection != mapping.connection:
        mapping.connection = connection
        changed.append("connection")
    if "values" in row and (values := _values(row["values"])) != _values(mapping.values):
        mapping.values = values
        changed.append("values")
    _check(mapping)
    save_mapping(actor, mapping)
    what = CREATED if is_new else CHANGED if changed else SAME
    return Done(what, name, "" if is_new else ", ".join(changed))


def _values(rows: Any) -> list[dict[str, str]]:
    if not isinstance(rows, list):
        raise RowError("values must be a list")
    found = []
    for row in rows:
        if not isinstance(row, dict):
            raise RowError("each of values has a path")
        check_names(row, VALUE_FIELDS, needed="path")
        found.append({name: str(row.get(name) or "") for name in VALUE_FIELDS})
    return found


def _check(mapping: Mapping) -> None:
    code = pattern_error(mapping.topic_pattern)
    if code:
        raise RowError(f"topic_pattern: {reasons.explain(code)}")
    try:
        MappingDecoder(rules_of(mapping))
    except (JMESPathError, AttributeError, RecursionError) as error:
        raise RowError(f"there is a path that cannot be read: {' '.join(str(error).split())}") from error


def _connection_named(name: Any) -> MqttConnection | None:
    if name in (None, ""):
        return None
    found = MqttConnection.objects.filter(name=str(name)).first()
    if found is None:
        raise RowError(f"there is no connection {name}")
    return found


MAPPINGS = Section("mappings", _export, _store)
