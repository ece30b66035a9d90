"""Notes that people write on connections, sites, gateways, dataloggers and sensors."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.enums import NodeKind
from mqtt.models.connection import MqttConnection

LONGEST_NOTE = 4000


class Note(models.Model):
    """What somebody wrote about a thing, dated by the time it is about and not by the time it was written."""

    kind = models.CharField(_("kind"), max_length=12, choices=NodeKind)
    object_id = models.BigIntegerField()
    connection = models.ForeignKey(MqttConnection, models.CASCADE, null=True, related_name="notes")
    """On which the thing hangs; null for a site."""
    at = models.DateTimeField(_("time"))
    text = models.TextField(_("note"), max_length=LONGEST_NOTE)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(_("who"), max_length=150)
    """Stays when the account is deleted."""
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["kind", "object_id", "-at"], name="note_of_object")]

    def __str__(self) -> str:
        return self.text[:80]
