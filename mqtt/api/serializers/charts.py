"""What the chart endpoint answers; written by `mqtt.charts` itself, because thousands of numbers go out at once."""

from rest_framework import serializers


class LineSerializer(serializers.Serializer):
    """One sensor. The lists have one entry for each point; `values` is null where a gap begins."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True, help_text="Of the values as they stand here.")
    is_rate = serializers.BooleanField(help_text="Whether it is a counter, shown as what it counts an hour.")
    step = serializers.IntegerField(help_text="Seconds that a point stands for; 0: every point is one reading.")
    times = serializers.ListField(child=serializers.FloatField(), help_text="Seconds since 1970 UTC.")
    values = serializers.ListField(child=serializers.FloatField(allow_null=True), help_text="Means, or readings.")
    lows = serializers.ListField(child=serializers.FloatField(allow_null=True), allow_null=True)
    highs = serializers.ListField(child=serializers.FloatField(allow_null=True), allow_null=True)
    counts = serializers.ListField(child=serializers.IntegerField())


class MarkSerializer(serializers.Serializer):
    """Something that happened to a sensor, its datalogger or its connection."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["status", "note"])
    status = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)


class ChartSerializer(serializers.Serializer):
    """Several sensors in one window."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    sensors = LineSerializer(many=True)
    marks = MarkSerializer(many=True)
