"""How often things speak, as it was learned or said: written rarely, apart from settings and hot state."""

from django.db import models

from mqtt.enums import IntervalSource
from mqtt.models.connection import MqttConnection
from mqtt.models.device import Datalogger, Gateway, SensorDevice
from mqtt.rhythm import Expectation


class Rhythm(models.Model):
    """What follows from the gaps between messages; no row: nothing is known yet."""

    interval = models.FloatField(null=True)
    """Seconds."""
    source = models.CharField(max_length=9, choices=IntervalSource, default=IntervalSource.UNKNOWN)
    late_after = models.FloatField(null=True)
    """Seconds of silence; null: nothing is concluded from it."""
    offline_after = models.FloatField(null=True)
    memory = models.BinaryField(default=b"")
    """The gaps themselves, as `mqtt.gaps.Gaps` packs them."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.pk}: {self.interval} s ({self.source})"

    @property
    def expectation(self) -> Expectation:
        """The row as the rule understands it."""
        return Expectation(self.interval, IntervalSource(self.source), self.late_after, self.offline_after)


class ConnectionRhythm(Rhythm):
    connection = models.OneToOneField(MqttConnection, models.CASCADE, primary_key=True, related_name="rhythm")


class GatewayRhythm(Rhythm):
    gateway = models.OneToOneField(Gateway, models.CASCADE, primary_key=True, related_name="rhythm")


class DataloggerRhythm(Rhythm):
    datalogger = models.OneToOneField(Datalogger, models.CASCADE, primary_key=True, related_name="rhythm")


class SensorRhythm(Rhythm):
    sensor = models.OneToOneField(SensorDevice, models.CASCADE, primary_key=True, related_name="rhythm")
