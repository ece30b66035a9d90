"""Work that a page asks for and an mqtt process does: the row is the request and its result."""

from django.conf import settings
from django.db import models

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
        ordering = ["-requested_at", "-id"]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.state}"
