"""Work that a page asks for and an mqtt process does: the row is the request and its result."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.enums import DeviceWork, NodeKind, TaskState
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


class DeviceTask(models.Model):
    """Readings of a merged or deleted device that are moved or erased in the background, and how far that is.

    What is left to do stands in the readings themselves: a task that was interrupted goes on where it stopped.
    """

    work = models.CharField(max_length=8, choices=DeviceWork)
    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="device_tasks")
    kind = models.CharField(max_length=12, choices=NodeKind)
    object_id = models.BigIntegerField()
    """The device that stays; of a deletion the one that is gone."""
    label = models.CharField(max_length=250)
    """What the device that goes was called."""
    sensors = models.JSONField(default=list)
    """[[from, to], …] of a merge, [id, …] of a deletion."""
    state = models.CharField(max_length=8, choices=TaskState, default=TaskState.QUEUED)
    total = models.BigIntegerField(default=0)
    """Readings; counted when it begins."""
    done = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("work on a device")
        verbose_name_plural = _("work on devices")
        ordering = ["id"]
        indexes = [models.Index(fields=["kind", "object_id"], name="task_of_device")]

    def __str__(self) -> str:
        return f"{self.work} {self.label}: {self.done}/{self.total}"


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
