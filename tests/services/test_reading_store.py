import pytest

from mqtt.models import Reading, SensorDevice
from mqtt.services.pipeline.bulk_rows import Writes
from mqtt.services.pipeline.reading_store import WORTH_A_COPY, ReadingRows, insert_readings
from tests.factories import make_sensor

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOW_US = 1_795_000_000_123_457
VALUES = [(21.5, None), (-0.0, None), (None, 'open "wide" \\ {1,NULL}'), (None, ""), (1e308, None), (None, "NULL")]


def rows_of(sensor: SensorDevice, count: int) -> ReadingRows:
    rows = ReadingRows()
    for number in range(count):
        value, text = VALUES[number % len(VALUES)]
        rows.sensors.append(sensor.pk)
        rows.times.append(NOW_US + number)
        rows.received.append(NOW_US - number)
        rows.values.append(value)
        rows.texts.append(text)
        rows.flags.append(number % 3)
    return rows


def stored(sensor: SensorDevice) -> list[tuple[object, ...]]:
    fields = ("time", "digest", "received_at", "value", "text", "flags")
    return list(Reading.objects.filter(sensor=sensor).order_by("time").values_list(*fields))


def insert(rows: ReadingRows) -> int:
    writes = Writes()
    insert_readings(writes, rows)
    writes.run()
    return writes.counted


def test_few_readings_and_many_are_stored_alike() -> None:
    """PostgreSQL takes a handful as arrays and many by COPY."""
    sensor, other_sensor = make_sensor(), make_sensor()
    assert insert(rows_of(sensor, len(VALUES))) == len(VALUES)
    assert insert(rows_of(other_sensor, WORTH_A_COPY)) == WORTH_A_COPY
    assert stored(sensor) == stored(other_sensor)[: len(VALUES)]
    assert [row[3:5] for row in stored(sensor)] == VALUES


@pytest.mark.parametrize("count", [len(VALUES), WORTH_A_COPY])
def test_only_what_is_new_is_counted_and_stored(count: int) -> None:
    sensor = make_sensor()
    assert insert(rows_of(sensor, count)) == count
    assert insert(rows_of(sensor, count + 2)) == 2
    assert Reading.objects.count() == count + 2
