"""Looking for a word in several columns of a long table, in the way that each database is quickest at."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q


class AnyOf(Func):
    """Whether a key is one of those that a query finds: PostgreSQL asks an index for them; IN would try each row."""

    arg_joiner = " = ANY(ARRAY"
    template = "%(expressions)s)"
    output_field = BooleanField()


def holds(model: Any, fields: Iterable[str], word: str) -> Q:
    """Whether any of the fields holds a word; those of another table are looked through once, and not for each row."""
    is_postgresql = connection.vendor == "postgresql"
    found = Q()
    elsewhere: dict[str, Q] = defaultdict(Q)
    for field in fields:
        relation, _to, name = field.rpartition("__")
        elsewhere[relation] |= Q(**{f"{name}__icontains": word})
    for relation, theirs in elsewhere.items():
        if not relation:
            found |= theirs
            continue
        other = model._meta.get_field(relation).related_model  # noqa: SLF001 - Django's public name for it
        others = other.objects.order_by().filter(theirs).values("pk")
        found |= Q(AnyOf(F(f"{relation}_id"), others)) if is_postgresql else Q(**{f"{relation}__in": others})
    return found
