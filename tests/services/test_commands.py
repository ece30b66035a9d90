import subprocess
from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry, Command, MqttConnection
from mqtt.services import commands, connections
from mqtt.services.holding import command_desk
from mqtt.services.jobs import periodic
from mqtt.services.sessions.outbox import Answer, Outbox, Outgoing
from tests import factories, servers
from tests.servers import PATIENCE, wait_for
from tests.services.mqtt_processes import ACTOR, Start, create, status, wait_granted, wait_status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database, pytest.mark.usefixtures("valkey")]

LONG_AGO = timezone.now() - timedelta(minutes=5)


def aged(command: Command) -> Command:
    """As if it had been asked for five minutes ago."""
    Command.objects.filter(pk=command.pk).update(requested_at=LONG_AGO)
    return Command.objects.with_effective_state().get(pk=command.pk)


def ended(command: Command, state: str) -> Command:
    def look() -> bool:
        command.refresh_from_db()
        return command.state == state

    wait_for(look, what=f"the state {state}")
    return command


def listen(broker: servers.Server, topic: str, count: int = 1) -> "subprocess.Popen[str]":
    """A device: prints what is published, after the broker has granted its subscription."""
    words = [
        "stdbuf",
        "-oL",
        "mosquitto_sub",
        "-p",
        str(broker.port),
        "-t",
        topic,
        "-C",
        str(count),
        "-W",
        "100",
        "-d",
        "-F",
        "%r %q %p",
    ]
    device = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert device.stdout
    while "SUBACK" not in device.stdout.readline():
        pass
    return device


def heard(device: "subprocess.Popen[str]") -> list[str]:
    output, _ = device.communicate(timeout=PATIENCE)
    return [line for line in output.splitlines() if not line.startswith(("Client", "Subscribed"))]


