"""Every topic that was heard, and what could not be understood."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.models.connection import MqttConnection
from mqtt.models.device import KEY_LENGTH


class DiscoveredTopic(models.Model):
    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="topics")
    topic = models.CharField(_("topic"), max_length=KEY_LENGTH)
    first_seen_at = models.DateTimeField(_("first heard"))
    last_seen_at = models.DateTimeField(_("last heard"))
    """Without an index: it moves with every message, and PostgreSQL then writes a row anew in all of its indexes."""
    message_count = models.BigIntegerField(_("messages"), default=0)
    undecoded_count = models.BigIntegerField(_("not understood"), default=0)
    last_payload = models.BinaryField(default=b"")
    """At most the first 4 KiB."""
    previous_payload = models.BinaryField(default=b"")
    """The last one that was different, cut like `last_payload`."""
    last_size = models.PositiveIntegerField(default=0)
    last_qos = models.PositiveSmallIntegerField(default=0)
    last_retained = models.BooleanField(default=False)
    decoder = models.CharField(_("decoder"), max_length=40, blank=True)

    class Meta:
        ordering = ["topic", "id"]
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints = [models.UniqueConstraint(fields=["connection", "topic"], name="topic_key")]

    def __str__(self) -> str:
        return self.topic


class UndecodedMessage(models.Model):
    """A message that no decoder understood, kept with its reason; bounded for each topic."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="undecoded")
    topic = models.TextField(_("topic"))
    payload = models.BinaryField()
    """At most the first 64 KiB."""
    size = models.PositiveIntegerField(_("bytes"))
    qos = models.PositiveSmallIntegerField(default=0)
    retained = models.BooleanField(default=False)
    received_at = models.DateTimeField(_("received"), db_index=True)
    reason = models.CharField(max_length=40)
    context = models.JSONField(default=dict, blank=True)
    read_again = models.BooleanField(default=False)
    """Somebody asked to decode it again; cleared when that is done."""

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = _("message not understood")
        verbose_name_plural = _("messages not understood")
        indexes = [models.Index(fields=["connection"], name="to_be_read_again", condition=models.Q(read_again=True))]

    def __str__(self) -> str:
        return f"{self.topic[:80]} ({self.size} B)"

    @property
    def reason_detail(self) -> str:
        """Why it was not understood, in the active language."""
        return reasons.explain(self.reason, self.context)


class DeviceAnnouncement(models.Model):
    """What a device said about messages to come: units, aliases, names; read again when a session starts."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="announcements")
    family = models.CharField(max_length=40)
    """The decoder that reads it."""
    key = models.CharField(max_length=KEY_LENGTH)
    topics = models.TextField(default="[]")
    """JSON: the topics that it speaks about."""
    data = models.TextField()
    """JSON as text, because PostgreSQL's own type cannot hold every character that devices send."""
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [models.UniqueConstraint(fields=["connection", "family", "key"], name="announcement_key")]

    def __str__(self) -> str:
        return f"{self.family}: {self.key}"
