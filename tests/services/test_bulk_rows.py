from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from mqtt.services.pipeline.bulk_rows import Writes, write_rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]

COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "double precision": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "bytea": st.binary(),
}


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept (place bigint, {columns})")
        yield
        cursor.execute("DROP TABLE kept")


def written_and_read(kind: str, column: list[Any]) -> list[Any]:
    name = f"c{list(COLUMNS).index(kind)}"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kept")
        write_rows(f"INSERT INTO kept (place, {name}) {{rows}}", ("bigint", kind), list(enumerate(column)))
        cursor.execute(f"SELECT {name} FROM kept ORDER BY place")
        return [bytes(value) if isinstance(value, memoryview) else value for (value,) in cursor.fetchall()]


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_column_comes_back_as_it_was_written(kind: str) -> None:
    @example([None])
    @example([None, None])
    @given(st.lists(st.none() | COLUMNS[kind], max_size=8))
    def comes_back(column: list[Any]) -> None:
        assert written_and_read(kind, column) == column

    comes_back()


@pytest.mark.parametrize(
    "text", ["", "NULL", "null", "None", 'a "quoted" \\ word', "{1,2}", " ", "'; DROP TABLE x; --"]
)
def test_a_text_that_looks_like_the_signs_of_an_array_stays_a_text(text: str) -> None:
    assert written_and_read("text", [text, None, text]) == [text, None, text]


def test_statements_reach_postgresql_in_one_round_trip_and_only_those_asked_for_are_counted(
    django_assert_num_queries: Any,
) -> None:
    insert = "INSERT INTO kept (place, c0) {rows}"
    writes = Writes()
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 5):
        writes.add("DELETE FROM kept")
        writes.add_rows(insert, ("bigint", "bigint"), [(1, 10), (2, 20)])
        writes.add("UPDATE kept SET c0 = c0 + %s", [5], counts=True)
        writes.add_rows(insert, ("bigint", "bigint"), [(3, 30)], counts=True)
        writes.add_rows(insert, ("bigint", "bigint"), [])
        writes.add("DELETE FROM kept WHERE c0 < %s", [20])
        writes.run()
        writes.run()
    assert writes.counted == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT place, c0 FROM kept ORDER BY place")
        assert cursor.fetchall() == [(2, 25), (3, 30)]
