"""How long history is kept: set for a sensor or its connection, else by how often the sensor speaks."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

FAST_BELOW = 60
"""Seconds between two readings."""
FAST_RAW_DAYS = 90
SLOW_RAW_DAYS = 5 * 365 + 1
ROLLUP_DAYS = 10 * 365 + 2
LONGEST_DAYS = 36525

RETENTION_FIELDS = ("raw_retention_days", "rollup_retention_days")


def retention_days(label: Any) -> models.PositiveIntegerField:
    """A number of days, empty for what is usual."""
    bounds = [MinValueValidator(1), MaxValueValidator(LONGEST_DAYS)]
    return models.PositiveIntegerField(label, null=True, blank=True, validators=bounds)


class Retention(models.Model):
    """Empty: the connection's, else the default."""

    raw_retention_days = retention_days(_("days to keep readings"))
    rollup_retention_days = retention_days(_("days to keep hourly values"))

    class Meta:
        abstract = True


_INTERVAL = Coalesce(F("expected_interval") * 1.0, F("rhythm__interval"), output_field=models.FloatField())
RAW_DAYS = Coalesce(
    F("raw_retention_days"),
    F("connection__raw_retention_days"),
    Case(When(interval_now__lt=FAST_BELOW, then=FAST_RAW_DAYS), default=SLOW_RAW_DAYS),
    output_field=models.IntegerField(),
)
_OWN_ROLLUP_DAYS = Coalesce(F("rollup_retention_days"), F("connection__rollup_retention_days"), ROLLUP_DAYS)


def with_retention(sensors: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Annotate `raw_days` and `rollup_days`. Hours are kept at least as long as the readings: charts need them."""
    rollup_days = Greatest(_OWN_ROLLUP_DAYS, F("raw_days"), output_field=models.IntegerField())
    found: models.QuerySet[Any] = sensors.annotate(interval_now=_INTERVAL, raw_days=RAW_DAYS).annotate(
        rollup_days=rollup_days
    )
    return found
