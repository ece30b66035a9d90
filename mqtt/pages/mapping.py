"""What a mapping makes of messages that are here: the samples, the payload to click on, and the preview."""

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from jmespath.exceptions import JMESPathError

from mqtt.decoders.base import Content
from mqtt.decoders.mapping import MappingDecoder
from mqtt.decoders.memory import Memory
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage
from mqtt.models import DiscoveredTopic, Mapping, UndecodedMessage, to_us
from mqtt.permissions import User, visible_to
from mqtt.presentation.payload_tree import Line, lines_of
from mqtt.reasons import explain
from mqtt.services.announcements import zones
from mqtt.services.mappings import rules_of

MOST_SAMPLES = 20
MOST_READINGS = 50
CANDIDATES = 400
"""Messages that are looked through for those that a pattern covers."""


@dataclass
class Preview:
    """What one sample becomes."""

    message: InboundMessage
    decoded: Decoded | None = None
    why: str = ""

    @property
    def readings(self) -> list[Any]:
        """The first readings."""
        return self.decoded.readings[:MOST_READINGS] if self.decoded else []


@dataclass
class Workbench:
    """All that the form shows beside its fields."""

    previews: list[Preview] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    topic: str = ""

    @property
    def understood(self) -> int:
        """How many samples become readings."""
        return sum(one.decoded is not None for one in self.previews)


def samples(user: User, mapping: Mapping, start: DiscoveredTopic | None) -> list[InboundMessage]:
    """Messages to try a mapping on, newest first: those kept as not understood, and the topic's last payload."""
    decoder = _decoder(mapping)
    kept = visible_to(user, UndecodedMessage.objects.all())
    if mapping.connection_id:
        kept = kept.filter(connection=mapping.connection_id)
    if decoder is None and start:
        kept = kept.filter(topic=start.topic)
    found = [
        _message(row, row.payload, row.received_at)
        for row in kept.order_by("-id")[:CANDIDATES]
        if decoder is None or decoder.knows_topic(row.topic)
    ][:MOST_SAMPLES]
    if start and len(found) < MOST_SAMPLES and start.last_size <= len(start.last_payload):
        last = _message(start, start.last_payload, start.last_seen_at)
        if not any(one.topic == last.topic and one.payload == last.payload for one in found):
            found.append(last)
    return found


def workbench(mapping: Mapping, messages: list[InboundMessage]) -> Workbench:
    """The samples decoded, and the newest one's payload as lines."""
    decoder = _decoder(mapping)
    shown = Workbench(topic=messages[0].topic if messages else "")
    if not messages:
        return shown
    found = zones({one.connection_id for one in messages})
    contents = [Content(one, Memory(found.of(one.connection_id))) for one in messages]
    shown.lines = _lines(decoder, contents[0])
    for content in contents:
        preview = Preview(content.message)
        try:
            preview.decoded = decoder.decode(content) if decoder else None
        except UndecodableError as error:
            preview.why = explain(error.code, error.context)
        shown.previews.append(preview)
    return shown


def _lines(decoder: MappingDecoder | None, content: Content) -> list[Line]:
    """The payload, or the first entry of its list, because paths begin there."""
    try:
        if decoder is None:
            return lines_of(content.document if content.is_structure else content.text)
        items = decoder.items(content)
        return lines_of(items[0] if items else decoder.document(content))
    except (UndecodableError, JMESPathError, RecursionError):
        return []


def _decoder(mapping: Mapping) -> MappingDecoder | None:
    try:
        return MappingDecoder(rules_of(mapping))
    except (JMESPathError, RecursionError):
        return None


def _message(row: Any, payload: Any, at: Any) -> InboundMessage:
    received = to_us(at or timezone.now())
    return InboundMessage(row.connection_id, row.topic, bytes(payload), qos=0, retain=False, received_us=received)
