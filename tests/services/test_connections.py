import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mqtt.encryption import decrypt
from mqtt.enums import AuditAction, ConnectionStatus, NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import (
    AuditEntry,
    ConnectionLease,
    ConnectionTest,
    Datalogger,
    DataloggerState,
    DiscoveredTopic,
    MqttConnection,
    Reading,
    SensorDevice,
    SensorState,
    StatusChange,
    TopicSubscription,
)
from mqtt.services import connections, deletion
from mqtt.services.audit import Actor
from mqtt.services.connections import Secrets
from tests.certificates import Authority

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ACTOR = Actor.command("test")
NOTHING = Secrets()


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was sent after a commit; the way over Valkey has tests of its own."""
    sent: list[Any] = []
    monkeypatch.setattr(connections, "wake_up", lambda pk: sent.append(("wake", pk)))
    monkeypatch.setattr(connections, "broadcast_status_update", lambda pk, status, changed: sent.append(changed))
    return sent


def made(name: str = "plant", enabled: bool = True, *filters: str) -> MqttConnection:
    connection = MqttConnection(name=name, host="broker.example.org", is_enabled=enabled)
    subscriptions = [TopicSubscription(topic_filter=one) for one in filters or ("#",)]
    return connections.create_connection(ACTOR, connection, subscriptions, NOTHING)


def held(connection: MqttConnection, seconds: int = 9, session_open: bool = True) -> ConnectionLease:
    return ConnectionLease.objects.create(
        connection=connection,
        holder="mqtt-1",
        token=uuid.uuid4(),
        expires_at=timezone.now() + timedelta(seconds=seconds),
        session_open=session_open,
    )


def last_entry() -> AuditEntry:
    entry = AuditEntry.objects.first()
    assert entry
    return entry


def test_a_new_enabled_connection_is_connecting_and_audited_without_its_secrets() -> None:
    connection = MqttConnection(name="plant", host="broker.example.org", username="bob")
    connections.create_connection(
        ACTOR, connection, [TopicSubscription(topic_filter="a/#")], Secrets(password="tr0mbone", client_key="")
    )
    stored = MqttConnection.objects.get()
    assert stored.status == ConnectionStatus.CONNECTING
    assert decrypt(stored.password_token) == "tr0mbone"
    assert stored.client_key_token == ""
    entry = last_entry()
    assert (entry.action, entry.kind, entry.object_id) == (AuditAction.CREATED, NodeKind.CONNECTION, stored.pk)
    assert entry.details["password"] == "changed"
    assert entry.details["filters"] == "a/#"
    assert "tr0mbone" not in str(entry.details)
    assert stored.password_token not in str(entry.details)


def test_overlapping_filters_are_refused_and_nothing_is_stored() -> None:
    with pytest.raises(ServiceError) as refusal:
        made("plant", True, "a/#", "a/b")
    assert refusal.value.code == "filter_overlap"
    assert refusal.value.context == {"other": "a/#"}
    assert not MqttConnection.objects.exists()


def test_a_paused_filter_may_overlap_an_active_one() -> None:
    connection = MqttConnection(name="plant", host="h")
    filters = [TopicSubscription(topic_filter="a/#"), TopicSubscription(topic_filter="a/b", is_active=False)]
    connections.create_connection(ACTOR, connection, filters, NOTHING)
    assert connection.subscriptions.count() == 2


def test_a_name_taken_meanwhile_is_refused_in_words() -> None:
    made("plant")
    with pytest.raises(ServiceError) as refusal:
        made("plant")
    assert refusal.value.code == "name_taken"


def test_an_update_writes_only_changed_fields_and_leaves_the_status_alone(
    django_assert_max_num_queries: Any,
) -> None:
    connection = made()
    stale = MqttConnection.objects.get()
    MqttConnection.objects.update(status=ConnectionStatus.CONNECTED)
    stale.host, stale.port = "other.example.org", 1884
    connections.update_connection(ACTOR, stale, ["host", "port", "name"], None, Secrets(password="new"))
    stored = MqttConnection.objects.get(pk=connection.pk)
    assert (stored.host, stored.port, stored.status) == ("other.example.org", 1884, ConnectionStatus.CONNECTED)
    assert stored.settings_revision == 2
    assert last_entry().details == {
        "host": {"old": "broker.example.org", "new": "other.example.org"},
        "port": {"old": 1883, "new": 1884},
        "password": "changed",
    }


def test_secrets_never_follow_to_another_address_unasked() -> None:
    connection = made()
    connections.update_connection(ACTOR, connection, [], None, Secrets(password="old", client_key="key"))
    connection.host = "evil.example.org"
    for given in (None, Secrets(), Secrets(password="new"), Secrets(client_key="")):
        with pytest.raises(ServiceError) as refusal:
            connections.update_connection(ACTOR, connection, ["host"], None, given)
        assert refusal.value.code == "secrets_for_new_address"
    assert MqttConnection.objects.get().host == "broker.example.org"
    connections.update_connection(ACTOR, connection, ["host"], None, Secrets(password="new", client_key=""))
    assert MqttConnection.objects.get().host == "evil.example.org"


def test_the_audit_names_a_certificate_instead_of_printing_it() -> None:
    connection = made()
    connection.ca_certificate = Authority("Plant CA").certificate
    connections.update_connection(ACTOR, connection, ["ca_certificate"])
    told = last_entry().details["ca_certificate"]
    assert told["old"] == ""
    assert told["new"].startswith("Plant CA, SHA-256 ")
    connection.ca_certificate += "\n# another block of letters"
    connections.update_connection(ACTOR, connection, ["ca_certificate"])
    assert MqttConnection.objects.get().settings_revision == 3, "a change that few words do not show is still a change"


def test_a_new_name_does_not_reconnect_the_session() -> None:
    connection = made()
    connection.name = "works"
    connections.update_connection(ACTOR, connection, ["name"])
    assert MqttConnection.objects.get().settings_revision == 1


def test_an_update_without_a_difference_writes_nothing() -> None:
    connection = made()
    entries = AuditEntry.objects.count()
    subscriptions = [TopicSubscription(topic_filter="#")]
    connections.update_connection(ACTOR, connection, ["name", "host"], subscriptions)
    assert AuditEntry.objects.count() == entries
    assert MqttConnection.objects.get().settings_revision == 1


def test_status_and_tokens_cannot_be_written_through_an_update() -> None:
    connection = made()
    for name in ("status", "password_token", "settings_revision", "retry_count"):
        with pytest.raises(ValueError, match=name):
            connections.update_connection(ACTOR, connection, [name])


def test_new_filters_keep_what_the_broker_granted_to_those_that_stay() -> None:
    connection = made("plant", True, "a/#", "b/#")
    connection.subscriptions.update(granted_qos=1)
    wanted = [
        TopicSubscription(topic_filter="a/#"),
        TopicSubscription(topic_filter="b/#", qos=0),
        TopicSubscription(topic_filter="c/#"),
    ]
    connections.update_connection(ACTOR, connection, [], wanted)
    granted = dict(connection.subscriptions.values_list("topic_filter", "granted_qos"))
    assert granted == {"a/#": 1, "b/#": None, "c/#": None}
    assert connection.settings_revision == 2
    assert last_entry().details == {
        "filter b/#": {"old": "QoS 1", "new": "QoS 0"},
        "filter c/#": {"old": None, "new": "QoS 1"},
    }


def test_enabling_and_disabling_change_the_status_and_its_record() -> None:
    connection = made("plant", False)
    connections.enable_connection(ACTOR, connection)
    assert (connection.is_enabled, connection.status) == (True, ConnectionStatus.CONNECTING)
    connections.disable_connection(ACTOR, connection)
    stored = MqttConnection.objects.get()
    assert (stored.is_enabled, stored.status) == (False, ConnectionStatus.DISABLED)
    assert [(one.from_status, one.to_status) for one in StatusChange.objects.order_by("id")] == [
        ("disabled", "connecting"),
        ("connecting", "disabled"),
    ]
    assert [one.action for one in AuditEntry.objects.order_by("id")] == ["created", "enabled", "disabled"]


def test_a_held_connection_becomes_disabled_only_when_its_holder_says_so() -> None:
    connection = made()
    held(connection)
    connections.disable_connection(ACTOR, connection)
    stored = MqttConnection.objects.get()
    assert (stored.is_enabled, stored.status) == (False, ConnectionStatus.CONNECTING)


def test_enabling_twice_is_one_action() -> None:
    connection = made("plant", False)
    connections.enable_connection(ACTOR, connection)
    connections.enable_connection(ACTOR, MqttConnection.objects.get())
    assert AuditEntry.objects.filter(action="enabled").count() == 1


def test_resubscribe_and_retry_are_refused_for_a_disabled_connection() -> None:
    connection = made("plant", False)
    for action in (connections.resubscribe_connection, connections.retry_connection_now):
        with pytest.raises(ServiceError) as refusal:
            action(ACTOR, connection)
        assert refusal.value.code == "not_enabled"


def test_every_action_wakes_the_mqtt_processes_after_the_commit(
    announced: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        connection = made()
    assert announced == [["created"], ("wake", connection.pk)]
    for action in (
        connections.resubscribe_connection,
        connections.retry_connection_now,
        connections.request_test,
        connections.disable_connection,
        connections.enable_connection,
    ):
        announced.clear()
        with django_capture_on_commit_callbacks(execute=True):
            action(ACTOR, connection)
        assert ("wake", connection.pk) in announced


def test_a_test_under_way_is_not_doubled_and_old_ones_are_pruned() -> None:
    connection = made()
    first = connections.request_test(ACTOR, connection)
    assert connections.request_test(ACTOR, connection).pk == first.pk
    for _ in range(connections.TESTS_KEPT + 5):
        ConnectionTest.objects.update(state="done")
        connections.request_test(ACTOR, connection)
    assert ConnectionTest.objects.count() == connections.TESTS_KEPT


def test_an_action_on_a_deleted_connection_is_refused() -> None:
    connection = made()
    MqttConnection.objects.all().delete()
    with pytest.raises(ServiceError) as refusal:
        connections.enable_connection(ACTOR, connection)
    assert refusal.value.code == "gone"


def test_deleting_takes_everything_with_it_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "READINGS_AT_ONCE", 3)
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 2)
    connection, other = made("plant"), made("other")
    now = timezone.now()
    for owner in (connection, other):
        logger = Datalogger.objects.create(connection=owner, key="d", identifier="d")
        DataloggerState.objects.create(datalogger=logger)
        for name in ("t", "h", "p"):
            sensor = SensorDevice.objects.create(connection=owner, key=f"d#{name}", datalogger=logger, name=name)
            SensorState.objects.create(sensor=sensor)
            Reading.objects.bulk_create(
                Reading(sensor=sensor, time=now - timedelta(seconds=n), digest=n, received_at=now, value=n)
                for n in range(10)
            )
        for n in range(5):
            DiscoveredTopic.objects.create(connection=owner, topic=f"t/{n}", first_seen_at=now, last_seen_at=now)
    connections.delete_connection(ACTOR, connection)
    assert last_entry().action == AuditAction.DELETED
    assert last_entry().label == "plant"
    assert list(MqttConnection.objects.all()) == [other]
    assert Reading.objects.count() == 60, "erased by the mqtt process"
    monkeypatch.setattr(deletion, "LONGEST_TRANSACTION", 0.0)
    left = [Reading.objects.count()]
    while deletion.leaving().exists():
        assert deletion.erase_deleted(0.0) > 0, "each turn gets on, however short"
        left.append(Reading.objects.count())
    assert len(set(left)) > 5, "in slices"
    assert Reading.objects.count() == 30
    assert SensorDevice.objects.count() == 3
    assert DiscoveredTopic.objects.count() == 5


def test_a_deleted_connection_frees_its_name_at_once_and_its_client_id_at_the_end() -> None:
    connection = made("plant")
    held(connection)
    connections.delete_connection(ACTOR, connection)
    made("plant")
    row = MqttConnection(name="other", host="broker.example.org", client_id=connection.client_id)
    with pytest.raises(ServiceError) as refusal:
        connections.create_connection(ACTOR, row, [TopicSubscription(topic_filter="#")], NOTHING)
    assert refusal.value.code == "client_id_leaving"
    with pytest.raises(ServiceError) as gone:
        connections.enable_connection(ACTOR, connection)
    assert gone.value.code == "gone"


def test_erasing_waits_for_the_end_of_the_session_and_the_row_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = made()
    lease, now = held(connection), timezone.now()
    DiscoveredTopic.objects.create(connection=connection, topic="t", first_seen_at=now, last_seen_at=now)
    connections.delete_connection(ACTOR, connection)
    assert deletion.erase_deleted(0.1) == 0, "its holder is still leaving the broker"
    assert DiscoveredTopic.objects.exists(), "and may still store what came before"
    MqttConnection.all_objects.filter(pk=connection.pk).update(deleted_at=now - timedelta(seconds=61))
    assert deletion.erase_deleted(0.1) == 1, "it has had a minute"
    MqttConnection.all_objects.filter(pk=connection.pk).update(deleted_at=now)
    ConnectionLease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    deletion.erase_deleted(0.1)
    assert deletion.leaving().exists(), "somebody must still tell the broker"
    monkeypatch.setattr(deletion, "SESSION_EXPIRY", timedelta(0))
    assert deletion.erase_deleted(0.1) > 0
    assert not deletion.leaving().exists()
