"""How the disk fills: one row an hour, for the forecast."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DiskSample(models.Model):
    """What was measured; bytes."""

    at = models.DateTimeField(primary_key=True)
    used = models.BigIntegerField()
    total = models.BigIntegerField()

    class Meta:
        ordering = ["at"]
        verbose_name = _("disk sample")
        verbose_name_plural = _("disk samples")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.used}"
