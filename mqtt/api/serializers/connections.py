"""Connections with their subscriptions, and connection tests."""

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mqtt import reasons
from mqtt.api.serializers.base import (
    Moment,
    RetentionField,
    SiteField,
    StrictBoolean,
    StrictInteger,
    StrictMixin,
    StrictModelSerializer,
    StrictText,
)
from mqtt.decoders.registry import BY_NAME
from mqtt.enums import ConnectionStatus, Protocol, QoS, StepState, Transport
from mqtt.models import ConnectionTest, MqttConnection, Site, TopicSubscription
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services import pressure
from mqtt.services.connections import Secrets
from mqtt.services.kept_secrets import address_errors
from mqtt.services.key_pairs import pair_errors
from mqtt.services.subscriptions import MAX_FILTERS, filter_errors
from mqtt.validators import validate_private_key

SECRETS = ("password", "client_key")


class SubscriptionSerializer(StrictMixin, StrictModelSerializer):
    """One filter; what the broker granted is read only."""

    qos = serializers.ChoiceField(
        choices=QoS.choices,
        default=QoS.AT_LEAST_ONCE,
        error_messages={"invalid_choice": _("QoS is 0 or 1. What is published at QoS 2 arrives at QoS 1.")},
    )
    decoder = StrictText(max_length=40, allow_blank=True, default="", help_text="Empty: chosen by content.")
    is_active = StrictBoolean(default=True)
    reason = serializers.CharField(source="reason_detail", read_only=True, help_text="Why the broker refused it.")

    class Meta:
        model = TopicSubscription
        fields = ("id", "topic_filter", "qos", "decoder", "is_active", "granted_qos", "reason")
        read_only_fields = ("id", "granted_qos", "reason")

    def validate_decoder(self, value: str) -> str:
        """One of the registry's names."""
        if value and value not in BY_NAME:
            known = ", ".join(sorted(BY_NAME))
            raise serializers.ValidationError(_("There is no decoder with this name. Known are: %s") % known)
        return value


class SubscriptionListSerializer(serializers.ListSerializer):
    """All filters of one connection: no two for the same topics."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """Put each problem at its filter: {position: {field: [sentences]}}.

        Each filter is written whole, also in a PATCH of its connection: hence a serializer of its own, which
        is not partial.
        """
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        parts = [SubscriptionSerializer(data=one) for one in data[: MAX_FILTERS + 1]]
        problems: dict[str, Any] = {str(at): one.errors for at, one in enumerate(parts) if not one.is_valid()}
        filters = [] if problems else [dict(one.validated_data) for one in parts]
        for at, error in filter_errors([(one["topic_filter"], one["is_active"]) for one in filters]).items():
            problems[str(at)] = {"topic_filter": error.messages}
        if problems:
            raise serializers.ValidationError(problems)
        return filters


class BrokerSerializer(serializers.Serializer):
    """What a broker says of itself under $SYS; counts are since its start, of all its clients."""

    version = serializers.CharField()
    uptime = serializers.CharField(help_text="As the broker writes it.")
    clients = serializers.IntegerField(allow_null=True)
    received = serializers.IntegerField(allow_null=True)
    sent = serializers.IntegerField(allow_null=True)
    stored = serializers.IntegerField(allow_null=True)
    dropped = serializers.IntegerField(allow_null=True, help_text="Lost because a client's queue was full.")
    dropped_lately = serializers.IntegerField(help_text="Of these in the last ten minutes.")


class ConnectionSerializer(StrictMixin, StrictModelSerializer):
    """A connection; `password` and `client_key` are written and never returned."""

    port = StrictInteger(min_value=1, max_value=65535, default=1883)
    keepalive = StrictInteger(min_value=5, max_value=3600, default=30, help_text="Seconds.")
    raw_retention_days = RetentionField(help_text="Null: 5 years, or 90 days for more than one a minute.")
    rollup_retention_days = RetentionField(help_text="Null: 10 years; never less than readings are kept.")
    transport = serializers.ChoiceField(choices=Transport.choices, default=Transport.TCP)
    protocol = serializers.ChoiceField(choices=Protocol.choices, default=Protocol.V311)
    password = StrictText(
        write_only=True, required=False, allow_blank=True, trim_whitespace=False, max_length=1000,
        help_text="Empty clears it; left out, it stays, but only while host, port and transport do.",
    )  # fmt: skip
    client_key = StrictText(
        write_only=True, required=False, allow_blank=True, max_length=20_000,
        help_text="PEM without a passphrase. Empty clears it; left out, it stays, but only while host, port and "
        "transport do.",
    )  # fmt: skip
    site = SiteField(queryset=Site.objects.none(), allow_null=True, required=False)
    site_name = serializers.CharField(source="site.name", default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(source="effective_status", choices=ConnectionStatus.choices, read_only=True)
    status_detail = serializers.SerializerMethodField(help_text="Why, in the language of the request.")
    last_message_at = Moment(source="activity.last_message_at", default=None, allow_null=True, read_only=True)
    message_rate = serializers.FloatField(
        source="activity.message_rate", default=None, allow_null=True, read_only=True, help_text="Messages a second."
    )
    broker = serializers.SerializerMethodField(help_text="What the broker says of itself; null where it does not.")
    id = serializers.IntegerField(read_only=True)
    subscriptions = SubscriptionListSerializer(child=SubscriptionSerializer(), required=False)

    class Meta:
        model = MqttConnection
        writable = (
            "name", "site", "host", "port", "transport", "websocket_path", "protocol", "username", "client_id",
            "keepalive", "tls_verify", "ca_certificate", "client_certificate", "alpn", "reads_statistics", "is_enabled",
            *RETENTION_FIELDS,
        )  # fmt: skip
        read_only_fields = (
            "site_name", "status", "status_detail", "status_changed_at", "last_connected_at",
            "last_message_at", "message_rate", "retry_count", "next_retry_at", "created_at",
            "broker",
        )  # fmt: skip
        fields = ("id", *writable, *SECRETS, *read_only_fields, "subscriptions")

    @extend_schema_field(BrokerSerializer(allow_null=True))
    def get_broker(self, connection: MqttConnection) -> dict[str, Any] | None:
        """As its mqtt process says; null too while nothing is known."""
        found = pressure.of_connection(pressure.read_all(), connection.pk)
        return dict(BrokerSerializer(found.broker).data) if found and found.broker else None

    def get_status_detail(self, connection: Any) -> str:
        """The stored reason speaks of the stored status; nobody vouches for it while the status is unknown."""
        if connection.effective_status == ConnectionStatus.UNKNOWN:
            return reasons.explain("not_held")
        return str(connection.status_detail)

    def validate_client_key(self, value: str) -> str:
        """A PEM key, or empty."""
        if value:
            try:
                validate_private_key(value)
            except ModelError as error:
                raise serializers.ValidationError(error.messages) from error
        return value

    def validate_host(self, value: str) -> str:
        """Without the brackets that URLs put around an IPv6 address."""
        return value.strip("[]")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Stored secrets stay with their address; certificate and key belong together."""
        new = {name: attrs.get(name) for name in SECRETS}
        if isinstance(self.instance, MqttConnection) and (left := address_errors(self.instance, attrs, **new)):
            raise serializers.ValidationError({name: [text] for name, text in left.items()})
        if {"client_certificate", "client_key"} & attrs.keys():
            stored = self.instance if isinstance(self.instance, MqttConnection) else MqttConnection()
            problems = pair_errors(
                attrs.get("client_certificate", stored.client_certificate),
                stored_token=stored.client_key_token,
                new_key=attrs.get("client_key"),
            )
            if problems:
                raise serializers.ValidationError({name: [text] for name, text in problems.items()})
        return attrs

    def take(self) -> tuple[dict[str, Any], list[TopicSubscription] | None, Secrets]:
        """What was written, apart: model fields, filters (None: not named) and secrets."""
        values = dict(self.validated_data)
        secrets = Secrets(**{name: values.pop(name) for name in SECRETS if name in values})
        filters = values.pop("subscriptions", None)
        return values, None if filters is None else [TopicSubscription(**one) for one in filters], secrets


