"""Names that only one of a kind may have."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError

from mqtt.exceptions import ServiceError
from mqtt.models import Mapping, MqttConnection, Site


@contextmanager
def unique_name(row: MqttConnection | Site | Mapping) -> Iterator[None]:
    """Forms check names first; between two clicks at once only the database knows, and this says it in words.

    It goes round the transaction that stores the row.
    """
    try:
        yield
    except IntegrityError as error:
        everybody = type(row)._base_manager  # noqa: SLF001 - connections that are being deleted keep their names
        if everybody.exclude(pk=row.pk).filter(name=row.name).exists():
            raise ServiceError("name_taken", name=row.name) from error
        raise
