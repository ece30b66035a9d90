"""Who did what: the one writer of audit entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import connection
from django.db.models import Model

from mqtt.enums import AuditAction, NodeKind
from mqtt.models import AuditEntry

LONGEST_VALUE = 200
"""Certificates and addresses are cut to this many characters: the entry says what changed, it is no backup."""
SECRET = "changed"  # noqa: S105 - the word that stands for one
"""All that is ever written of a secret."""


@dataclass(frozen=True)
class Actor:
    """Who asks, and by which way: web, admin, api or command."""

    user: User | None
    name: str
    via: str

    @classmethod
    def of(cls, user: AbstractBaseUser | AnonymousUser, via: str) -> Self:
        """The actor of a request's user."""
        known = user if isinstance(user, User) and user.pk else None
        return cls(known, user.get_username(), via)

    @classmethod
    def command(cls, name: str) -> Self:
        """A management command, which has no user."""
        return cls(None, name, "command")


def snapshot(instance: Model, fields: Iterable[str]) -> dict[str, Any]:
    """Plain values of an instance's fields, comparable and storable as JSON."""
    return {name: _plain(getattr(instance, name)) for name in fields}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """{field: {"old", "new"}} of what differs between two snapshots of the same fields."""
    return {name: {"old": before[name], "new": after[name]} for name in after if before.get(name) != after[name]}


def record(
    actor: Actor, action: AuditAction, kind: NodeKind, instance: Model | None, details: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Write one entry, inside the caller's transaction, about an instance that still has its primary key."""
    entry = _entry(actor, action, kind, instance, details or {})
    entry.save(force_insert=True)
    return entry


def prepare_many(
    actor: Actor, action: AuditAction, kind: NodeKind, done: Iterable[tuple[Model, Mapping[str, Any]]]
) -> list[list[Any]]:
    """An entry about each instance with its details, for `record_many`: what takes time, before others have to wait."""
    entries = (_entry(actor, action, kind, *one) for one in done)
    return [[field.get_db_prep_save(field.pre_save(one, True), connection) for field in _COLUMNS] for one in entries]


def record_many(prepared: list[list[Any]]) -> None:
    """Write them, inside the caller's transaction."""
    names = ", ".join(f'"{field.column}"' for field in _COLUMNS)
    marks = ", ".join(["%s"] * len(_COLUMNS))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {AuditEntry._meta.db_table} ({names}) VALUES ({marks})", prepared)  # noqa: S608, SLF001


_COLUMNS = [field for field in AuditEntry._meta.concrete_fields if not field.primary_key]  # noqa: SLF001 - public


def _entry(
    actor: Actor, action: AuditAction, kind: NodeKind, instance: Model | None, details: Mapping[str, Any]
) -> AuditEntry:
    return AuditEntry(
        user=actor.user,
        actor=actor.name[:150],
        via=actor.via,
        action=action,
        kind=kind,
        object_id=instance.pk if instance else None,
        label=str(instance or "")[:250],
        details={name: _shortened(value) for name, value in details.items()},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}…"
    return value
