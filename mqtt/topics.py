"""The rules of MQTT topics and filters (MQTT 3.1.1 and 5, section 4.7)."""

MAX_BYTES = 65535
"""An MQTT string carries its length in two bytes."""

MAX_PUBLISH_LENGTH = 1000
"""Characters of a topic that is published to: as many as are kept of a topic that is heard."""

SHARED_PREFIX = "$share/"
STATUS_PREFIX = "vedetta/"
"""Vedetta's own birth and will messages live below; discovery ignores them."""


def own_status_topic(client_id: str) -> str:
    """Where a session announces itself with birth message and last will."""
    return f"{STATUS_PREFIX}{client_id}/status"


def is_own_status(topic: str) -> bool:
    """Whether a topic is some Vedetta's announcement of itself."""
    return topic.startswith(STATUS_PREFIX) and topic.endswith("/status")


def filter_error(topic_filter: str) -> str | None:
    """The reason code (see `reasons`) why a filter is against the rules, or None when it is good."""
    if not topic_filter:
        return "filter_empty"
    if "\0" in topic_filter or len(topic_filter.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return "filter_length"
    levels = _without_share(topic_filter)
    if levels is None:
        return "filter_share"
    for position, level in enumerate(levels):
        if level == "#" and position != len(levels) - 1:
            return "filter_hash_last"
        if ("#" in level or "+" in level) and len(level) > 1:
            return "filter_wildcard_alone"
    return None


def topic_error(topic: str) -> str | None:
    """The reason code why nothing can be published to a topic, or None when it is good."""
    if not topic:
        return "topic_empty"
    if any(sign in topic for sign in "+#"):
        return "topic_wildcard"
    if any(sign < " " or "\x7f" <= sign <= "\x9f" or "\ud800" <= sign <= "\udfff" for sign in topic):
        return "topic_signs"
    if len(topic) > MAX_PUBLISH_LENGTH:
        return "topic_length"
    return "topic_reserved" if topic.startswith(SHARED_PREFIX) or is_own_status(topic) else None


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a published topic is covered by a filter."""
    pattern = _without_share(topic_filter) or []
    levels = topic.split("/")
    if topic.startswith("$") and pattern[:1] in (["#"], ["+"]):
        return False
    for position, level in enumerate(pattern):
        if level == "#":
            return True
        if position >= len(levels) or level not in ("+", levels[position]):
            return False
    return len(pattern) == len(levels)


def overlap(one: str, other: str) -> bool:
    """Whether some topic is covered by both filters; brokers may then deliver it twice."""
    first, second = _without_share(one), _without_share(other)
    if not first or not second:
        return False
    if (first[0] in "#+" and second[0].startswith("$")) or (second[0] in "#+" and first[0].startswith("$")):
        return False
    return _levels_overlap(first, second)


def without_share(topic_filter: str) -> str:
    """What a shared subscription shares; every other filter as it is."""
    levels = _without_share(topic_filter)
    return topic_filter if levels is None else "/".join(levels)


def _levels_overlap(first: list[str], second: list[str]) -> bool:
    for left, right in zip(first, second, strict=False):
        if "#" in (left, right):
            return True
        if left != right and "+" not in (left, right):
            return False
    shorter, longer = sorted((first, second), key=len)
    # `a/#` covers `a` itself, so one extra level overlaps only when it is `#`.
    return len(shorter) == len(longer) or longer[len(shorter) :] == ["#"]


def _without_share(topic_filter: str) -> list[str] | None:
    """The levels of a filter, of a shared subscription those behind its group; None for a malformed group."""
    if not topic_filter.startswith(SHARED_PREFIX):
        return topic_filter.split("/")
    _, group, rest = [*topic_filter.split("/", 2), ""][:3]
    if not group or not rest or set(group) & set("+#"):
        return None
    return rest.split("/")
