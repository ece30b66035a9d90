"""Corrections that people write for a sensor; how they are applied says `mqtt.corrections`."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.corrections import Correction
from mqtt.models.device import SensorDevice
from mqtt.models.reading import to_us


class SensorCorrection(models.Model):
    """One correction: holds from its time on, until the next one of the sensor takes over."""

    sensor = models.ForeignKey(SensorDevice, models.CASCADE, related_name="corrections")
    valid_from = models.DateTimeField(_("valid from"))
    gain = models.FloatField(_("gain"), default=1.0)
    offset = models.FloatField(_("offset"), default=0.0)
    zero = models.FloatField(_("zero reading"), default=0.0)
    reason = models.CharField(_("reason"), max_length=250)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(_("who"), max_length=150)
    """Stays when the account is deleted."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-valid_from"]
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [models.UniqueConstraint(fields=["sensor", "valid_from"], name="one_correction_a_moment")]

    def __str__(self) -> str:
        return f"({self.zero:g}, {self.gain:g}, {self.offset:g})"

    @property
    def rule(self) -> Correction:
        """The correction as it is applied."""
        return Correction(to_us(self.valid_from), self.gain, self.offset, self.zero)
