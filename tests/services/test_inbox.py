import threading
import time

from mqtt.messages import InboundMessage
from mqtt.services.pipeline.inbox import LARGEST_BATCH, Inbox
from tests.servers import PATIENCE


def message(number: int = 0, qos: int = 1, payload: bytes = b"1") -> InboundMessage:
    return InboundMessage(1, f"a/{number}", payload, qos, retain=False, received_us=number, mid=number)


def test_a_batch_keeps_the_order_of_arrival_and_its_largest_size() -> None:
    inbox = Inbox()
    for number in range(LARGEST_BATCH + 5):
        assert inbox.put(message(number))
    batches = [inbox.collect(), inbox.collect()]
    assert [len(batch) for batch in batches] == [LARGEST_BATCH, 5]
    assert [one.mid for batch in batches for one in batch] == list(range(LARGEST_BATCH + 5))
    assert len(inbox) == 0


def test_a_batch_closes_at_the_first_quiet_moment() -> None:
    inbox = Inbox()
    collected: list[list[InboundMessage]] = []
    thread = threading.Thread(target=lambda: collected.append(inbox.collect()))
    thread.start()
    inbox.put(message(1))
    thread.join(PATIENCE)
    assert [one.mid for one in collected[0]] == [1]


def test_a_steady_stream_is_cut_into_batches() -> None:
    inbox = Inbox()
    stop = threading.Event()

    def publish() -> None:
        while not stop.is_set():
            inbox.put(message())
            time.sleep(0.0005)

    thread = threading.Thread(target=publish)
    thread.start()
    assert inbox.collect()
    assert inbox.collect()
    stop.set()
    thread.join(PATIENCE)


def test_what_came_while_the_last_batch_was_stored_is_taken_as_it_is() -> None:
    inbox = Inbox()
    for number in range(LARGEST_BATCH):
        inbox.put(message(number))
    assert len(inbox.collect(growing=0.0)) == LARGEST_BATCH


def test_qos_0_beyond_the_bound_is_refused_and_qos_1_never_is() -> None:
    inbox = Inbox(max_messages=2)
    assert [inbox.put(message(qos=0)) for _ in range(3)] == [True, True, False]
    assert inbox.put(message(qos=1))
    assert len(inbox.collect()) == 3
    assert inbox.put(message(qos=0))


def test_the_bound_counts_bytes_too() -> None:
    inbox = Inbox(max_bytes=10)
    assert inbox.put(message(qos=0, payload=b"x" * 11))
    assert not inbox.put(message(qos=0))
    inbox.collect()
    assert inbox.put(message(qos=0))


def test_stopping_ends_the_wait_and_leaves_what_was_not_taken() -> None:
    inbox = Inbox()
    collected: list[list[InboundMessage]] = []
    thread = threading.Thread(target=lambda: collected.append(inbox.collect()))
    thread.start()
    inbox.stop()
    thread.join(PATIENCE)
    inbox.put(message())
    assert collected == [[]]
    assert inbox.collect() == []


def test_many_threads_put_and_nothing_is_lost() -> None:
    inbox = Inbox()
    threads = [threading.Thread(target=lambda: [inbox.put(message()) for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    total = 0
    while total < 8000:
        total += len(inbox.collect())
    assert total == 8000
    for thread in threads:
        thread.join()
