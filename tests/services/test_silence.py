from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from mqtt import reasons
from mqtt.enums import ConnectionStatus, IntervalSource
from mqtt.events import AvailabilityChanged, Event
from mqtt.models import (
    ConnectionLease,
    DataloggerRhythm,
    DataloggerState,
    GatewayRhythm,
    GatewayState,
    MqttConnection,
    SensorDevice,
    SensorRhythm,
    SensorState,
    StatusChange,
)
from mqtt.rhythm import NO_RHYTHM, UNKNOWN, Expectation, expect, expect_unknown
from mqtt.services.jobs.silence import SilenceSweep
from mqtt.services.pipeline import availability
from tests.factories import make_connection, make_datalogger, make_gateway, make_sensor, make_status_change

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    sent: list[Event] = []
    monkeypatch.setattr(availability, "broadcast_event", sent.append)
    return sent


def linked(since: timedelta = 60 * DAY) -> MqttConnection:
    broker = make_connection(last_connected_at=timezone.now() - since)
    ConnectionLease.objects.update(expires_at=timezone.now() + MINUTE)
    return broker


def heard(ago: timedelta) -> None:
    for model in (SensorState, DataloggerState, GatewayState):
        model.objects.all().update(availability="online", last_seen_at=timezone.now() - ago)


def sweep() -> None:
    SilenceSweep().run()


def learned(device: Any, expected: Expectation) -> None:
    models: dict[str, Any] = {"sensor": SensorRhythm, "datalogger": DataloggerRhythm, "gateway": GatewayRhythm}
    model = models[device._meta.model_name.removesuffix("device")]
    model.objects.create(pk=device.pk, **expected._asdict())


def now_of(sensor: SensorDevice) -> str:
    return str(SensorState.objects.get(sensor=sensor).availability)


@pytest.mark.parametrize(
    ("expected", "silent", "becomes"),
    [
        (UNKNOWN, 24 * HOUR, "online"),
        (UNKNOWN, 26 * HOUR, "late"),
        (UNKNOWN, 76 * HOUR, "offline"),
        (expect(60, IntervalSource.LEARNED), 170 * MINUTE / 60, "online"),
        (expect(60, IntervalSource.LEARNED), 190 * MINUTE / 60, "late"),
        (expect(60, IntervalSource.LEARNED), 14 * MINUTE, "late"),
        (expect(60, IntervalSource.LEARNED), 16 * MINUTE, "offline"),
        (expect(1, IntervalSource.SAID), 110 * MINUTE / 60, "online"),
        (expect(1, IntervalSource.SAID), 130 * MINUTE / 60, "late"),
        (expect(60, IntervalSource.LEARNED, 10 * 3600), 12 * HOUR, "online"),
        (expect(60, IntervalSource.LEARNED, 10 * 3600), 13 * HOUR, "late"),
        (expect(60, IntervalSource.LEARNED, 10 * 3600), 26 * HOUR, "offline"),
        (expect_unknown(40 * 3600), 45 * HOUR, "online"),
        (NO_RHYTHM, 59 * DAY, "online"),
    ],
)
def test_silence_is_late_and_then_offline(
    events: list[Event], expected: Expectation, silent: timedelta, becomes: str
) -> None:
    sensor = make_sensor(make_datalogger(linked()))
    for device in (sensor, sensor.datalogger):
        if expected != UNKNOWN:
            learned(device, expected)
    heard(silent)
    sweep()
    assert now_of(sensor) == becomes
    assert DataloggerState.objects.get().availability == becomes
    changes = StatusChange.objects.filter(kind="datalogger").values_list("object_id", "from_status", "to_status")
    assert list(changes) == ([] if becomes == "online" else [(sensor.datalogger_id, "online", becomes)])
    if becomes != "online":
        first = events[0]
        assert isinstance(first, AvailabilityChanged)
        assert (first.connection_id, first.sensors) == (sensor.connection_id, [sensor.pk])
        events.clear()
        sweep()
        assert events == []


def test_the_reason_names_the_facts() -> None:
    sensor = make_sensor(make_datalogger(linked()))
    learned(sensor, expect(60, IntervalSource.LEARNED))
    heard(7 * MINUTE)
    sweep()
    change = StatusChange.objects.get()
    assert (change.reason, change.context) == (
        "device_silent_usually",
        {"silence_seconds": pytest.approx(420, abs=2), "interval_seconds": 60},
    )
    assert "7 min" in change.reason_detail
    assert "60 s" in change.reason_detail
    assert "26 h" in reasons.explain("device_silent", {"silence_seconds": 26 * 3600})


def test_an_interval_set_by_hand_is_the_only_one_that_counts() -> None:
    broker = linked()
    strict, patient = (make_sensor(make_datalogger(broker), expected_interval=seconds) for seconds in (60, 7200))
    learned(strict, expect(60, IntervalSource.LEARNED, 36000))
    learned(patient, expect(60, IntervalSource.LEARNED))
    DataloggerState.objects.all().delete()
    SensorState.objects.update(availability="online", last_seen_at=timezone.now() - 5 * MINUTE)
    sweep()
    assert (now_of(strict), now_of(patient)) == ("late", "online")
    change = StatusChange.objects.get()
    assert change.context["interval_seconds"] == 60
    assert strict.expectation == expect(60, IntervalSource.SET)


