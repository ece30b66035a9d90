"""Rows by key from SQL that is written once: Django took longer to write it than the database to answer it.

Pushes ask for the same few rows again and again, with a query of several thousand characters. Its text and
parameters depend on nothing but how many keys are asked for, so they are kept, for every power of two.
"""

from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

MOST_KEYS = 256
"""For more, the query is written anew: reading the rows takes longer then."""


class _Written(NamedTuple):
    found: QuerySet[Any]
    compiler: Any
    sql: str
    parameters: tuple[Any, ...]
    first_key: int
    """Where the keys stand among the parameters, one after the other."""


class ByKey:
    """What `build` finds, of some keys. It must always build the same, and say no times of its own."""

    def __init__(self, build: Callable[[], QuerySet[Any]], field: str = "pk") -> None:
        """`field` holds the keys; without a field of its own it is the primary key."""
        self._build = build
        self._filter = f"{field}__in"
        self._kept: dict[int, _Written | None] = {}

    def __call__(self, keys: Iterable[int]) -> QuerySet[Any]:
        """The rows of these keys, not read yet."""
        wanted = sorted(set(keys))
        if not 0 < len(wanted) <= MOST_KEYS:
            return self._of(wanted)
        size = 1 << (len(wanted) - 1).bit_length()
        if size not in self._kept:
            self._kept[size] = self._write(size)
        written = self._kept[size]
        if written is None:
            return self._of(wanted)
        wanted += wanted[-1:] * (size - len(wanted))
        before, after = written.parameters[: written.first_key], written.parameters[written.first_key + size :]
        compiler = copy(written.compiler)
        compiler.connection = connection  # each thread has its own
        compiler.as_sql = lambda *_args, **_kwargs: (written.sql, (*before, *wanted, *after))
        found = written.found.all()
        found.query.get_compiler = lambda *_args, **_kwargs: compiler  # type: ignore[method-assign]
        return found

    def _of(self, keys: list[int]) -> QuerySet[Any]:
        return self._build().filter(**{self._filter: keys})

    def _write(self, size: int) -> _Written | None:
        marks = list(range(-size, 0))  # no key, and nothing else among the parameters
        found = self._of(marks)
        compiler = found.query.get_compiler(connection.alias)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:  # Django knows without the database that there is nothing
            return None
        first = list(parameters).index(-size)
        if list(parameters[first : first + size]) != marks:
            raise AssertionError("Django writes the keys of a query in another order than they are given")
        return _Written(found, compiler, sql, tuple(parameters), first)


def rows_by_key(build: Callable[[], QuerySet[Any]], keys: Iterable[int]) -> QuerySet[Any]:
    """What `build` finds, of these primary keys: `build` is a function that stays, as it is remembered."""
    return _by_key(build)(keys)


@cache
def _by_key(build: Callable[[], QuerySet[Any]]) -> ByKey:
    return ByKey(build)
