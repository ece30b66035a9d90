from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry, SensorCorrection, SensorDevice, to_us
from mqtt.services.audit import Actor
from mqtt.services.corrections import add_correction, corrections_of, remove_correction
from tests.factories import make_sensor

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ACTOR = Actor.command("test")
NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)


def add(sensor: SensorDevice, **fields: Any) -> SensorCorrection:
    return add_correction(ACTOR, SensorCorrection(**{"sensor": sensor, "valid_from": NOW, "reason": "drift", **fields}))


def test_corrections_of_many_sensors_come_with_one_query(django_assert_num_queries: Any) -> None:
    sensors = [make_sensor() for _ in range(3)]
    add(sensors[0], offset=1.5)
    add(sensors[0], gain=2.0, valid_from=NOW + timedelta(days=1))
    add(sensors[1], zero=0.25)
    with django_assert_num_queries(1):
        found = corrections_of(sensor.pk for sensor in sensors)
    assert set(found) == {sensors[0].pk, sensors[1].pk}
    first = found[sensors[0].pk]
    assert first.apply(to_us(NOW) - 1, 10.0) == 10.0
    assert first.apply(to_us(NOW), 10.0) == 11.5
    assert first.apply(to_us(NOW + timedelta(days=2)), 10.0) == 20.0


def test_a_correction_and_taking_it_back_stand_in_the_audit() -> None:
    sensor = make_sensor()
    correction = add(sensor, offset=-0.3)
    assert (correction.author_name, correction.author) == ("test", None)
    remove_correction(ACTOR, correction)
    assert not SensorCorrection.objects.exists()
    actions = AuditEntry.objects.order_by("pk").values_list("action", "kind", "object_id", "details__offset")
    assert list(actions) == [("corrected", "sensor", sensor.pk, -0.3), ("uncorrected", "sensor", sensor.pk, -0.3)]


@pytest.mark.parametrize("fields", [{"gain": 0.0}, {"gain": float("inf")}, {"zero": float("nan")}, {"offset": 1e400}])
def test_numbers_that_correct_nothing_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ServiceError, match="correction_without_gain"):
        add(make_sensor(), **fields)


def test_two_corrections_of_one_moment_are_refused() -> None:
    sensor = make_sensor()
    add(sensor)
    with pytest.raises(ServiceError, match="corrected_then"):
        add(sensor, offset=3.0)
    assert SensorCorrection.objects.count() == AuditEntry.objects.count() == 1


def test_a_sensor_that_is_gone_cannot_be_corrected() -> None:
    sensor = make_sensor()
    SensorDevice.objects.filter(pk=sensor.pk).delete()
    with pytest.raises(ServiceError, match="gone"):
        add(sensor)
