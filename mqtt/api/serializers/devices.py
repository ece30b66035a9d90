"""Gateways, dataloggers, sensors and their readings: what was heard, and the little that people write."""

from typing import Any

from rest_framework import serializers

from mqtt.api.serializers.base import (
    CurrentValueField,
    RetentionField,
    SiteField,
    StrictInteger,
    StrictMixin,
    StrictModelSerializer,
)
from mqtt.api.serializers.quick import QuickMixin, moment_text
from mqtt.corrections import NONE, Corrections
from mqtt.enums import Availability, IntervalSource, ReadingFlag
from mqtt.models import Datalogger, Gateway, SensorDevice, Site, to_us
from mqtt.models.device import LONGEST_INTERVAL, MOST_DECIMALS
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services.history import HistoryRow


class ExpectedIntervalField(StrictInteger):
    """Reads as the interval that is expected now, whoever says so; writes the one set by hand, in whole seconds.

    What is learned may be less than a second: as validators of the field the bounds would stand in the schema for both.
    """

    def to_internal_value(self, data: Any) -> int:
        """The seconds. Raises ValidationError."""
        seconds: int = super().to_internal_value(data)
        if seconds < 1:
            self.fail("min_value", min_value=1)
        if seconds > LONGEST_INTERVAL:
            self.fail("max_value", max_value=LONGEST_INTERVAL)
        return seconds

    def get_attribute(self, instance: Any) -> Any:
        """The device: what is expected of it does not stand in one of its fields."""
        return instance

    def to_representation(self, value: Any) -> Any:
        """`value` is the device, with its rhythm loaded."""
        return value.expectation.interval


class _DeviceSerializer(QuickMixin, StrictMixin, StrictModelSerializer):
    """What every device has."""

    availability = serializers.ChoiceField(
        source="effective_availability", choices=Availability.choices, read_only=True
    )
    last_seen_at = serializers.DateTimeField(source="state.last_seen_at", default=None, allow_null=True, read_only=True)
    expected_interval_seconds = ExpectedIntervalField(
        source="expected_interval",
        required=False,
        allow_null=True,
        help_text="Set by hand when written; null: learned, or said.",
    )
    interval_source = serializers.ChoiceField(
        source="expectation.source", choices=IntervalSource.choices, read_only=True
    )


class GatewayRefSerializer(QuickMixin, serializers.ModelSerializer):
    """A gateway named from below."""

    class Meta:
        model = Gateway
        fields = ("id", "identifier", "label")
        read_only_fields = fields


class DataloggerRefSerializer(QuickMixin, serializers.ModelSerializer):
    """A datalogger named from below; `gateway` is the gateway's id or null."""

    class Meta:
        model = Datalogger
        fields = ("id", "identifier", "label", "gateway")
        read_only_fields = fields


NODE_FIELDS = (
    "id", "identifier", "label", "key", "connection", "site", "model", "firmware", "facts", "availability",
    "last_seen_at", "expected_interval_seconds", "interval_source", "created_at", "accepted_at",
)  # fmt: skip
WRITTEN = {"label", "site", "unit", "kind", "decimals", "expected_interval_seconds", *RETENTION_FIELDS}
"""What people write."""


class GatewaySerializer(_DeviceSerializer):
    """A gateway."""

    facts = serializers.DictField(read_only=True, help_text="What else it says about itself.")
    site = SiteField(queryset=Site.objects.none(), allow_null=True, required=False)

    class Meta:
        model = Gateway
        fields = NODE_FIELDS
        read_only_fields = tuple(name for name in fields if name not in WRITTEN)


class DataloggerSerializer(_DeviceSerializer):
    """A datalogger, perhaps behind a gateway."""

    facts = serializers.DictField(read_only=True, help_text="What else it says about itself.")
    site = SiteField(queryset=Site.objects.none(), allow_null=True, required=False)
    gateway = GatewayRefSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Datalogger
        fields = (*NODE_FIELDS, "gateway")
        read_only_fields = tuple(name for name in fields if name not in WRITTEN)


class SensorSerializer(_DeviceSerializer):
    """A sensor with its current value; the value is a number, or a text for sensors that say words."""

    last_value = CurrentValueField(help_text="Corrected, where somebody wrote a correction.")
    raw_retention_days = RetentionField(help_text="Null: as the connection says.")
    rollup_retention_days = RetentionField(help_text="Null: as the connection says.")
    decimals = StrictInteger(min_value=0, max_value=MOST_DECIMALS, allow_null=True, required=False)
    raw_value = serializers.FloatField(
        source="state.value", default=None, allow_null=True, read_only=True, help_text="As the device said it."
    )
    last_reading_at = serializers.DateTimeField(source="state.time", default=None, allow_null=True, read_only=True)
    datalogger = DataloggerRefSerializer(read_only=True)

    class Meta:
        model = SensorDevice
        fields = (
            "id", "name", "label", "key", "unit", "kind", "decimals", "last_value", "raw_value", "last_reading_at",
            "last_seen_at", "availability", "expected_interval_seconds", "interval_source",
            *RETENTION_FIELDS, "connection", "datalogger", "created_at",
        )  # fmt: skip
        read_only_fields = tuple(name for name in fields if name not in WRITTEN)


class ReadingSerializer(serializers.Serializer):
    """One raw reading; exactly one of value and text is not null."""

    sensor = serializers.IntegerField(source="sensor_id")
    time = serializers.DateTimeField(help_text="UTC; the device's own time where it is sane.")
    received_at = serializers.DateTimeField()
    value = serializers.SerializerMethodField(
        "corrected_value", help_text="Corrected, where somebody wrote a correction."
    )
    raw_value = serializers.FloatField(source="value", allow_null=True, help_text="As the device said it.")
    text = serializers.CharField(allow_null=True)
    own_time = serializers.SerializerMethodField(help_text="Whether the time is the device's own.")
    uncertain = serializers.SerializerMethodField(help_text="It waited in the broker and carries no time of its own.")

    def to_representation(self, instance: HistoryRow) -> dict[str, Any]:
        """By hand, because a page has a thousand of them."""
        return {
            "sensor": instance.sensor_id,
            "time": moment_text(instance.time),
            "received_at": moment_text(instance.received_at),
            "value": self.corrected_value(instance),
            "raw_value": instance.value,
            "text": instance.text,
            "own_time": self.get_own_time(instance),
            "uncertain": self.get_uncertain(instance),
        }

    def corrected_value(self, row: HistoryRow) -> float | None:
        """Through the sensor's corrections: {sensor: Corrections} in the context."""
        rules: Corrections = self.context["corrections"].get(row.sensor_id, NONE)
        return None if row.value is None else rules.apply(to_us(row.time), row.value)

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


class BucketSerializer(serializers.Serializer):
    """What a sensor measured in one span of time, corrected where somebody wrote a correction."""

    sensor = serializers.IntegerField()
    time = serializers.DateTimeField(help_text="When the span begins.")
    min = serializers.FloatField()
    max = serializers.FloatField()
    mean = serializers.FloatField()
    first = serializers.FloatField()
    last = serializers.FloatField()
    count = serializers.IntegerField(help_text="Readings with a number; texts are not counted.")


class BucketsSerializer(serializers.Serializer):
    """A page of spans, newest first; where nothing was measured there is none."""

    next = serializers.URLField(allow_null=True, help_text="The page behind this one; null at the end.")
    results = BucketSerializer(many=True)


class HealthSerializer(serializers.Serializer):
    """Up or down."""

    status: Any = serializers.ChoiceField(choices=["up", "down"])
