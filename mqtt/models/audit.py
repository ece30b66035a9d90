"""Who did what, written by services."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.enums import NodeKind


class AuditEntry(models.Model):
    """One action of a person or token; append-only."""

    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(_("who"), max_length=150)
    """The user's name at that time, or the command's."""
    via = models.CharField(_("by way of"), max_length=12)
    """web, admin, api or command."""
    action = models.CharField(_("action"), max_length=40)
    kind = models.CharField(_("kind"), max_length=12, choices=NodeKind)
    object_id = models.BigIntegerField(null=True)
    label = models.CharField(_("object"), max_length=250)
    details = models.JSONField(_("details"), default=dict, blank=True)
    """Changed fields with old and new value; secrets only as "changed"."""

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.label}"
