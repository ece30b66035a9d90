import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt import topics

LEVEL = st.sampled_from(["a", "b", "", "+"])
FILTERS = st.builds(
    lambda levels, tail: "/".join(levels + tail), st.lists(LEVEL, min_size=1, max_size=4), st.sampled_from([[], ["#"]])
)
TOPICS = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("topic_filter", "code"),
    [
        ("site/+/value", None),
        ("#", None),
        ("$share/group/site/#", None),
        ("", "filter_empty"),
        ("a/#/b", "filter_hash_last"),
        ("a/b#", "filter_wildcard_alone"),
        ("a+/b", "filter_wildcard_alone"),
        ("$share/group", "filter_share"),
        ("$share/gr+up/a", "filter_share"),
        ("a\0b", "filter_length"),
        ("a" * 65536, "filter_length"),
    ],
)
def test_a_filter_is_checked_by_the_rules_of_mqtt(topic_filter: str, code: str | None) -> None:
    assert topics.filter_error(topic_filter) == code


@pytest.mark.parametrize(
    ("topic_filter", "topic", "covered"),
    [
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("$share/g/a/+", "a/b", True),
    ],
)
def test_matching_follows_the_standard(topic_filter: str, topic: str, covered: bool) -> None:
    assert topics.matches(topic_filter, topic) is covered


@given(FILTERS, FILTERS, TOPICS)
def test_filters_that_both_match_a_topic_overlap(one: str, other: str, topic: str) -> None:
    if topics.matches(one, topic) and topics.matches(other, topic):
        assert topics.overlap(one, other)
        assert topics.overlap(other, one)


def test_filters_without_a_common_topic_do_not_overlap() -> None:
    assert not topics.overlap("a/+/c", "a/b/d")
    assert not topics.overlap("a/b", "a/b/c")
    assert not topics.overlap("#", "$SYS/#")


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("hall/lamp/set", None),
        ("/", None),
        ("$aws/things/x/shadow/update", None),
        ("città/è", None),
        ("", "topic_empty"),
        ("a/+/b", "topic_wildcard"),
        ("a/b#", "topic_wildcard"),
        ("a\nb", "topic_signs"),
        ("a\x85b", "topic_signs"),
        ("a\ud800", "topic_signs"),
        ("a" * 1001, "topic_length"),
        ("$share/group/a", "topic_reserved"),
        ("vedetta/id/status", "topic_reserved"),
    ],
)
def test_a_topic_to_publish_to_is_checked_by_the_rules_of_mqtt(topic: str, code: str | None) -> None:
    assert topics.topic_error(topic) == code
