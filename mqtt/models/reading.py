"""The history: one narrow row a reading, clustered by sensor and time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from mqtt.models.device import SensorDevice

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def from_us(moment: int) -> datetime:
    """The UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=moment)


class InstantField(models.DateTimeField):
    """A UTC instant: `timestamptz` on PostgreSQL, whole microseconds on SQLite.

    SQLite keeps datetimes as text of 26 characters; in the largest table an integer takes a third of the
    room, sorts and compares faster and costs no parsing.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "bigint" if connection.vendor == "sqlite" else "timestamp with time zone"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if connection.vendor == "sqlite" and isinstance(value, datetime):
            return to_us(value)
        return super().get_db_prep_value(value, connection, prepared)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        if connection.vendor == "sqlite":
            return [_from_integer]
        return super().get_db_converters(connection)

    def get_internal_type(self) -> str:
        return "InstantField"  # keeps Django's own datetime converters of SQLite away


def _from_integer(value: int | None, *_args: Any) -> datetime | None:
    return None if value is None else from_us(value)


class Reading(models.Model):
    """One value of one sensor at one instant; the same value at the same instant is one reading.

    The table itself is made by SQL in the first migration: partitioned by day on PostgreSQL, WITHOUT ROWID
    on SQLite. The sensor is no database constraint: history is written in bulk and deleted in bulk.
    """

    pk = models.CompositePrimaryKey("sensor_id", "time", "digest")
    sensor = models.ForeignKey(
        SensorDevice, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="readings"
    )
    time = InstantField(_("time"))
    digest = models.BigIntegerField()
    """The 64 bits of the number, or a hash of the text: tells two values at one instant apart."""
    received_at = InstantField()
    value = models.FloatField(_("value"), null=True)
    text = models.TextField(_("text"), null=True)  # noqa: DJ001 - null says "a number", an empty text is a reading
    flags = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.text if self.value is None else self.value}"
