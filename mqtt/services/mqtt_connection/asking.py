"""What we ask of a broker on one link, each with its answer: filters taken and given back, messages published."""

from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt.services.mqtt_connection.bounded_client import BoundedClient
from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.connection_settings import Filter
from mqtt.services.sessions.link_reasons import Reason

UNANSWERED = ReasonCode(PacketTypes.SUBACK, "Unspecified error")
"""What a filter got that a broker's answer leaves out."""

FILTERS_A_PACKET = 8
"""AWS IoT takes no more in one SUBSCRIBE."""

MOST_AROUND = 10
"""Bytes of a PUBLISH beside topic and payload: head, lengths, packet id, no properties."""


class Asking:
    """Only from the thread that drives the client; the answers come on the same thread."""

    def __init__(
        self,
        client: BoundedClient,
        *,
        is_v5: bool,
        answered: Callable[[str, int | None, Reason | None], None],
        published: Callable[[int, Reason | None], None],
        forgot: Callable[[str], None],
    ) -> None:
        """Calls `answered(filter, granted QoS, reason)`, `published(mark, reason)`, `forgot(filter)`."""
        self._client = client
        self._is_v5 = is_v5
        self._answered = answered
        self._was_published = published
        self._forgot = forgot
        self._asked: dict[int, Sequence[Filter]] = {}
        self._taken_back: dict[int, Sequence[str]] = {}
        self._published: dict[int, int] = {}
        self.largest_packet: int | None = None
        """MQTT 5: bytes; a broker ends the link of whoever sends more."""
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_publish = self._on_publish

    def subscribe(self, filters: Sequence[Filter]) -> None:
        """Ask for filters; each is answered."""
        for start in range(0, len(filters), FILTERS_A_PACKET):
            part = filters[start : start + FILTERS_A_PACKET]
            asked: list[Any] = (
                [(one.topic_filter, SubscribeOptions(qos=one.qos)) for one in part] if self._is_v5 else [*part]
            )
            _, mid = self._client.subscribe(asked)
            if mid is not None:
                self._asked[mid] = part

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Take filters back."""
        for start in range(0, len(filters), FILTERS_A_PACKET):
            part = list(filters[start : start + FILTERS_A_PACKET])
            _, mid = self._client.unsubscribe(part)
            if mid is not None:
                self._taken_back[mid] = part

    def publish(self, mark: int, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Publish; the answer comes under `mark`."""
        size = len(topic.encode()) + len(payload) + MOST_AROUND
        if self.largest_packet is not None and size > self.largest_packet:
            self._was_published(mark, link_reasons.of_size(size, self.largest_packet))
            return
        try:
            sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        except ValueError as error:  # too large for the packet, or a topic that paho does not like
            self._was_published(mark, link_reasons.of_publishing(str(error)))
            return
        self._published[sent.mid] = mark

    def _on_subscribe(self, _client: Any, _: Any, mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        for place, asked in enumerate(self._asked.pop(mid, ())):
            code = codes[place] if place < len(codes) else UNANSWERED
            granted = None if code.is_failure else code.value
            self._answered(asked.topic_filter, granted, link_reasons.of_filter(asked.qos, code.value, str(code)))

    def _on_publish(self, _client: Any, _: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        mark = self._published.pop(mid, None)
        if mark is not None:
            self._was_published(mark, link_reasons.of_puback(code.value, str(code)))

    def _on_unsubscribe(self, _client: Any, _: Any, mid: int, _codes: Any, _properties: Any) -> None:
        for topic_filter in self._taken_back.pop(mid, ()):
            self._forgot(topic_filter)
