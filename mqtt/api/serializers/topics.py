"""Topics and messages that were not understood."""

import base64
from typing import Any

from rest_framework import serializers

from mqtt.api.serializers.base import text_of
from mqtt.api.serializers.quick import QuickMixin
from mqtt.models import DiscoveredTopic, UndecodedMessage


class TopicSerializer(QuickMixin, serializers.ModelSerializer):
    """A topic that was heard."""

    class Meta:
        model = DiscoveredTopic
        fields: tuple[str, ...] = (
            "id", "connection", "topic", "first_seen_at", "last_seen_at", "message_count", "undecoded_count",
            "last_size", "last_qos", "last_retained", "decoder",
        )  # fmt: skip
        read_only_fields = fields


class TopicDetailSerializer(TopicSerializer):
    """A topic with what was published to it last (at most the first 4 KiB)."""

    last_payload = serializers.SerializerMethodField(help_text="As text; null when it is no UTF-8.")
    last_payload_base64 = serializers.SerializerMethodField()

    class Meta(TopicSerializer.Meta):
        fields: tuple[str, ...] = (*TopicSerializer.Meta.fields, "last_payload", "last_payload_base64")
        read_only_fields = fields

    def get_last_payload(self, topic: Any) -> str | None:
        """The text."""
        return text_of(topic.last_payload)

    def get_last_payload_base64(self, topic: Any) -> str:
        """The bytes."""
        return base64.b64encode(topic.last_payload).decode()


class UndecodedSerializer(QuickMixin, serializers.ModelSerializer):
    """A message that no decoder understood, and why."""

    detail = serializers.CharField(source="reason_detail", read_only=True, help_text="Why, in the request's language.")

    class Meta:
        model = UndecodedMessage
        fields: tuple[str, ...] = (
            "id",
            "connection",
            "topic",
            "size",
            "qos",
            "retained",
            "received_at",
            "reason",
            "detail",
        )
        read_only_fields = fields


class UndecodedDetailSerializer(UndecodedSerializer):
    """The same with its content (at most the first 64 KiB)."""

    payload = serializers.SerializerMethodField(help_text="As text; null when it is no UTF-8.")
    payload_base64 = serializers.SerializerMethodField()

    class Meta(UndecodedSerializer.Meta):
        fields: tuple[str, ...] = (*UndecodedSerializer.Meta.fields, "payload", "payload_base64")
        read_only_fields = fields

    def get_payload(self, message: Any) -> str | None:
        """The text."""
        return text_of(message.payload)

    def get_payload_base64(self, message: Any) -> str:
        """The bytes."""
        return base64.b64encode(message.payload).decode()
