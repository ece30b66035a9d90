"""Pages of long lists: keys are found without what a row needs, which is fetched for the rows of the page alone."""

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

MAYBE = ("state__", "activity__", "site__", "gateway__")
"""Relations that a row need not have, or whose columns may be empty."""


def in_order(term: str) -> str | OrderBy:
    """An `order_by` term; what has no value stands at the end, whichever way round.

    By themselves SQLite begins with it, and PostgreSQL the other way round.
    """
    name = term.removeprefix("-")
    if not name.startswith(MAYBE):
        return term
    return F(name).desc(nulls_last=True) if term.startswith("-") else F(name).asc(nulls_last=True)


def part(whole: QuerySet[Any], low: int, high: int, count: int | None = None, rows: Any = None) -> QuerySet[Any]:
    """The rows from `low` to `high` of an ordered list, in one query; `rows` has what a row needs, else the list.

    Where `count` is known, a part behind the middle is reached from the end: a database walks through what it skips.
    """
    keys: Any = whole.select_related(None).prefetch_related(None).values("pk")
    if count is not None and low > count // 2:
        keys, (low, high) = keys.reverse(), (max(0, count - high), max(0, count - low))
    found = whole if rows is None else rows
    return found.filter(pk__in=keys[low:high]).order_by(*whole.query.order_by)
