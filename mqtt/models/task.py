"""Work that a page asks for and an mqtt process does: the row is the request and its result."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.enums import TaskState
from mqtt.models.connection import MqttConnection


class ConnectionTest(models.Model):
    """One walk through DNS, TCP, TLS, CONNECT, SUBSCRIBE and first message, claimed by a conditional update."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="tests")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=TaskState, default=TaskState.QUEUED)
    steps = models.JSONField(default=list)
    """[{name, state, reason, context, milliseconds}] in the order they are walked; `reason` as in `reasons`."""

    class Meta:
        verbose_name = _("connection test")
        verbose_name_plural = _("connection tests")
        ordering = ["-requested_at", "-id"]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.state}"


class PeriodicJob(models.Model):
    """When a periodic job last ran; claimed by a conditional update, so that one process at a time runs it."""

    name = models.CharField(max_length=40, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    amount = models.BigIntegerField(default=0)
    """How much it did: rows deleted, partitions made ..."""
    error = models.CharField(max_length=500, blank=True)
    """Why its last run failed; empty when it went well."""

    class Meta:
        verbose_name = _("periodic job")
        verbose_name_plural = _("periodic jobs")

    def __str__(self) -> str:
        return self.name
