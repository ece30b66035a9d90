"""The page of one topic: its last payload, and what that becomes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mqtt.decoders.registry import decode
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage
from mqtt.models import DiscoveredTopic, TopicSubscription, UndecodedMessage, to_us
from mqtt.pages.base import Part, Shown, register
from mqtt.pages.object_page import ObjectPage
from mqtt.presentation import device_facts, formats
from mqtt.presentation.payloads import marked_lines, views_of
from mqtt.reasons import explain
from mqtt.services.announcements import load_memory
from mqtt.topics import matches

SHOWN_READINGS = 100
NEWEST = 5


def payload(shown: Shown) -> dict[str, Any]:
    """The last payload in the asked view."""
    topic = shown.object
    content = bytes(topic.last_payload)
    view, text, views = views_of(content, shown.params.get("view", ""))
    before = views_of(bytes(topic.previous_payload), view)
    lines = marked_lines(text, before[1] if topic.previous_payload and before[0] == view == "pretty" else "")
    return {
        "topic": topic,
        "view": view,
        "views": views,
        "text": text,
        "lines": lines if any(is_new for _line, is_new in lines) else [],
        "size": topic.last_size,
        "stored": len(content),
        "at": topic.last_seen_at,
    }


def becomes(shown: Shown) -> dict[str, Any]:
    """The readings in the last payload, or why there are none."""
    topic = shown.object
    content = bytes(topic.last_payload)
    if topic.last_size > len(content):
        return {"topic": topic, "is_cut": True}
    decoded, why = decode_last(topic, content)
    readings = decoded.readings if decoded else []
    return {
        "topic": topic,
        "decoded": decoded,
        "why": why,
        "facts": [line for said in decoded.facts for line in device_facts.every(said.facts)] if decoded else [],
        "readings": readings[:SHOWN_READINGS],
        "more": max(0, len(readings) - SHOWN_READINGS),
        "undecoded": _undecoded(topic),
    }


def counts(shown: Shown) -> dict[str, Any]:
    """How often it comes."""
    return {"topic": shown.object, "every": mean_interval(shown.object)}


def mean_interval(topic: DiscoveredTopic) -> str:
    """The mean time between two messages since the topic was first heard; empty after a single one."""
    if topic.message_count < 2:
        return ""
    span = (topic.last_seen_at - topic.first_seen_at) / (topic.message_count - 1)
    return formats.age(span) if span >= timedelta(seconds=1) else ""


def decode_last(topic: DiscoveredTopic, content: bytes) -> tuple[Decoded | None, str]:
    """What the last payload means, decoded as its connection would; else the sentence that says why not."""
    message = InboundMessage(
        connection_id=topic.connection_id,
        topic=topic.topic,
        payload=content,
        qos=topic.last_qos,
        retain=topic.last_retained,
        received_us=to_us(timezone.now()),
    )
    try:
        return decode(message, load_memory(topic.connection_id), _chosen(topic)), ""
    except UndecodableError as error:
        return None, explain(error.code, error.context)


def _chosen(topic: DiscoveredTopic) -> str:
    """The decoder that a person picked for the filter under which the topic is heard."""
    picked = TopicSubscription.objects.filter(connection_id=topic.connection_id, is_active=True).exclude(decoder="")
    return next((one.decoder for one in picked if matches(one.topic_filter, topic.topic)), "")


def _undecoded(topic: DiscoveredTopic) -> Any:
    if not topic.undecoded_count:
        return []
    found = UndecodedMessage.objects.filter(connection_id=topic.connection_id, topic=topic.topic)
    return found.defer("payload")[:NEWEST]


TOPIC = register(
    ObjectPage(
        name="topics",
        kind="topic",
        parts=(
            Part("counts", "mqtt/parts/_topic_counts.html", counts, element="p"),
            Part("payload", "mqtt/parts/_payload.html", payload),
            Part("becomes", "mqtt/parts/_becomes.html", becomes),
        ),
    )
)
