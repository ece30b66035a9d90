"""What is remembered of this computer's clock, so that one that was set back is noticed at the next start too."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClockMark(models.Model):
    """One row, with the primary key 1."""

    newest_received_at = models.DateTimeField()
    """No message was received later, by whatever clock."""
    off_seconds = models.FloatField(null=True)
    """By how much most devices' clocks are ahead of this computer's, negative: behind; null: they do not disagree."""
    accepted_off_seconds = models.FloatField(null=True)
    """The disagreement of which an administrator said that the devices are wrong."""

    class Meta:
        verbose_name = _("clock mark")
        verbose_name_plural = _("clock marks")

    def __str__(self) -> str:
        return "Vedetta"  # what the audit calls the console as a whole
