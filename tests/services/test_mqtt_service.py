"""The mqtt process as a real process, with a real broker, Valkey and database."""

import os
import signal
import subprocess
import threading
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from mqtt.enums import ConnectionStatus
from mqtt.models import ClockMark, ConnectionLease, MqttConnection, MqttWorker, Reading, StatusChange, TopicSubscription
from mqtt.services import connections, deletion
from tests import servers
from tests.listeners import listening, saying
from tests.servers import PATIENCE, wait_for
from tests.services.mqtt_processes import (
    ACTOR,
    Start,
    create,
    let_leases_run_out,
    values,
    wait_granted,
    wait_status,
)
from tests.services.sessions import publish

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mosquitto,
    pytest.mark.usefixtures("valkey"),
]


@pytest.mark.database
def test_a_connection_is_held_its_messages_stored_and_its_activity_written(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker, "a/#", "b/#")
    start("one")
    wait_status(connection, "connected")
    wait_granted(connection)
    publish(own_broker.port, "a/meter/power", "21.5")
    wait_for(lambda: values() == [21.5], what="the reading")
    connection.refresh_from_db()
    assert connection.last_connected_at
    wait_for(lambda: MqttConnection.objects.filter(activity__readings_total=1).exists(), what="the activity")
    activity = MqttConnection.objects.get().activity
    assert (activity.messages_total, activity.undecoded_total, activity.dropped_total) == (1, 0, 0)
    assert activity.last_message_at


