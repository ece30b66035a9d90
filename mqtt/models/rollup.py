"""Rollups: what a sensor measured in spans of ten seconds up to a day, far fewer rows than readings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.models.device import SensorDevice


class Rollup(models.Model):
    """One bucket of one sensor; see `mqtt.buckets` for the levels.

    Like the readings' table it is made by SQL and clustered by its key: WITHOUT ROWID on SQLite; on PostgreSQL
    the key's index carries all columns, so that a chart reads neighbours and not one page of the table each row.
    """

    pk = models.CompositePrimaryKey("sensor_id", "level", "time")
    sensor = models.ForeignKey(SensorDevice, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    level = models.IntegerField()
    """The bucket's length in seconds."""
    time = models.BigIntegerField()
    """When it begins, in seconds since 1970 UTC: a whole multiple of the level."""
    count = models.IntegerField()
    """Readings with a number; texts are not counted."""
    low = models.FloatField()
    high = models.FloatField()
    mean = models.FloatField()
    first = models.FloatField()
    last = models.FloatField()

    class Meta:
        verbose_name = _("rollup")
        verbose_name_plural = _("rollups")

    def __str__(self) -> str:
        return f"{self.sensor_id}: {self.level} s at {self.time}"


class RollupDue(models.Model):
    """An hour of a sensor whose rollups have to be made again, because something came behind the newest."""

    pk = models.CompositePrimaryKey("sensor_id", "hour")
    sensor = models.ForeignKey(SensorDevice, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    hour = models.BigIntegerField()
    """When it begins, in seconds since 1970 UTC."""

    class Meta:
        verbose_name = _("hour to roll up")
        verbose_name_plural = _("hours to roll up")

    def __str__(self) -> str:
        return f"{self.sensor_id}: {self.hour}"
