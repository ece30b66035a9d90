"""Messages to publish, and what became of those that were."""

import base64
import binascii
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mqtt import reasons
from mqtt.api.serializers.base import StrictBoolean, StrictMixin, StrictModelSerializer, StrictText, text_of
from mqtt.enums import CommandState, QoS
from mqtt.models import Command
from mqtt.services.commands import MAX_PAYLOAD
from mqtt.topics import MAX_PUBLISH_LENGTH
from mqtt.validators import validate_topic


class PublishSerializer(StrictMixin, serializers.Serializer):
    """What is to be published; without content it is an empty message, which retained deletes what the broker keeps."""

    topic = StrictText(max_length=MAX_PUBLISH_LENGTH, trim_whitespace=False, validators=[validate_topic])
    payload = StrictText(
        required=False, allow_blank=True, trim_whitespace=False, help_text="Text; it goes out as UTF-8."
    )
    payload_base64 = StrictText(
        required=False, allow_blank=True, help_text="Bytes that are no text, instead of `payload`."
    )
    qos = serializers.ChoiceField(
        choices=QoS.choices,
        default=QoS.AT_LEAST_ONCE,
        error_messages={"invalid_choice": _("QoS is 0 or 1.")},
    )
    retain = StrictBoolean(default=False)

    def validate_payload(self, value: str) -> bytes:
        """As it will be sent."""
        return _bounded(value.encode())

    def validate_payload_base64(self, value: str) -> bytes:
        """As it will be sent."""
        try:
            return _bounded(base64.b64decode(value, validate=True))
        except binascii.Error as error:
            raise serializers.ValidationError(_("This is no base64.")) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One content at most."""
        if {"payload", "payload_base64"} <= attrs.keys():
            raise serializers.ValidationError({"payload_base64": [_("Give payload or payload_base64, not both.")]})
        attrs["payload"] = attrs.pop("payload_base64", attrs.get("payload", b""))
        return attrs


def _bounded(payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        facts = {"size": len(payload), "limit": MAX_PAYLOAD}
        raise serializers.ValidationError(reasons.explain("payload_too_large", facts))
    return payload


class CommandSerializer(StrictModelSerializer):
    """A message that somebody published; `done` says that the broker has it, not that a device acted on it."""

    state = serializers.ChoiceField(source="shown_state", choices=CommandState.choices, read_only=True)
    detail = serializers.CharField(read_only=True, help_text="What became of it, in the request's language.")
    url = serializers.SerializerMethodField(help_text="Where to ask what became of it.")

    class Meta:
        model = Command
        fields: tuple[str, ...] = (
            "id", "connection", "topic", "qos", "retain", "state", "detail", "actor", "requested_at", "finished_at",
            "url",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, command: Command) -> str:
        """Absolute."""
        return str(self.context["request"].build_absolute_uri(f"/api/v1/commands/{command.pk}/"))


class CommandDetailSerializer(CommandSerializer):
    """The same with its content."""

    payload = serializers.SerializerMethodField(help_text="As text; null when it is no UTF-8.")
    payload_base64 = serializers.SerializerMethodField()

    class Meta(CommandSerializer.Meta):
        fields: tuple[str, ...] = (*CommandSerializer.Meta.fields, "payload", "payload_base64")
        read_only_fields = fields

    def get_payload(self, command: Any) -> str | None:
        """The text."""
        return text_of(command.payload)

    def get_payload_base64(self, command: Any) -> str:
        """The bytes."""
        return base64.b64encode(command.payload).decode()
