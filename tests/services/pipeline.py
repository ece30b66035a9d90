"""A message processor under test: one connection, messages as text, and what it announced."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from mqtt.decoders.base import Content
from mqtt.enums import Availability
from mqtt.events import Event, ReadingsStored
from mqtt.messages import (
    Announcement,
    Decoded,
    DecodedAvailability,
    DecodedFacts,
    DeviceRef,
    InboundMessage,
    Request,
)
from mqtt.models import MqttConnection, to_us
from mqtt.services.pipeline.batch_outcome import ProcessedBatch
from mqtt.services.pipeline.message_processor import MessageProcessor

NOW = datetime(2026, 9, 21, 14, 0, tzinfo=UTC)
GATEWAY = "bridge_3/gateway/2"


class Pipeline:
    """A processor that holds one connection, and what it announced."""

    def __init__(self, events: list[Event], broker: MqttConnection) -> None:
        self.events = events
        self.broker = broker
        self.processor = MessageProcessor()
        self.now_us = to_us(NOW)

    @property
    def tokens(self) -> dict[int, uuid.UUID]:
        return {self.broker.pk: self.broker.lease.token}

    def message(self, topic: str, payload: str | bytes, **fields: Any) -> InboundMessage:
        self.now_us += 1000
        data = payload.encode() if isinstance(payload, str) else payload
        given = {"qos": 1, "retain": False, "received_us": self.now_us, **fields}
        return InboundMessage(self.broker.pk, topic, data, **given)

    def send(self, topic: str, payload: str | bytes, **fields: Any) -> ProcessedBatch:
        return self.process([self.message(topic, payload, **fields)])

    def process(self, batch: list[InboundMessage]) -> ProcessedBatch:
        return self.processor.process(batch, self.tokens)

    def wait(self, **time: float) -> None:
        self.now_us += timedelta(**time) // timedelta(microseconds=1)

    def stored(self) -> list[ReadingsStored]:
        return [event for event in self.events if isinstance(event, ReadingsStored)]


def structural(serial: str = "TM7", status: str = "running", **data: float) -> str:
    entries = ", ".join(f'{{"type": "{name}", "value": {value}}}' for name, value in data.items())
    device = f'{{"type": "tilt", "serial_number_device": "{serial}", "data": [{entries}]}}'
    unit = f'{{"serial_number_datalogger": "all", "status_datalogger": "{status}", "devices": [{device}]}}'
    return f'{{"serial_number_gateway": "GW-2", "dataloggers": [{unit}]}}'


class Announcer:
    """A family whose messages announce a device and ask for something."""

    name = "announcer"

    def knows_topic(self, topic: str) -> bool:
        return topic.startswith("announced/")

    def claims(self, _content: Content) -> bool:
        return True

    def decode(self, content: Content) -> Decoded:
        key = content.topic.rpartition("/")[2]
        gateway, box = DeviceRef("base", "G"), DeviceRef(f"base#{key}", content.text[:20], "base", "G")
        return Decoded(
            self.name,
            availability=[DecodedAvailability(gateway, Availability.ONLINE, is_gateway=True)],
            facts=[DecodedFacts(box, {"model": "M1"}, announces=True)],
            announcements=[Announcement(self.name, key, {"unit": "V"}, ("base/b",))],
            requests=[] if content.memory.get(self.name, key) else [Request("base/ask", b"b")],
        )
