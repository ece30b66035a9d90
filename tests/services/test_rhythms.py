"""What batches teach about rhythms, through the real pipeline, on days that pass in a moment."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from mqtt.enums import IntervalSource
from mqtt.events import Event
from mqtt.models import Datalogger, DataloggerRhythm, Gateway, GatewayRhythm, Reading, SensorDevice, SensorRhythm
from mqtt.rhythm import expect
from mqtt.services.pipeline import availability, message_processor, rhythms
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.factories import make_connection
from tests.services.pipeline import Pipeline, structural

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

HOUR = 3600.0


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    sent: list[Event] = []
    monkeypatch.setattr(message_processor, "broadcast_event", sent.append)
    monkeypatch.setattr(availability, "broadcast_event", sent.append)
    monkeypatch.setattr(rhythms, "WRITE_EVERY", 0.0)
    Reading.objects.all().delete()
    yield Pipeline(sent, make_connection())
    Reading.objects.all().delete()


def speak(pipeline: Pipeline, times: int, every: float, topic: str = "hall/box", **fields: Any) -> None:
    for number in range(times):
        pipeline.wait(seconds=every)
        pipeline.send(topic, f'{{"temperature": {number % 7}}}', **fields)


def of_box(key: str = "hall/box") -> Any:
    box = Datalogger.objects.select_related("rhythm").get(key=key)
    return box.expectation


def test_gateway_datalogger_and_sensor_learn_from_their_own_messages(pipeline: Pipeline) -> None:
    for number in range(25):
        pipeline.wait(seconds=60)
        parts = {"crack": 1.5} if number % 2 else {"crack": 1.5, "tilt": 0.2}
        pipeline.send("bridge/gateway/2/dataloggers/telemetry", structural(**parts))
    for model in (Gateway, Datalogger):
        assert model.objects.select_related("rhythm").get().expectation == expect(60, IntervalSource.LEARNED)
    fast = SensorDevice.objects.select_related("rhythm").get(name="crack").expectation
    slow = SensorDevice.objects.select_related("rhythm").get(name="tilt").expectation
    assert fast.interval == pytest.approx(60, rel=0.01)
    assert slow.source == IntervalSource.UNKNOWN, "twelve gaps are not enough"


def test_nothing_is_concluded_from_nineteen_gaps(pipeline: Pipeline) -> None:
    speak(pipeline, 20, 60)
    assert of_box().source == IntervalSource.UNKNOWN
    speak(pipeline, 2, 60)
    assert of_box().source == IntervalSource.LEARNED


def test_a_rhythm_is_written_when_it_changes_and_not_with_each_message(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    real = rhythms.write_rows
    monkeypatch.setattr(rhythms, "write_rows", lambda *args: (written.append(len(args[2])), real(*args)))
    speak(pipeline, 200, 60)
    assert sum(written) == 2, "once the datalogger, once the sensor"


@pytest.mark.parametrize("how", ["queued", "dup", "retain", "kept_id"])
def test_what_did_not_come_live_teaches_nothing(pipeline: Pipeline, how: str) -> None:
    speak(pipeline, 25, 300)
    speak(pipeline, 30, 2, **{how: 1 if how == "kept_id" else True})
    speak(pipeline, 40, 300)
    assert of_box().interval == pytest.approx(300, rel=0.01)
    assert of_box().late_after == pytest.approx(900, rel=0.01)


def test_readings_that_a_device_kept_and_sends_later_teach_nothing(pipeline: Pipeline) -> None:
    def send(age: float, value: int) -> None:
        at = pipeline.now_us / 1e6 - age
        pipeline.send("hall/box", f'{{"temperature": {value}, "ts": {at}}}')

    for number in range(25):
        pipeline.wait(seconds=300)
        send(1, number)
    pipeline.wait(hours=20)
    for number in range(240, 0, -1):
        pipeline.wait(seconds=2)
        send(number * 300, number)
    for number in range(17):
        pipeline.wait(seconds=300)
        send(1, number)
    assert of_box().interval == pytest.approx(300, rel=0.01)


def test_our_own_absence_is_no_gap(pipeline: Pipeline) -> None:
    speak(pipeline, 25, 60, session=1)
    for session in range(2, 8):  # each day the link is down for five hours
        speak(pipeline, 100, 60, session=session)
        pipeline.wait(hours=19)
    assert of_box().late_after == pytest.approx(180, rel=0.01), "no night was learned from it"
    assert of_box().interval == pytest.approx(60, rel=0.01)


def test_a_gap_far_longer_than_an_interruption_of_the_link_counts(pipeline: Pipeline) -> None:
    speak(pipeline, 1, 1, topic="hall/other", session=1)
    for session in range(1, 26):
        speak(pipeline, 1, 5, topic="hall/slow", session=session)
        speak(pipeline, 60, 60, topic="hall/other", session=session)
    assert of_box("hall/slow").interval == pytest.approx(3605, rel=0.01)


def test_a_restart_goes_on_where_it_was(pipeline: Pipeline) -> None:
    speak(pipeline, 12, 2 * HOUR)
    pipeline.processor = MessageProcessor()
    speak(pipeline, 12, 2 * HOUR)
    assert of_box().interval == pytest.approx(2 * HOUR, rel=0.01)
    assert DataloggerRhythm.objects.count() == SensorRhythm.objects.count() == 1


def test_a_night_is_learned_with_its_days(pipeline: Pipeline) -> None:
    for _ in range(4):
        speak(pipeline, 60, 840)
        pipeline.wait(hours=10)
    box = of_box()
    assert box.interval == pytest.approx(840, rel=0.01)
    assert box.usual_silence == pytest.approx(10 * HOUR + 840, rel=0.02)


def test_the_interval_that_a_device_names_wins_over_the_learned_one(pipeline: Pipeline) -> None:
    def send(seconds: Any) -> None:
        pipeline.wait(seconds=60)
        body = structural(crack=1.5).removesuffix("}") + f', "message_interval_seconds": {seconds}}}'
        pipeline.send("bridge/gateway/2/dataloggers/telemetry", body)

    for _ in range(3):
        send(600)
    gateway = Gateway.objects.select_related("rhythm").get()
    assert gateway.expectation == expect(600, IntervalSource.SAID)
    for _ in range(30):
        send(900)
    assert GatewayRhythm.objects.get().expectation == expect(900, IntervalSource.SAID)
    for _ in range(3):
        send(-5)
    assert GatewayRhythm.objects.get().source == IntervalSource.LEARNED


def test_a_device_deleted_meanwhile_costs_no_reading(pipeline: Pipeline) -> None:
    speak(pipeline, 20, 60)
    Datalogger.objects.all().delete()
    speak(pipeline, 25, 60)
    assert of_box().source == IntervalSource.LEARNED


def test_what_cannot_be_kept_now_is_kept_later(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rhythms.write_rows

    def away(*_args: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(rhythms, "write_rows", away)
    speak(pipeline, 25, 60)
    assert of_box().source == IntervalSource.UNKNOWN
    assert Reading.objects.exists()
    monkeypatch.setattr(rhythms, "write_rows", real)
    pipeline.processor.flush(pipeline.tokens)
    assert of_box().source == IntervalSource.LEARNED


def test_a_clock_that_was_set_back_stops_no_learning(pipeline: Pipeline) -> None:
    speak(pipeline, 30, 60)
    pipeline.now_us -= timedelta(hours=3) // timedelta(microseconds=1)
    speak(pipeline, 30, 600)
    assert of_box().interval == pytest.approx(600, rel=0.01)
