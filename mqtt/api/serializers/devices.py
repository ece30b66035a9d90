"""Gateways, dataloggers, sensors and their readings: what was heard, read only."""

from typing import Any

from rest_framework import serializers

from mqtt.api.serializers.base import CurrentValueField
from mqtt.enums import Availability, ReadingFlag
from mqtt.models import Datalogger, Gateway, SensorDevice
from mqtt.services.history import HistoryRow


class _DeviceSerializer(serializers.ModelSerializer):
    """What every device has."""

    availability = serializers.ChoiceField(
        source="effective_availability", choices=Availability.choices, read_only=True
    )
    last_seen_at = serializers.DateTimeField(source="state.last_seen_at", default=None, allow_null=True, read_only=True)


class GatewayRefSerializer(serializers.ModelSerializer):
    """A gateway named from below."""

    class Meta:
        model = Gateway
        fields = ("id", "identifier", "label")
        read_only_fields = fields


class DataloggerRefSerializer(serializers.ModelSerializer):
    """A datalogger named from below; `gateway` is the gateway's id or null."""

    class Meta:
        model = Datalogger
        fields = ("id", "identifier", "label", "gateway")
        read_only_fields = fields


NODE_FIELDS = (
    "id", "identifier", "label", "key", "connection", "site", "model", "firmware", "facts", "availability",
    "last_seen_at", "created_at", "accepted_at",
)  # fmt: skip


class GatewaySerializer(_DeviceSerializer):
    """A gateway."""

    facts = serializers.DictField(read_only=True, help_text="What else it says about itself.")

    class Meta:
        model = Gateway
        fields = NODE_FIELDS
        read_only_fields = fields


class DataloggerSerializer(_DeviceSerializer):
    """A datalogger, perhaps behind a gateway."""

    facts = serializers.DictField(read_only=True, help_text="What else it says about itself.")
    gateway = GatewayRefSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Datalogger
        fields = (*NODE_FIELDS, "gateway")
        read_only_fields = fields


class SensorSerializer(_DeviceSerializer):
    """A sensor with its current value; the value is a number, or a text for sensors that say words."""

    last_value = CurrentValueField(source="state", default=None)
    last_reading_at = serializers.DateTimeField(source="state.time", default=None, allow_null=True, read_only=True)
    datalogger = DataloggerRefSerializer(read_only=True)

    class Meta:
        model = SensorDevice
        fields = (
            "id", "name", "label", "key", "unit", "kind", "last_value", "last_reading_at", "last_seen_at",
            "availability", "connection", "datalogger", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ReadingSerializer(serializers.Serializer):
    """One raw reading; exactly one of value and text is not null."""

    sensor = serializers.IntegerField(source="sensor_id")
    time = serializers.DateTimeField(help_text="UTC; the device's own time where it is sane.")
    received_at = serializers.DateTimeField()
    value = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    own_time = serializers.SerializerMethodField(help_text="Whether the time is the device's own.")
    uncertain = serializers.SerializerMethodField(help_text="It waited in the broker and carries no time of its own.")

    def get_own_time(self, row: HistoryRow) -> bool:
        """From the flags."""
        return bool(row.flags & ReadingFlag.OWN_TIME)

    def get_uncertain(self, row: HistoryRow) -> bool:
        """From the flags."""
        return bool(row.flags & ReadingFlag.UNCERTAIN)


class ReadingsSerializer(serializers.Serializer):
    """A page of readings, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The page behind this one; null at the end.")
    results = ReadingSerializer(many=True)


class HealthSerializer(serializers.Serializer):
    """Up or down."""

    status: Any = serializers.ChoiceField(choices=["up", "down"])
