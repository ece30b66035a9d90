"""What messages say of who is there, and who comes back."""

import threading

import pytest
from django.db import connection

from mqtt.events import AvailabilityChanged
from mqtt.models import (
    Datalogger,
    DataloggerState,
    DiscoveredTopic,
    Gateway,
    GatewayState,
    Reading,
    SensorDevice,
    SensorState,
    StatusChange,
    from_us,
)
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests.services.pipeline import GATEWAY, Pipeline, structural

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_last_will_takes_the_gateway_and_all_behind_it_offline_and_traffic_brings_it_back(
    pipeline: Pipeline,
) -> None:
    for serial in ("A", "B"):
        pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(serial, crack=1.5))
    pipeline.send("else/where", '{"x": 1}')
    pipeline.events.clear()
    pipeline.send(f"{GATEWAY}/status", '{"serial_number": "GW-2", "status": "offline"}')
    assert GatewayState.objects.get().availability == "offline"
    states = dict(DataloggerState.objects.values_list("datalogger__identifier", "availability"))
    assert states == {"A": "offline", "B": "offline", "where": "online"}
    assert sorted(SensorState.objects.values_list("availability", flat=True)) == ["offline", "offline", "online"]
    (event,) = [event for event in pipeline.events if isinstance(event, AvailabilityChanged)]
    assert (len(event.gateways), len(event.dataloggers), len(event.sensors)) == (1, 2, 2)
    changes = StatusChange.objects.order_by("pk").values_list("kind", "label", "from_status", "to_status", "reason")
    assert changes[0] == ("gateway", "GW-2", "online", "offline", "said")
    assert {change[4] for change in changes[1:]} == {"gateway_offline"}
    assert len(changes) == 5

    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural("A", crack=1.5))
    assert GatewayState.objects.get().availability == "online"
    states = dict(DataloggerState.objects.values_list("datalogger__identifier", "availability"))
    assert states == {"A": "online", "B": "offline", "where": "online"}
    returned = StatusChange.objects.filter(to_status="online").values_list("kind", "label", "from_status")
    assert set(returned) == {
        ("gateway", "GW-2", "offline"),
        ("datalogger", "A", "offline"),
        ("sensor", "crack", "offline"),
    }


def test_every_turn_inside_one_batch_is_recorded(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    pipeline.process(
        [
            pipeline.message("a/box/LWT", "Offline"),
            pipeline.message("a/box/LWT", "Online"),
            pipeline.message("a/box/LWT", "Offline"),
        ]
    )
    turns = list(StatusChange.objects.filter(kind="datalogger").order_by("pk").values_list("to_status", flat=True))
    assert turns == ["offline", "online", "offline"]
    assert DataloggerState.objects.get().availability == "offline"


def test_an_availability_topic_speaks_for_the_devices_below_it_and_invents_none(pipeline: Pipeline) -> None:
    pipeline.send("radio/lamp", '{"level": 1}')
    pipeline.send("radio/bridge/state", '{"state": "offline"}')
    pipeline.send("unheard/of/LWT", "Offline")
    assert DataloggerState.objects.get().availability == "offline"
    assert Datalogger.objects.count() == 1
    assert not Gateway.objects.exists()


def test_a_prefix_takes_all_below_it_down_and_brings_back_what_is_next_to_it(pipeline: Pipeline) -> None:
    for topic in ("s/plug/temperature", "s/plug/box/level", "s/plug/box/0/power", "s/plugged/x"):
        pipeline.send(topic, "1")
    pipeline.send("s/plug/online", "false")
    states = DataloggerState.objects.order_by("datalogger__key").values_list("datalogger__key", "availability")
    assert dict(states) == {
        "s/plug": "offline", "s/plug/box": "offline", "s/plug/box/0": "offline", "s/plugged": "online"
    }  # fmt: skip
    assert SensorState.objects.filter(availability="offline").count() == 3
    pipeline.send("s/plug/online", "true")
    assert dict(states.all()) == {
        "s/plug": "online", "s/plug/box": "online", "s/plug/box/0": "offline", "s/plugged": "online"
    }  # fmt: skip
    assert dict(Datalogger.objects.values_list("key", "identifier"))["s/plug/box/0"] == "box/0"


def test_processes_that_meet_the_same_new_devices_make_them_once(pipeline: Pipeline) -> None:
    batch = [pipeline.message(f"s/box{number}", '{"a": 1, "b": 2, "ts": 1789999000}') for number in range(50)]
    failures: list[Exception] = []

    def run() -> None:
        try:
            MessageProcessor().process(batch, pipeline.tokens)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (Datalogger.objects.count(), SensorDevice.objects.count(), Reading.objects.count()) == (50, 100, 100)
    assert {topic.message_count for topic in DiscoveredTopic.objects.all()} == {4}


def test_presence_is_written_once_a_second(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    first = DataloggerState.objects.get().last_seen_at
    pipeline.send("a/box/level", "2")
    assert DataloggerState.objects.get().last_seen_at == first
    pipeline.wait(seconds=1)
    pipeline.send("a/box/level", "3")
    assert DataloggerState.objects.get().last_seen_at == from_us(pipeline.now_us)


def test_a_device_that_says_with_every_message_that_it_runs_is_heard_with_every_message(pipeline: Pipeline) -> None:
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.5))
    pipeline.wait(seconds=5)
    pipeline.send(f"{GATEWAY}/dataloggers/telemetry", structural(crack=1.6))
    assert DataloggerState.objects.get().last_seen_at == from_us(pipeline.now_us)


def test_a_device_that_another_process_marked_late_returns_with_a_record(pipeline: Pipeline) -> None:
    pipeline.send("a/box/level", "1")
    for model in (DataloggerState, SensorState):
        model.objects.update(availability="late")
    pipeline.wait(minutes=16)
    pipeline.send("a/box/level", "2")
    assert DataloggerState.objects.get().availability == SensorState.objects.get().availability == "online"
    changes = StatusChange.objects.values_list("kind", "from_status", "to_status", "reason")
    assert set(changes) == {("datalogger", "late", "online", "heard"), ("sensor", "late", "online", "heard")}