def test_a_message_is_stored_as_a_row_and_as_an_act() -> None:
    connection = factories.make_connection()
    command = commands.request_publish(ACTOR, connection, "hall/lamp/set", b"\xff\0on", qos=0, retain=True)
    assert (command.state, bytes(command.payload), command.qos, command.retain) == ("queued", b"\xff\0on", 0, True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.label, entry.details["topic"]) == ("published", connection.name, "hall/lamp/set")


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("", b"", "topic_empty"),
        ("hall/+/set", b"", "topic_wildcard"),
        ("a\0b", b"", "topic_signs"),
        ("t" * 1001, b"", "topic_length"),
        ("vedetta/x/status", b"", "topic_reserved"),
        ("a", b"x" * (commands.MAX_PAYLOAD + 1), "payload_too_large"),
    ],
)
def test_what_cannot_be_published_is_refused(topic: str, payload: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        commands.request_publish(ACTOR, factories.make_connection(), topic, payload)
    assert refused.value.code == code
    assert not Command.objects.exists()


def test_a_disabled_or_deleted_connection_publishes_nothing() -> None:
    connection = factories.make_connection(is_enabled=False)
    with pytest.raises(ServiceError, match="not_enabled"):
        commands.request_publish(ACTOR, connection, "a", b"")
    MqttConnection.objects.filter(pk=connection.pk).delete()
    with pytest.raises(ServiceError, match="gone"):
        commands.request_publish(ACTOR, connection, "a", b"")


def test_a_program_in_a_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MOST_WAITING", 2)
    connection = factories.make_connection()
    for _ in range(2):
        commands.request_publish(ACTOR, connection, "a", b"")
    with pytest.raises(ServiceError, match="too_many_commands"):
        commands.request_publish(ACTOR, connection, "a", b"")
    Command.objects.update(requested_at=LONG_AGO)
    commands.request_publish(ACTOR, connection, "a", b"")


def test_what_nobody_took_up_counts_as_not_sent_and_is_never_sent() -> None:
    command = aged(factories.make_command())
    assert command.shown_state == "failed"
    assert "will not be sent any more" in command.detail
    assert command_desk.hand_out({}) == 0
    command.refresh_from_db()
    assert (command.state, command.reason) == ("failed", "command_expired")


def test_what_nobody_answered_for_is_called_not_confirmed() -> None:
    command = aged(factories.make_command(state="running"))
    assert command.shown_state == "unconfirmed"
    assert "may have arrived" in command.detail
    command_desk.close_overdue()
    command.refresh_from_db()
    assert (command.state, command.reason) == ("unconfirmed", "command_unconfirmed")


def test_old_commands_go_after_a_season() -> None:
    old, new = factories.make_command(), factories.make_command()
    Command.objects.filter(pk=old.pk).update(requested_at=timezone.now() - commands.KEPT - timedelta(days=1))
    periodic.run_due()
    assert list(Command.objects.values_list("pk", flat=True)) == [new.pk]


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_device_hears_what_is_published(start: Start, own_broker: servers.Server, protocol: str) -> None:
    connection = create(own_broker, protocol=protocol)
    start("one")
    wait_granted(connection)
    device = listen(own_broker, "hall/#", 2)
    first = commands.request_publish(ACTOR, connection, "hall/lamp/set", "è on".encode(), qos=1)
    second = commands.request_publish(ACTOR, connection, "hall/lamp/dim", b"", qos=0)
    ended(first, "done"), ended(second, "done")
    assert heard(device) == ["0 0 è on", "0 0 "]
    assert first.finished_at
    if protocol == "5":
        unheard = commands.request_publish(ACTOR, connection, "nobody/listens", b"x")
        assert ended(unheard, "done").reason == "command_unheard"


@pytest.mark.mosquitto
def test_a_retained_message_is_kept_by_the_broker_and_deleted_by_an_empty_one(
    start: Start, own_broker: servers.Server
) -> None:
    connection = create(own_broker)
    start("one")
    wait_granted(connection)
    ended(commands.request_publish(ACTOR, connection, "hall/plan", b"night", retain=True), "done")
    assert heard(listen(own_broker, "hall/plan")) == ["1 0 night"]
    ended(commands.request_publish(ACTOR, connection, "hall/plan", b"", retain=True), "done")
    quiet = subprocess.run(
        ["mosquitto_sub", "-p", str(own_broker.port), "-t", "hall/plan", "-W", "1"], capture_output=True, check=False
    )
    assert quiet.stdout == b""


@pytest.mark.mosquitto
def test_the_brokers_refusal_is_said(start: Start, tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\ntopic write vedetta/#\n")
    with servers.running(servers.mosquitto(tmp_path / "strict", f"acl_file {rules}")) as broker:
        connection = create(broker, protocol="5")
        start("one")
        wait_granted(connection)
        refused = ended(commands.request_publish(ACTOR, connection, "hall/lamp/set", b"on"), "failed")
        assert refused.reason == "command_not_authorised"


@pytest.mark.mosquitto
def test_what_the_broker_takes_no_packet_of_is_not_sent_and_costs_no_link(start: Start, tmp_path: Path) -> None:
    with servers.running(servers.mosquitto(tmp_path / "narrow", "max_packet_size 1000")) as broker:
        connection = create(broker, protocol="5")
        start("one")
        wait_granted(connection)
        fits = commands.request_publish(ACTOR, connection, "hall/plan", b"x" * 981)
        refused = ended(commands.request_publish(ACTOR, connection, "hall/plan", b"x" * 982), "failed")
        assert (refused.reason, refused.context) == ("command_packet_too_large", {"size": 1001, "limit": 1000})
        ended(fits, "done")
        assert status(connection) == "connected"


@pytest.mark.mosquitto
def test_without_a_link_it_waits_and_is_sent_when_the_link_comes_in_time(
    start: Start, own_broker: servers.Server
) -> None:
    own_broker.stop()
    connection = create(own_broker)
    start("one")
    wait_status(connection, "disconnected")
    command = commands.request_publish(ACTOR, connection, "hall/lamp/set", b"on")
    own_broker.start()
    connections.retry_connection_now(ACTOR, connection)
    ended(command, "done")


class NoLink:
    """A link on which a message is lost: its answer never comes."""

    is_up = True

    def __init__(self) -> None:
        self.published: list[int] = []

    def publish(self, mark: int, *_: Any, **__: Any) -> None:
        self.published.append(mark)


def test_a_link_that_ends_leaves_the_unanswered_in_doubt_and_the_unsent_unsent() -> None:
    answers: deque[Answer] = deque()
    outbox, link = Outbox(answers, lambda: None), NoLink()
    outbox.put(Outgoing(1, "a", b"", 1, False))
    outbox.send(link)  # type: ignore[arg-type]
    outbox.put(Outgoing(2, "a", b"", 1, False))
    outbox.put(Outgoing(3, "a", b"", 1, False, taken_at=0.0))
    outbox.link_ended()
    assert link.published == [1]
    assert [(one.command_id, str(one.state)) for one in answers] == [(1, "unconfirmed"), (2, "failed"), (3, "failed")]
    outbox.answered(1, None)  # too late
    outbox.close()
    outbox.put(Outgoing(4, "a", b"", 1, False))
    assert [one.command_id for one in answers] == [1, 2, 3, 4]


def test_a_message_that_waited_too_long_for_its_link_is_not_sent() -> None:
    answers: deque[Any] = deque()
    outbox, link = Outbox(answers, lambda: None), NoLink()
    outbox.put(Outgoing(1, "a", b"", 1, False, taken_at=-100.0))
    outbox.send(link)  # type: ignore[arg-type]
    assert link.published == []
    assert answers[0].reason.code == "command_link_down"
