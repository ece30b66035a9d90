from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from mqtt.lists import queries
from mqtt.lists.prepared import MOST_KEYS, ByKey, rows_by_key
from mqtt.models import SensorCorrection, SensorDevice
from mqtt.pages import REGISTRY
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MAKERS: dict[str, Callable[..., Any]] = {
    "connection": factories.make_connection,
    "gateway": factories.make_gateway,
    "datalogger": factories.make_datalogger,
    "sensor": factories.make_sensor,
    "topic": factories.make_topic,
    "undecoded": factories.make_undecoded,
    "command": factories.make_command,
}


def everything_of(record: Any, depth: int = 3) -> Any:
    """What a record holds, annotations and followed relations included."""
    if not hasattr(record, "_state") or not depth:
        return record
    own = {name: value for name, value in vars(record).items() if not name.startswith("_")}
    followed = {name: everything_of(value, depth - 1) for name, value in record._state.fields_cache.items()}
    return own, followed


@pytest.mark.parametrize("kind", queries.BY_KIND)
@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_rows_are_the_same_as_those_of_a_query_written_for_them(kind: str, number: int) -> None:
    made = [MAKERS[kind]() for _ in range(number + 1)]
    keys = [record.pk for record in made[1:]]
    plain = {record.pk: everything_of(record) for record in queries.BY_KIND[kind]().filter(pk__in=keys)}
    assert len(plain) == number
    for _ in range(2):  # the second time with what is kept
        assert {one.pk: everything_of(one) for one in rows_by_key(queries.BY_KIND[kind], keys)} == plain


def test_a_row_is_read_as_it_is_now_and_not_as_it_was_when_the_query_was_written() -> None:
    sensor = factories.make_sensor()
    factories.make_correction(sensor, offset=2.0)
    assert [one.label for one in rows_by_key(queries.sensors, [sensor.pk])] == [sensor.label]
    SensorDevice.objects.filter(pk=sensor.pk).update(label="North wall")
    (found,) = rows_by_key(queries.sensors, [sensor.pk])
    assert found.label == "North wall"
    assert [correction.offset for correction in found.corrections.all()] == [2.0]


def test_no_keys_and_keys_of_nothing_find_nothing() -> None:
    assert list(rows_by_key(queries.sensors, [])) == []
    assert list(rows_by_key(queries.sensors, [4_000_000_000])) == []


def test_more_keys_than_are_prepared_for_are_found_all_the_same() -> None:
    sensor = factories.make_sensor()
    found = rows_by_key(queries.sensors, [*range(5_000_000, 5_000_000 + MOST_KEYS), sensor.pk])
    assert [one.pk for one in found] == [sensor.pk]


def test_equal_numbers_of_keys_ask_with_the_same_text() -> None:
    keys = [factories.make_topic().pk for _ in range(6)]
    with CaptureQueriesContext(connection) as captured:
        assert len(rows_by_key(queries.topics, keys[:3])) == 3
        assert len(rows_by_key(queries.topics, keys[2:6])) == 4
    assert len({query["sql"].count(",") for query in captured.captured_queries}) == 1


def test_what_django_knows_to_be_empty_is_empty() -> None:
    found = ByKey(queries.sensors().none().all)
    for _ in range(2):
        assert list(found([factories.make_sensor().pk])) == []


def test_keys_may_stand_in_another_field() -> None:
    here, _elsewhere = [factories.make_correction(factories.make_sensor()) for _ in range(2)]
    found = ByKey(SensorCorrection.objects.all, "sensor")
    assert [one.pk for one in found([here.sensor_id])] == [here.pk]


def test_a_page_asks_which_rows_it_still_shows_with_a_text_that_is_written_once(
    operator: Any, monkeypatch: Any
) -> None:
    warm, cold = factories.make_sensor(label="warm room"), factories.make_sensor(label="cold room")
    page = REGISTRY["sensors", False]
    shown = page.show(operator, QueryDict("search=warm"))
    assert shown is not None
    assert page.matching(shown, "sensor", [warm.pk, cold.pk]) == {warm.pk}
    SensorDevice.objects.filter(pk=cold.pk).update(label="warm again")
    monkeypatch.setattr("django.db.models.sql.compiler.SQLCompiler.as_sql", lambda *_, **__: 1 / 0)
    assert page.matching(shown, "sensor", [warm.pk, cold.pk]) == {warm.pk, cold.pk}
    assert page.matching(shown, "sensor", [cold.pk, 4_000_000_000]) == {cold.pk}
