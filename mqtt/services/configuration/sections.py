"""What the sections share: rows out of the database, rows of a file in, and a word about each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from mqtt.services.audit import Actor

CREATED, CHANGED, SAME, WAITING = "created", "changed", "unchanged", "waiting"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """What became of one row of a file."""

    what: str
    """created, changed, unchanged, or waiting for a device that was not heard yet."""
    label: str
    details: str = ""


@dataclass(frozen=True)
class Section:
    """One list of the file. `store` raises ValidationError, ServiceError or RowError for a row that cannot be."""

    name: str
    export: Callable[[bool], Iterator[dict[str, Any]]]
    """Takes whether secrets are wanted."""
    store: Callable[[Actor, Row], Done]


class RowError(Exception):
    """A row that cannot be stored; its text is the sentence."""


def check_names(row: Row, allowed: Iterable[str], needed: str = "name") -> str:
    """The row's own name, when all its keys are known. Raises RowError."""
    unknown = sorted(str(name) for name in row.keys() - set(allowed))
    if unknown:
        raise RowError(f"there is no field {unknown[0]}")
    name = row.get(needed)
    if not isinstance(name, str) or not name.strip():
        raise RowError(f"{needed} is missing")
    return name


def assign(instance: Model, row: Row, fields: Iterable[str]) -> list[str]:
    """Set the fields that the row names to clean values; returns the names of those that differ. Raises RowError."""
    changed = []
    for name in fields:
        if name not in row:
            continue
        field: Any = instance._meta.get_field(name)  # noqa: SLF001 - public by Django's documentation
        value = row[name]
        if isinstance(value, (dict, list)) and field.get_internal_type() != "JSONField":
            raise RowError(f"{name}: one value, not several")
        try:
            value = clean(field, value, instance)
        except ValidationError as error:
            raise RowError(f"{name}: {' '.join(error.messages)}") from error
        if getattr(instance, name) != value:
            setattr(instance, name, value)
            changed.append(name)
    return changed


def clean(field: Any, value: Any, instance: Model) -> Any:
    """A value as the field takes it: YAML reads 5 and yes as a number and a truth."""
    if value is None and not field.null:
        value = ""
    if field.get_internal_type() in {"CharField", "TextField"} and isinstance(value, int | float):
        value = str(value)
    return value if field.blank and value == "" and not field.null else field.clean(value, instance)


def plain(instance: Model, fields: Iterable[str]) -> dict[str, Any]:
    """The fields that are not at their default, for the file."""
    found = {}
    for name in fields:
        field: Any = instance._meta.get_field(name)  # noqa: SLF001 - as above
        value = getattr(instance, name)
        if value != field.get_default():
            found[name] = value.replace("\r\n", "\n") if isinstance(value, str) else value
    return found