@pytest.mark.parametrize("seconds", [50, 130, 200, 1000, 4000, 20000, 100000, 300000])
def test_the_database_follows_the_same_rule_as_the_pages(seconds: int) -> None:
    broker = linked()
    learned_ones = [expect(10, IntervalSource.LEARNED), expect(900, IntervalSource.LEARNED, 9000)]
    rules = [UNKNOWN, NO_RHYTHM, expect_unknown(100000), expect(900, IntervalSource.SAID), *learned_ones]
    sensors = []
    for rule in rules:
        for by_hand in (None, 30, 5000):
            sensor = make_sensor(make_datalogger(broker), expected_interval=by_hand)
            if rule != UNKNOWN:
                learned(sensor, rule)
            sensors.append(sensor)
    DataloggerState.objects.all().delete()
    SensorState.objects.update(availability="online", last_seen_at=timezone.now() - timedelta(seconds=seconds))
    sweep()
    for sensor in SensorDevice.objects.select_related("rhythm", "state"):
        late, offline = sensor.expectation.late_after, sensor.expectation.offline_after
        wanted = "online"
        if offline and seconds > offline:
            wanted = "offline"
        elif late and seconds > late:
            wanted = "late"
        assert sensor.state.availability == wanted, sensor.expectation


def test_a_gateway_that_falls_silent_takes_what_is_behind_it_with_it() -> None:
    broker = linked()
    gateway = make_gateway(broker)
    sensor = make_sensor(make_datalogger(gateway=gateway))
    other = make_sensor(make_datalogger(broker))
    learned(gateway, expect(60, IntervalSource.LEARNED))
    heard(16 * MINUTE)
    sweep()
    assert (now_of(sensor), now_of(other)) == ("offline", "online")
    assert DataloggerState.objects.get(datalogger=sensor.datalogger).availability == "offline"
    reasons_given = set(StatusChange.objects.values_list("kind", "reason"))
    assert reasons_given == {
        ("gateway", "device_silent_usually"),
        ("datalogger", "gateway_offline"),
        ("sensor", "gateway_offline"),
    }


@pytest.mark.parametrize("how", ["down", "no lease", "just up", "never up", "disabled"])
def test_nobody_is_late_while_the_link_is_to_blame(how: str) -> None:
    broker = linked(MINUTE if how == "just up" else 60 * DAY)
    sensor = make_sensor(make_datalogger(broker))
    learned(sensor, expect(60, IntervalSource.LEARNED))
    heard(80 * HOUR)
    row = MqttConnection.objects.filter(pk=broker.pk)
    if how == "down":
        row.update(status=ConnectionStatus.DISCONNECTED)
    elif how == "no lease":
        ConnectionLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "never up":
        row.update(last_connected_at=None)
    elif how == "disabled":
        row.update(is_enabled=False)
    sweep()
    assert now_of(sensor) == "online"


def interrupted(broker: MqttConnection, lost: datetime, back: datetime, how: str) -> None:
    """The record of a link that was lost and came back."""
    make_status_change(broker, how, from_status="connected", at=lost)
    if how != "connecting":
        make_status_change(broker, "connecting", from_status=how, at=back - timedelta(seconds=1))
    make_status_change(broker, "connected", from_status="connecting", at=back)
    MqttConnection.objects.filter(pk=broker.pk).update(last_connected_at=back)


@pytest.mark.parametrize(
    ("minutes", "how", "becomes"),
    [(1, "disconnected", "late"), (300, "disconnected", "online"), (1, "connecting", "online")],
)
def test_a_short_interruption_of_the_link_does_not_keep_a_silent_device_alive(
    minutes: int, how: str, becomes: str
) -> None:
    broker = linked()
    now = timezone.now()
    make_status_change(broker, "connected", from_status="connecting", at=now - 9 * DAY)
    for night in (3, 2, 1):
        back = now - night * DAY + 2 * HOUR
        interrupted(broker, back - minutes * MINUTE, back, how)
    interrupted(broker, now - 2 * HOUR - minutes * MINUTE, now - 2 * HOUR, how)
    sensor = make_sensor(make_datalogger(broker))
    learned(sensor, expect(6 * 3600, IntervalSource.LEARNED))
    heard(40 * HOUR)
    sweep()
    assert now_of(sensor) == becomes


def test_many_that_fall_silent_at_once_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch, events: list[Event]) -> None:
    monkeypatch.setattr("mqtt.services.jobs.silence.AT_ONCE", 2)
    box = make_datalogger(linked())
    for _ in range(5):
        make_sensor(box)
    heard(26 * HOUR)
    sweep()
    assert set(SensorState.objects.values_list("availability", flat=True)) == {"late"}
    assert StatusChange.objects.filter(kind="sensor").count() == 5
    assert len(events) == 1
