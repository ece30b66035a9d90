"""Messages that people and programs publish: the row is the request, its claim and its result."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.enums import CommandState, QoS
from mqtt.models.connection import MqttConnection
from mqtt.models.device import KEY_LENGTH

COMMAND_PATIENCE = timedelta(seconds=30)
"""A command that is older is never sent: what was meant for then may do harm later."""


class CommandQuerySet(models.QuerySet["Command"]):
    def with_effective_state(self) -> Self:
        """Annotate `effective_state`: what is overdue has failed or was never confirmed, whoever died on the way."""
        return self.annotate(
            effective_state=Case(
                When(Q(state=CommandState.QUEUED, requested_at__lte=_overdue()), then=Value(CommandState.FAILED)),
                When(
                    Q(state=CommandState.RUNNING, requested_at__lte=_overdue(2)), then=Value(CommandState.UNCONFIRMED)
                ),
                default=F("state"),
                output_field=models.CharField(),
            )
        )


def _overdue(times: int = 1) -> models.Expression:
    return Now() - times * COMMAND_PATIENCE


class Command(models.Model):
    """One message to a broker, claimed by a conditional update, sent once and never again by itself."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="commands")
    topic = models.CharField(_("topic"), max_length=KEY_LENGTH)
    payload = models.BinaryField(default=b"")
    qos = models.PositiveSmallIntegerField(_("QoS"), choices=QoS, default=QoS.AT_LEAST_ONCE)
    retain = models.BooleanField(_("retained"), default=False)
    state = models.CharField(_("state"), max_length=12, choices=CommandState, default=CommandState.QUEUED)
    reason = models.CharField(max_length=40, blank=True)
    context = models.JSONField(default=dict, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(_("who"), max_length=150)
    """The user's name at that time, or the command's."""
    requested_at = models.DateTimeField(_("asked"), auto_now_add=True, db_index=True)
    finished_at = models.DateTimeField(null=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        indexes = [
            models.Index(
                fields=["requested_at"],
                name="open_commands",
                condition=Q(state__in=[CommandState.QUEUED, CommandState.RUNNING]),
            )
        ]

    def __str__(self) -> str:
        return self.topic

    @property
    def shown_state(self) -> str:
        """The effective state where the query brought it, else the stored one."""
        return str(getattr(self, "effective_state", self.state))

    @property
    def detail(self) -> str:
        """What became of it, in the active language."""
        if self.shown_state == self.state:
            return reasons.explain(self.reason, self.context)
        seconds = round(COMMAND_PATIENCE.total_seconds())
        return reasons.explain(OVERDUE[CommandState(self.shown_state)], {"seconds": seconds})


OVERDUE = {CommandState.FAILED: "command_expired", CommandState.UNCONFIRMED: "command_unconfirmed"}
"""Why nobody wrote an end."""