@pytest.mark.database
def test_switching_off_ends_the_broker_session_and_switching_on_starts_anew(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    start("one")
    wait_granted(connection)
    connections.disable_connection(ACTOR, connection)
    wait_status(connection, "disabled")
    lease = ConnectionLease.objects.get()
    assert (lease.session_open, lease.session_filters) == (False, [])
    publish(own_broker.port, "a/meter/power", "1")
    connections.enable_connection(ACTOR, connection)
    wait_status(connection, "connected")
    wait_for(lambda: ConnectionLease.objects.get().session_open, what="the new session")
    wait_granted(connection)
    publish(own_broker.port, "a/meter/power", "2")
    wait_for(lambda: values() == [2], what="the reading")
    changes = StatusChange.objects.order_by("id").values_list("to_status", flat=True)
    assert list(changes)[-3:] == ["disabled", "connecting", "connected"]


def test_switching_off_while_no_process_runs_is_made_good_by_the_next_one(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    first = start("one")
    wait_granted(connection)
    wait_for(lambda: ConnectionLease.objects.get().session_open, what="the session")
    first.kill()
    connections.disable_connection(ACTOR, connection)
    let_leases_run_out()
    publish(own_broker.port, "a/meter/power", "1")
    start("two")
    wait_for(lambda: not ConnectionLease.objects.get().session_open, what="the end of the session")
    wait_status(connection, "disabled")
    connections.enable_connection(ACTOR, connection)
    wait_status(connection, "connected")
    publish(own_broker.port, "a/meter/power", "2")
    wait_for(values, what="a reading")
    assert values() == [2]


def test_changed_filters_and_settings_reconnect_and_resubscribe(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker, "a/#", "b/#")
    start("one")
    wait_granted(connection)
    rows = [TopicSubscription(topic_filter=one) for one in ("a/#", "c/#")]
    connections.update_connection(ACTOR, connection, [], rows)
    wait_for(lambda: ConnectionLease.objects.get().session_filters == ["a/#", "c/#"], what="the new filters")
    wait_granted(connection)
    for topic, value in (("b/m/x", "1"), ("c/m/x", "2"), ("a/m/x", "3")):
        publish(own_broker.port, topic, value)
    wait_for(lambda: len(values()) == 2, what="two readings")
    assert values() == [2, 3]
    connection.keepalive, connection.client_id = 20, "plant-2"
    connections.update_connection(ACTOR, connection, ["keepalive", "client_id"])
    wait_for(lambda: ConnectionLease.objects.get().session_client_id == "plant-2", what="the new client id")
    wait_status(connection, "connected")


def test_a_filter_removed_while_no_process_runs_is_taken_back(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker, "a/#", "b/#")
    first = start("one")
    wait_granted(connection)
    wait_for(lambda: ConnectionLease.objects.get().session_filters == ["a/#", "b/#"], what="the kept filters")
    assert first.stop() == 0
    connections.update_connection(ACTOR, connection, [], [TopicSubscription(topic_filter="a/#")])
    publish(own_broker.port, "b/m/x", "1")
    publish(own_broker.port, "a/m/x", "2")
    start("two")
    wait_for(lambda: ConnectionLease.objects.get().session_filters == ["a/#"], what="the filter taken back")
    publish(own_broker.port, "b/m/x", "3")
    publish(own_broker.port, "a/m/x", "4")
    wait_for(lambda: len(values()) == 2, what="two readings")
    assert values() == [2, 4]


def test_a_broker_that_goes_away_shows_the_next_try_and_is_found_again(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    start("one")
    wait_granted(connection)
    own_broker.stop()
    wait_status(connection, "disconnected")
    wait_for(lambda: MqttConnection.objects.get().retry_count >= 3, what="three tries")
    connection.refresh_from_db()
    assert connection.next_retry_at
    assert connection.status_reason == "refused"
    own_broker.start()
    connections.retry_connection_now(ACTOR, connection)
    wait_status(connection, "connected")


def test_who_is_refused_waits_for_minutes_and_can_be_tried_at_once(start: Start) -> None:
    with listening(saying(b"\x20\x02\x00\x04")) as port:
        connection = create(servers.Server([], port))
        start("one")
        wait_for(lambda: MqttConnection.objects.get().retry_count == 1, what="the first try")
        connection.refresh_from_db()
        assert connection.next_retry_at
        assert connection.next_retry_at > timezone.now() + timedelta(seconds=PATIENCE)
        connections.retry_connection_now(ACTOR, connection)
        wait_for(lambda: MqttConnection.objects.get().retry_count == 2, what="the second try")


@pytest.mark.database
def test_a_killed_process_shows_as_unknown_and_another_takes_over(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker)
    first = start("one")
    wait_granted(connection)
    first.kill()
    publish(own_broker.port, "a/m/x", "1")
    wait_status(connection, ConnectionStatus.UNKNOWN)
    start("two")
    wait_status(connection, "connected")
    wait_for(lambda: values() == [1], what="what was published meanwhile")
    assert ConnectionLease.objects.get().holder.startswith("two ")


@pytest.mark.database
def test_after_a_kill_the_next_process_in_the_same_folder_goes_on_at_once(
    start: Start, own_broker: servers.Server
) -> None:
    create(own_broker)
    start("one").kill()
    dead = ConnectionLease.objects.get().holder
    ConnectionLease.objects.update(expires_at=timezone.now() + timedelta(minutes=1))  # beyond what is waited for below
    start("one")
    wait_for(lambda: ConnectionLease.objects.get().holder not in {"", dead}, 30, what="the next holder")


@pytest.mark.database
def test_two_processes_never_hold_the_same_connection_and_survivors_take_over(
    start: Start, own_broker: servers.Server
) -> None:
    held = [create(own_broker, name=f"Plant {number}", client_id=f"plant-{number}") for number in range(6)]
    one, two = start("one"), start("two")
    for connection in held:
        wait_granted(connection)
    assert ConnectionLease.objects.count() == 6
    one.kill()

    def all_with_two() -> bool:
        return all(lease.holder.startswith("two ") for lease in ConnectionLease.objects.all())

    wait_for(all_with_two, what="the takeover")
    for connection in held:
        wait_status(connection, "connected")
    assert two.stop() == 0


@pytest.mark.database
def test_a_computer_that_starts_in_the_past_goes_on_without_those_who_died_in_the_future(
    start: Start, own_broker: servers.Server
) -> None:
    held = [create(own_broker, name=f"Plant {number}", client_id=f"plant-{number}") for number in range(2)]
    later = timezone.now() + timedelta(days=30)
    for connection in held:
        ConnectionLease.objects.create(connection=connection, holder="dead", token=uuid.uuid4(), expires_at=later)
    MqttWorker.objects.create(holder="dead", started_at=later, expires_at=later)
    ClockMark.objects.create(pk=1, newest_received_at=later)
    start("one")
    for connection in held:
        wait_granted(connection)
        wait_status(connection, "connected")


def test_a_stopped_process_leaves_quickly_and_keeps_the_broker_session(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    first = start("one")
    wait_granted(connection)
    assert first.stop(5) == 0, "later the supervisor would kill it"
    lease = ConnectionLease.objects.get()
    assert (lease.holder, lease.session_open) == ("", True)
    assert not (first.data_dir / "run" / "mqtt.ready").exists()
    publish(own_broker.port, "a/m/x", "1")
    start("two")
    wait_for(lambda: values() == [1], what="what was published meanwhile")


@pytest.mark.database
def test_killing_the_process_under_load_loses_nothing(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker)
    process = start("one")
    wait_granted(connection)
    total = 6000
    lines = "".join(f"{number}\n" for number in range(total)).encode()
    command = ["mosquitto_pub", "-p", str(own_broker.port), "-t", "a/m/x", "-q", "1", "-l"]
    publisher = threading.Thread(target=lambda: subprocess.run(command, input=lines, check=True, timeout=PATIENCE))
    publisher.start()
    wait_for(Reading.objects.exists, what="the first readings")
    process.kill()
    let_leases_run_out()
    publisher.join(PATIENCE)
    start("two")
    wait_for(lambda: Reading.objects.values("value").distinct().count() == total, what="every reading")


@pytest.mark.database
def test_a_paused_process_that_lost_its_lease_writes_nothing_when_it_wakes(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    first = start("one")
    wait_granted(connection)
    assert first.process
    os.kill(first.process.pid, signal.SIGSTOP)
    let_leases_run_out()
    start("two")
    wait_for(lambda: ConnectionLease.objects.get().holder.startswith("two "), what="the takeover")
    wait_status(connection, "connected")
    os.kill(first.process.pid, signal.SIGCONT)
    wait_for(lambda: "Another process took connection" in first.log.read_text(), what="the loss being noticed")
    assert ConnectionLease.objects.get().holder.startswith("two ")
    wait_status(connection, "connected")  # it may have knocked once before it noticed
    publish(own_broker.port, "a/m/x", "1")
    wait_for(lambda: values() == [1], what="one reading")


@pytest.mark.database
def test_deleting_a_connection_ends_its_session(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker)
    start("one")
    wait_granted(connection)
    wait_for(lambda: ConnectionLease.objects.get().session_open, what="the session")
    connections.delete_connection(ACTOR, connection)
    assert not MqttConnection.objects.exists()
    wait_for(lambda: not deletion.leaving().exists(), what="the end of the connection")
    publish(own_broker.port, "a/m/x", "1")
    again = create(own_broker)
    wait_granted(again)
    publish(own_broker.port, "a/m/x", "2")
    wait_for(values, what="a reading")
    assert values() == [2]


def test_a_password_that_cannot_be_read_is_an_error_with_a_remedy(start: Start, own_broker: servers.Server) -> None:
    connection = create(own_broker)
    MqttConnection.objects.filter(pk=connection.pk).update(password_token="not-a-token")
    start("one")
    wait_status(connection, "error")
    connection.refresh_from_db()
    assert connection.status_reason == "secret_unreadable"
    connections.disable_connection(ACTOR, connection)
    wait_status(connection, "disabled")
