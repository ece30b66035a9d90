"""One INSERT for many rows, on both databases.

SQLite takes them by `executemany`, PostgreSQL as one array a column. The arrays are written here as PostgreSQL's
text: the driver's own dumper asks each value anew what it is, which cost an eighth of all that a message costs.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

from mqtt.models import from_us

Rows = Sequence[Sequence[Any]]


class Writes:
    """Statements of one transaction whose answers nobody waits for: PostgreSQL takes them in one round trip.

    A small batch cost it ten, at a quarter of a millisecond each. SQLite, to which there is no way, runs each at once.
    """

    def __init__(self) -> None:
        self.counted = 0
        """How many rows the statements that count changed, once they have run."""
        self._statements: list[str] = []
        self._given: list[Any] = []
        self._counting: set[int] = set()

    def add(self, statement: str, given: Sequence[Any] = (), *, counts: bool = False) -> None:
        """One statement, with the values for its `%s`."""
        if counts:
            self._counting.add(len(self._statements))
        self._statements.append(statement)
        self._given += given
        if connection.vendor == "sqlite":
            self.run()

    def add_rows(self, statement: str, types: Sequence[str], rows: Rows, *, counts: bool = False) -> None:
        """One INSERT for many rows; `{rows}` stands for where they come from.

        A column of type `time` holds microseconds, stored as each database keeps Django's datetimes.
        """
        if not rows:
            return
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(types))
            times = [index for index, kind in enumerate(types) if kind == "time"]
            self.run_many(statement.format(rows=f"VALUES ({marks})"), _with_text_times(rows, times), counts=counts)
            return
        given = [array_text(kind, column) for kind, column in zip(types, zip(*rows, strict=True), strict=True)]
        self.add(statement.format(rows=_from_arrays(tuple(types))), given, counts=counts)

    def run_many(self, statement: str, rows: Rows, *, counts: bool) -> None:
        """Run one statement for each row, now."""
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
            if counts:
                self.counted += cursor.rowcount

    def run(self) -> None:
        """Send what waits."""
        if not self._statements:
            return
        with connection.cursor() as cursor:
            cursor.execute(";\n".join(self._statements), self._given)
            for place in range(max(self._counting, default=-1) + 1):
                if place:
                    cursor.nextset()
                if place in self._counting:
                    self.counted += cursor.rowcount
        self._statements, self._given, self._counting = [], [], set()


def write_rows(statement: str, types: Sequence[str], rows: Rows) -> None:
    """Run one INSERT for many rows, as `Writes.add_rows` takes it."""
    writes = Writes()
    writes.add_rows(statement, types, rows)
    writes.run()


@lru_cache(maxsize=64)
def _from_arrays(types: tuple[str, ...]) -> str:
    # WHERE true keeps the parser from reading ON CONFLICT as a join condition.
    arrays = ", ".join(f"%s::{'bigint' if kind == 'time' else kind}[]" for kind in types)
    columns = ", ".join(
        f"'epoch'::timestamptz + c{index} * interval '1 microsecond'" if kind == "time" else f"c{index}"
        for index, kind in enumerate(types)
    )
    names = ", ".join(f"c{index}" for index in range(len(types)))
    return f"SELECT {columns} FROM unnest({arrays}) AS given ({names}) WHERE true"  # noqa: S608 - no input inside


def array_text(kind: str, column: Iterable[Any]) -> str:
    """A column as the text of a PostgreSQL array of its type: `{1,NULL,3}`."""
    quote = _QUOTES.get(kind)
    if quote is None:  # numbers and booleans, in which nothing else can be called None
        return "{" + ",".join(map(str, column)).replace("None", "NULL") + "}"
    return "{" + ",".join(["NULL" if value is None else quote(value) for value in column]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _quoted_bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


_QUOTES: dict[str, Callable[[Any], str]] = {"text": _quoted, "bytea": _quoted_bytes}


def _with_text_times(rows: Rows, times: Sequence[int]) -> Rows:
    """The rows with microseconds as the text that Django keeps in SQLite, `2026-11-23 14:20:01.250000`."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    before: Sequence[Any] = ()
    for index in times:
        column = columns[index]
        if column != before:  # a device is heard and comes back at the same time
            before, texts = column, _texts(column)
        columns[index] = texts
    return list(zip(*columns, strict=True))


def _texts(column: Iterable[int | None]) -> list[str | None]:
    """Microseconds as text; the second is written once for neighbours that share it."""
    texts: list[str | None] = []
    second, text = -1, ""
    for moment in column:
        if moment is None:
            texts.append(None)
            continue
        rest = moment - second
        if not 0 <= rest < 1_000_000 or not text:
            rest = moment % 1_000_000
            second = moment - rest
            text = str(from_us(second).replace(tzinfo=None))
        texts.append("%s.%06d" % (text, rest) if rest else text)  # noqa: UP031 - a quarter quicker, once a time
    return texts
