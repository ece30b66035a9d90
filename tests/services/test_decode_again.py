import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from mqtt.models import (
    AuditEntry,
    Datalogger,
    DiscoveredTopic,
    Mapping,
    Reading,
    SensorState,
    UndecodedMessage,
)
from mqtt.services.audit import Actor
from mqtt.services.decode_again import request_again
from mqtt.services.pipeline import kept_messages
from mqtt.services.pipeline.batch_outcome import ProcessedBatch
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.pipeline.kept_messages import KeptMessages
from mqtt.services.pipeline.message_processor import MessageProcessor
from tests import factories

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

CAME_AT = datetime(2026, 9, 21, 10, 0, tzinfo=UTC)


@pytest.fixture
def kept() -> UndecodedMessage:
    """A message that nothing understood, of a topic with two more such."""
    connection = factories.make_connection()
    factories.make_topic(connection, topic="odd/x", undecoded_count=3)
    return factories.make_undecoded(
        connection, topic="odd/x", payload=b"level;1,5", size=9, reason="no_values", received_at=CAME_AT
    )


def add_mapping(**fields: Any) -> None:
    given = {"name": "m", "topic_pattern": "odd/#", "separator": ";", "decimal_comma": True,
             "values": [{"path": "[1]", "name_path": "[0]"}], **fields}  # fmt: skip
    Mapping.objects.create(**given)


def ask(administrator: User) -> int:
    return request_again(Actor.of(administrator, "web"), UndecodedMessage.objects.all())


def run(kept: UndecodedMessage) -> ProcessedBatch:
    """What an mqtt process does with what waits."""
    connection = kept.connection
    token = factories.make_lease(connection, token=uuid.uuid4()).token
    inbox = Inbox()
    KeptMessages(inbox).put_waiting([connection.pk])
    return MessageProcessor().process(inbox.collect(0.1), {connection.pk: token})


def test_a_kept_message_becomes_a_reading_at_the_time_at_which_it_came(
    kept: UndecodedMessage, administrator: User
) -> None:
    add_mapping()
    assert ask(administrator) == 1
    assert ask(administrator) == 0
    processed = run(kept)
    reading = Reading.objects.get()
    assert (reading.time, reading.value) == (CAME_AT, 1.5)
    assert not UndecodedMessage.objects.exists()
    assert DiscoveredTopic.objects.get().undecoded_count == 2
    assert DiscoveredTopic.objects.get().message_count == 1
    assert processed.counts[kept.connection_id].messages == 0
    assert AuditEntry.objects.first().details == {"messages": 1}


def test_an_old_message_says_nothing_of_who_is_there_now(kept: UndecodedMessage, administrator: User) -> None:
    add_mapping()
    ask(administrator)
    run(kept)
    assert not hasattr(Datalogger.objects.get(), "state")
    assert SensorState.objects.get().last_seen_at is None


def test_what_is_still_not_understood_stays_with_its_new_reason(kept: UndecodedMessage, administrator: User) -> None:
    add_mapping(values=[{"path": "[7]", "name": "x"}])
    ask(administrator)
    run(kept)
    again = UndecodedMessage.objects.get()
    assert (again.pk, again.reason, again.read_again) == (kept.pk, "mapping_found_nothing", False)
    assert not Reading.objects.exists()


def test_a_trackers_row_is_kept_until_a_mapping_says_what_to_store(administrator: User) -> None:
    connection = factories.make_connection()
    row = b"490154203237518,A,45.1,9.2,80"
    kept = factories.make_undecoded(connection, topic="odd/x", payload=row, reason="positions_aside")
    ask(administrator)
    run(kept)
    kept.refresh_from_db()
    assert (kept.reason, kept.read_again) == ("positions_aside", False)
    add_mapping(separator=",", values=[{"path": "[4]", "name": "speed"}])
    ask(administrator)
    run(kept)
    assert not UndecodedMessage.objects.exists()
    assert Reading.objects.get().value == 80


def test_asking_twice_and_reading_twice_stores_once(kept: UndecodedMessage, administrator: User) -> None:
    add_mapping()
    ask(administrator)
    inbox = Inbox()
    waiting = KeptMessages(inbox)
    assert waiting.put_waiting([kept.connection_id]) == 1
    assert waiting.put_waiting([kept.connection_id]) == 0
    assert KeptMessages(inbox).put_waiting([kept.connection_id]) == 1
    token = factories.make_lease(kept.connection).token
    MessageProcessor().process(inbox.collect(0.1), {kept.connection_id: token})
    assert Reading.objects.count() == 1


def test_a_full_inbox_waits_for_the_next_round(
    kept: UndecodedMessage, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(administrator)
    monkeypatch.setattr(kept_messages, "AT_ONCE", 0)
    assert KeptMessages(Inbox()).put_waiting([kept.connection_id]) == 0
    assert UndecodedMessage.objects.get().read_again
