"""Many topics are written in rounds: a bounded number with each batch, and none of them is lost or counted twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from mqtt.models import DiscoveredTopic
from mqtt.services.pipeline import batch_store, message_processor, reading_store, topic_rows, topic_statistics
from mqtt.services.pipeline.inbox import Inbox
from mqtt.services.pipeline.processor_thread import ProcessorThread
from tests.services.pipeline import Pipeline

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the processor takes for now, in microseconds; three topics at most in one transaction."""
    now = [1_000_000_000_000_000]
    monkeypatch.setattr(message_processor, "_now_us", lambda: now[0])
    monkeypatch.setattr(topic_statistics, "MOST_WRITTEN", 3)
    return now


def counts() -> dict[str, int]:
    return dict(DiscoveredTopic.objects.values_list("topic", "message_count"))


def hear(pipeline: Pipeline, names: str) -> None:
    pipeline.process([pipeline.message(f"a/{name}", "1") for name in names])


def test_of_many_topics_a_few_are_written_with_each_batch(pipeline: Pipeline, clock: list[int]) -> None:
    hear(pipeline, "hgfedcba")
    assert counts() == {"a/a": 1, "a/b": 1, "a/c": 1}
    clock[0] += 1_000_000
    hear(pipeline, "ah")
    assert counts() == {"a/a": 1, "a/b": 1, "a/c": 1, "a/d": 1, "a/e": 1, "a/f": 1}
    clock[0] += 1_000_000
    hear(pipeline, "h")
    assert counts() == {"a/a": 1, "a/b": 1, "a/c": 1, "a/d": 1, "a/e": 1, "a/f": 1, "a/g": 1, "a/h": 3}, (
        "once for three"
    )
    assert pipeline.stored()[-1].created == {"topics": 2}
    clock[0] += 1_000_000
    assert not pipeline.processor.flush(pipeline.tokens), "nothing waits any more"
    assert counts()["a/a"] == 2


def test_the_rest_of_a_round_waits_longer_than_its_part_took_and_a_second_at_most(
    pipeline: Pipeline, clock: list[int]
) -> None:
    hear(pipeline, "abcdefg")
    hear(pipeline, "h")
    assert len(counts()) == 3
    clock[0] += 1_000_000
    hear(pipeline, "h")
    assert len(counts()) == 6
    topics = pipeline.processor._topics
    assert 0 < topics._rest_us <= 1_000_000
    clock[0] += topics._rest_us
    assert pipeline.processor.flush(pipeline.tokens) is True, "the eighth came when the round had begun"
    assert len(counts()) == 7


def test_what_waits_survives_a_batch_that_failed(
    pipeline: Pipeline, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(pipeline, "abcdef")
    clock[0] += 1_000_000
    with monkeypatch.context() as patched:

        def away(*_: object) -> None:
            raise OperationalError("away")

        patched.setattr(batch_store, "insert_readings", away)
        with pytest.raises(OperationalError):
            hear(pipeline, "defx")
        patched.undo()
        patched.setattr(topic_rows, "write", away)
        with pytest.raises(OperationalError):
            hear(pipeline, "defx")
    pipeline.processor.flush(pipeline.tokens, at_once=True)
    assert counts() == dict.fromkeys(("a/a", "a/b", "a/c", "a/d", "a/e", "a/f"), 1)


def test_more_than_may_wait_is_written_without_a_rest(
    pipeline: Pipeline, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_statistics, "MOST_BYTES", 4)
    hear(pipeline, "abcdefgh")
    assert len(counts()) == 3
    hear(pipeline, "a")
    assert len(counts()) == 8, "five payloads of a byte waited: the next ones are twice as many"
    hear(pipeline, "b")
    assert (len(counts()), counts()["a/b"]) == (8, 1)
    monkeypatch.setattr(topic_statistics, "MOST_WAITING", 1)
    clock[0] += 1
    hear(pipeline, "c")
    hear(pipeline, "d")
    assert counts()["a/b"] == counts()["a/c"] == 2
    assert pipeline.processor._topics._bytes == sum(
        len(count.last.payload) for count in pipeline.processor._topics._pending.values()
    )


def test_a_long_payload_waits_only_as_far_as_it_is_kept(pipeline: Pipeline, clock: list[int]) -> None:
    hear(pipeline, "a")
    pipeline.send("a/long", '{"level": 1}' + " " * 9000)
    (count,) = pipeline.processor._topics._pending.values()
    assert (len(count.last.payload), count.last.size) == (4096, 9012)
    pipeline.processor.flush(pipeline.tokens, at_once=True)
    long = DiscoveredTopic.objects.get(topic="a/long")
    assert (len(bytes(long.last_payload)), long.last_size) == (4096, 9012)


def test_what_waits_for_a_connection_that_another_process_holds_is_not_written(
    pipeline: Pipeline, clock: list[int]
) -> None:
    hear(pipeline, "abcdef")
    assert pipeline.processor.flush({}, at_once=True) is False
    assert sorted(counts()) == ["a/a", "a/b", "a/c"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_stops_writes_what_waits(pipeline: Pipeline, clock: list[int]) -> None:
    stored = threading.Event()
    inbox = Inbox()
    thread = ProcessorThread(inbox, pipeline.processor, lambda: pipeline.tokens, _then(stored))
    for name in "abcdefg":
        inbox.put(pipeline.message(f"a/{name}", "1"))
    thread.start()
    assert stored.wait(10)
    thread.stop(10)
    assert counts() == {f"a/{name}": 1 for name in "abcdefg"}


def _then(event: threading.Event) -> Callable[..., Any]:
    return lambda *_: event.set()


def test_a_topic_that_the_database_refuses_holds_up_no_other(
    pipeline: Pipeline, clock: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    insert = reading_store.insert_readings

    def refusing(writes: Any, rows: Any) -> None:
        if 7.0 in rows.values:
            raise DatabaseError("no")
        insert(writes, rows)

    monkeypatch.setattr(batch_store, "insert_readings", refusing)
    pipeline.process([pipeline.message(f"a/{name}", "7" if name == "d" else "1") for name in "gfedcba"])
    pipeline.processor.flush(pipeline.tokens, at_once=True)
    assert counts() == {f"a/{name}": 1 for name in "abcdefg"}
    assert [record.message for record in caplog.records] == ["The database refused a message on topic 'a/d'."]
