"""Rows of long lists, as Django REST framework writes them, without asking each field of each row how it is read.

What a serializer's fields are is looked at once a class; a row then costs a call for each of its values.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers
from rest_framework.fields import empty

Reader = Callable[[Any], Any]
"""From a row to what is answered for one of its fields."""


class QuickMixin:
    """For serializers whose fields need nothing of the request to be read."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The same as Django REST framework's, which a test compares."""
        kind: Any = type(self)
        return {name: read(instance) for name, read in readers(kind)}


@cache
def readers(serializer: Any) -> tuple[tuple[str, Reader], ...]:
    """How each field of a serializer class is read."""
    fields = serializer().fields.values()
    return tuple((field.field_name, _reader(field)) for field in fields if not field.write_only)


def _reader(field: Any) -> Reader:
    if type(field).get_attribute not in _PLAIN or field.source == "*":
        return _spoken(field.get_attribute, field.to_representation)
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        serializer: Any = field.parent
        return attrgetter(serializer.Meta.model._meta.get_field(field.source).attname)  # noqa: SLF001 - Django's API
    write = moment_text if type(field) is serializers.DateTimeField else field.to_representation
    read = attrgetter(field.source)
    return _spoken(read if len(field.source_attrs) == 1 else _or_default(read, field.default), write)


_PLAIN = {
    serializers.Field.get_attribute,
    serializers.RelatedField.get_attribute,
    serializers.PrimaryKeyRelatedField.get_attribute,
}


def _spoken(read: Reader, write: Callable[[Any], Any]) -> Reader:
    def spoken(row: Any) -> Any:
        value = read(row)
        return None if value is None else write(value)

    return spoken


def _or_default(read: Reader, default: Any) -> Reader:
    """Something on the way may be missing, such as the state of what was never heard."""
    if default is empty:
        return read

    def found(row: Any) -> Any:
        try:
            return read(row)
        except (AttributeError, ObjectDoesNotExist):
            return default

    return found


def moment_text(moment: datetime) -> str:
    """A time as the API writes it: in UTC, as an hour of each autumn comes twice elsewhere."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
