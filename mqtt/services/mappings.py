"""Mappings: what people write, checked; and as decoders, for whoever decodes."""

import logging
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Q
from jmespath.exceptions import JMESPathError

from mqtt.decoders.mapping import MappingDecoder, Rules, ValueRule
from mqtt.enums import AuditAction, NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import Mapping as Row
from mqtt.services.audit import Actor, differences, record, snapshot
from mqtt.services.names import unique_name

logger = logging.getLogger(__name__)

FIELDS = (
    "name",
    "connection",
    "topic_pattern",
    "is_active",
    "is_ignored",
    "items_path",
    "device",
    "device_path",
    "time_path",
    "time_format",
    "separator",
    "decimal_comma",
    "values",
)
VALUE_FIELDS = ("path", "name", "name_path", "unit", "kind")


def rules_of(row: Row) -> Rules:
    """A stored or unsaved mapping as the decoder takes it."""
    values = tuple(ValueRule(**{name: str(value.get(name, "")) for name in VALUE_FIELDS}) for value in row.values)
    return Rules(
        pk=row.pk or 0,
        topic_pattern=row.topic_pattern,
        values=values,
        items_path=row.items_path,
        device=row.device,
        device_path=row.device_path,
        time_path=row.time_path,
        time_format=row.time_format,
        separator=row.separator,
        decimal_comma=row.decimal_comma,
        is_ignored=row.is_ignored,
    )


def mapping_decoders(connection_ids: Iterable[int]) -> Mapping[int, tuple[MappingDecoder, ...]]:
    """The active mappings of connections, those of one connection before those of all."""
    wanted = set(connection_ids)
    rows = Row.objects.filter(Q(connection__in=wanted) | Q(connection=None), is_active=True).order_by("pk")
    own: dict[int, list[MappingDecoder]] = {pk: [] for pk in wanted}
    general: list[MappingDecoder] = []
    for row in rows:
        try:
            decoder = MappingDecoder(rules_of(row))
        except (JMESPathError, AttributeError, RecursionError) as error:
            logger.warning("The mapping %s cannot be used: %s", row.name, error)  # written past the form
            continue
        (general if row.connection_id is None else own[row.connection_id]).append(decoder)
    return {pk: (*mine, *general) for pk, mine in own.items()}


def save_mapping(actor: Actor, row: Row) -> Row:
    """Store a mapping that the form has checked."""
    with unique_name(row), transaction.atomic():
        if row.pk is None:
            row.save(force_insert=True)
            record(actor, AuditAction.CREATED, NodeKind.MAPPING, row, {"topics": row.topic_pattern})
        else:
            stored = Row.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
            if stored is None:
                raise ServiceError("gone", name=row.name)
            details = differences(snapshot(stored, FIELDS), snapshot(row, FIELDS))
            if details:
                row.save(update_fields=list(details))
                record(actor, AuditAction.CHANGED, NodeKind.MAPPING, row, details)
    return row


def delete_mapping(actor: Actor, row: Row) -> None:
    """Delete a mapping; what it made of messages stays."""
    with transaction.atomic():
        record(actor, AuditAction.DELETED, NodeKind.MAPPING, row)
        row.delete()