class StepSerializer(serializers.Serializer):
    """One step of a connection test."""

    name = serializers.CharField()
    state = serializers.ChoiceField(choices=StepState.choices)
    reason = serializers.CharField(help_text="A code; empty when all is well.")
    detail = serializers.SerializerMethodField(help_text="What happened and what to do, in the request's language.")
    milliseconds = serializers.IntegerField(allow_null=True)

    def get_detail(self, step: dict[str, Any]) -> str:
        """The sentence of the reason."""
        return reasons.explain(str(step.get("reason") or ""), step.get("context"))

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Steps are stored as JSON; one that has not begun has few keys."""
        empty = {"name": "", "state": StepState.WAITING.value, "reason": "", "milliseconds": None}
        return dict(super().to_representation({**empty, **instance}))


class ConnectionTestSerializer(StrictModelSerializer):
    """A connection test and how far it came."""

    steps = StepSerializer(many=True, read_only=True)
    failed_step = serializers.SerializerMethodField(help_text="The name of the step that failed, or null.")
    detail = serializers.SerializerMethodField(help_text="Why it failed or where it stands.")
    url = serializers.SerializerMethodField(help_text="Where to ask again.")

    class Meta:
        model = ConnectionTest
        fields = (
            "id", "connection", "state", "requested_at", "finished_at", "failed_step", "detail", "steps", "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_failed_step(self, test: ConnectionTest) -> str | None:
        """The first one."""
        return next((str(one.get("name")) for one in test.steps if one.get("state") == StepState.FAILED), None)

    def get_detail(self, test: ConnectionTest) -> str:
        """The sentence of the failed step, else of a test that nobody took up."""
        for step in test.steps:
            if step.get("state") == StepState.FAILED:
                return reasons.explain(str(step.get("reason") or ""), step.get("context"))
        return reasons.explain("test_waits") if test.state == "queued" else ""

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, test: ConnectionTest) -> str:
        """Absolute."""
        return str(self.context["request"].build_absolute_uri(
            f"/api/v1/mqtt/connections/{test.connection_id}/tests/{test.pk}/"
        ))  # fmt: skip
