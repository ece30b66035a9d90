import pytest

from mqtt.events import TailHeard
from mqtt.watching import MOST_WAITING, Watching


def heard(watching: Watching, count: int, **fields: object) -> None:
    messages = [
        {"topic": f"t/{number}", "payload": "<i>", "size": 3, "qos": 0, "retained": False, "at_us": 10**15}
        for number in range(count)
    ]
    watching.take(TailHeard(connection_id=1, tail=watching.group, messages=messages, **fields))  # type: ignore[arg-type]


def test_the_newest_message_stands_on_top_and_hostile_text_is_text() -> None:
    watching = Watching(1, "t/#")
    heard(watching, 3)
    rows, state = watching.frames("en")
    assert rows.index("t/2") < rows.index("t/0")
    assert "&lt;i&gt;" in rows
    assert "Nothing of this is stored." in state
    assert watching.frames("en") == []


def test_a_slow_browser_gets_the_newest_and_a_count() -> None:
    watching = Watching(1, "t/#")
    heard(watching, MOST_WAITING)
    heard(watching, 5, skipped=2)
    rows, state = watching.frames("en")
    assert rows.count("<tr>") == MOST_WAITING
    assert "7 more messages" in state


def test_a_refusal_is_explained_and_other_tails_are_left_alone() -> None:
    watching = Watching(1, "t/#")
    watching.take(TailHeard(connection_id=1, tail="another", messages=[{"topic": "x"}]))
    assert watching.frames("en") == []
    heard(watching, 0, reason="filter_not_authorised")
    (state,) = watching.frames("en")
    assert "may not subscribe" in state


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "x" * 2000, "a\0"])
def test_a_bad_filter_is_refused(topic_filter: str) -> None:
    with pytest.raises(ValueError, match="filter"):
        Watching(1, topic_filter)
