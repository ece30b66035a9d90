"""The append-only record of what went up and down; timelines live on it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.enums import NodeKind
from mqtt.models.connection import MqttConnection


class StatusChange(models.Model):
    """One change of a connection's status or a device's availability."""

    kind = models.CharField(max_length=12, choices=NodeKind)
    object_id = models.BigIntegerField()
    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="status_changes")
    label = models.CharField(max_length=250)
    """The object's name at that time."""
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=40, blank=True)
    context = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [models.Index(fields=["kind", "object_id", "-at"], name="status_of_object")]

    def __str__(self) -> str:
        return f"{self.label}: {self.from_status} → {self.to_status}"

    @property
    def reason_detail(self) -> str:
        """Why it changed, in the active language."""
        return reasons.explain(self.reason, self.context)
