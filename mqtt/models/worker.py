"""What the mqtt processes leave for each other: who is there, and which packets of a session are stored."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.models.connection import MqttConnection


class MqttWorker(models.Model):
    """One running mqtt process; with as many as live, each takes its share of the connections."""

    holder = models.CharField(max_length=120, primary_key=True)
    """The name under which it holds leases."""
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("mqtt process")
        verbose_name_plural = _("mqtt processes")

    def __str__(self) -> str:
        return self.holder


class CommittedPackets(models.Model):
    """A piece of a connection's packet log, written in the transaction that stored the packets."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="+", db_index=False)
    slot = models.PositiveSmallIntegerField()
    """Pieces take turns in a fixed number of slots."""
    number = models.BigIntegerField()
    """Counts the pieces, so that they can be put in order."""
    entries = models.BinaryField()
    """10 bytes a packet in order of arrival: its id, and a digest of topic and payload."""

    class Meta:
        verbose_name = _("stored packets")
        verbose_name_plural = _("stored packets")
        constraints = [models.UniqueConstraint(fields=["connection", "slot"], name="one_piece_a_slot")]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.number}"
