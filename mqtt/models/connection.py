"""Broker connections, what they subscribe to, who holds them, and how they fare."""

import secrets
from datetime import timedelta
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.encryption import SecretField
from mqtt.enums import ENCRYPTED_TRANSPORTS, LINK_UP, ConnectionStatus, Protocol, QoS, Transport
from mqtt.models.retention import Retention
from mqtt.models.site import Site
from mqtt.validators import validate_certificate, validate_client_id, validate_host, validate_topic_filter

LEASE_TIME = timedelta(seconds=9)
"""How long a holder is believed after its last renewal; renewed every 3 s."""

LONGEST_LEASE = LEASE_TIME + timedelta(minutes=1)
"""What seems to last longer was given before the clock was set back, by somebody who need not live any more."""


def new_client_id() -> str:
    """Unique enough that two consoles never take over each other's session."""
    return f"vedetta-{secrets.token_hex(6)}"


class MqttConnectionQuerySet(models.QuerySet["MqttConnection"]):
    def with_effective_status(self) -> Self:
        """Annotate `effective_status`: the stored status, or `unknown` when nobody vouches for it.

        A live lease vouches, and so does the status itself while it is younger than a lease. Compared by
        the database's clock, so that all processes agree.
        """
        now = Now()
        vouched = Q(lease__expires_at__gt=now) | Q(status_changed_at__gt=now - LEASE_TIME)
        return self.annotate(
            effective_status=Case(
                When(vouched, then=F("status")),
                When(is_enabled=False, then=Value(ConnectionStatus.DISABLED)),
                default=Value(ConnectionStatus.UNKNOWN),
                output_field=models.CharField(),
            )
        )

    def vouched(self) -> Self:
        """Those whose devices' availability is believed: the link is up, and somebody holds it."""
        return self.filter(lease__expires_at__gt=Now(), status__in=LINK_UP)


class ConnectionManager(models.Manager["MqttConnection"]):
    """All but those that are being deleted: nobody but the mqtt process has to do with these any more."""

    def get_queryset(self) -> MqttConnectionQuerySet:
        """Without what somebody deleted."""
        return MqttConnectionQuerySet(self.model, using=self._db).filter(deleted_at=None)

    def with_effective_status(self) -> MqttConnectionQuerySet:
        """See the queryset's own."""
        return self.get_queryset().with_effective_status()

    def vouched(self) -> MqttConnectionQuerySet:
        """See the queryset's own."""
        return self.get_queryset().vouched()


class MqttConnection(Retention):
    """One session with one broker. Save with `update_fields`, always: a stale status must not be written back."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    site = models.ForeignKey(
        Site,
        models.SET_NULL,
        verbose_name=_("site"),
        null=True,
        blank=True,
        related_name="connections",
        help_text=_("For devices that belong to no other site."),
    )
    host = models.CharField(_("host"), max_length=253, validators=[validate_host])
    port = models.PositiveIntegerField(
        _("port"), default=1883, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    transport = models.CharField(_("transport"), max_length=4, choices=Transport, default=Transport.TCP)
    websocket_path = models.CharField(_("WebSocket path"), max_length=200, default="/mqtt", blank=True)
    protocol = models.CharField(_("protocol"), max_length=5, choices=Protocol, default=Protocol.V311)
    username = models.CharField(_("user name"), max_length=250, blank=True)
    password_token = SecretField()
    client_id = models.CharField(
        _("client id"), max_length=128, default=new_client_id, unique=True, validators=[validate_client_id]
    )
    keepalive = models.PositiveIntegerField(
        _("keepalive (seconds)"), default=30, validators=[MinValueValidator(5), MaxValueValidator(3600)]
    )
    ca_certificate = models.TextField(
        _("CA certificate"),
        blank=True,
        validators=[validate_certificate],
        help_text=_("PEM. Empty: the certificates this computer trusts."),
    )
    client_certificate = models.TextField(
        _("client certificate"), blank=True, validators=[validate_certificate], help_text=_("PEM, with its chain.")
    )
    client_key_token = SecretField()
    tls_verify = models.BooleanField(
        _("check the broker's certificate"),
        default=True,
        help_text=_("Switch off only for a test: without it anybody on the way can read and change messages."),
    )
    alpn = models.CharField(
        _("ALPN"), max_length=60, blank=True, help_text=_("For AWS IoT on port 443: x-amzn-mqtt-ca or mqtt.")
    )

    reads_statistics = models.BooleanField(
        _("read the broker's own figures"),
        default=True,
        help_text=_("Version, clients, and messages that it dropped, as it publishes them under $SYS."),
    )

    is_enabled = models.BooleanField(_("enabled"), default=True)
    settings_revision = models.PositiveIntegerField(default=1, editable=False)
    """Raised with every change of settings or filters; a session that runs on an older one reconnects."""
    resubscribe_requested_at = models.DateTimeField(null=True, editable=False)

    status = models.CharField(
        max_length=12, choices=ConnectionStatus, default=ConnectionStatus.DISABLED, editable=False
    )
    status_reason = models.CharField(max_length=40, blank=True, editable=False)
    status_context = models.JSONField(default=dict, blank=True, editable=False)
    status_changed_at = models.DateTimeField(null=True, editable=False)
    last_connected_at = models.DateTimeField(null=True, editable=False)
    retry_count = models.PositiveIntegerField(default=0, editable=False)
    next_retry_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    """Somebody deleted it: it is shown nowhere, and the mqtt process erases what it brought."""

    objects = ConnectionManager()
    all_objects = MqttConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        permissions = [
            ("operate_mqttconnection", _("Can switch connections on and off and test them")),
            ("publish_mqttconnection", _("Can publish messages to devices")),
            ("tail_mqttconnection", _("Can watch raw messages of any topic")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_encrypted(self) -> bool:
        """Whether the link runs inside TLS."""
        return self.transport in ENCRYPTED_TRANSPORTS

    @property
    def status_detail(self) -> str:
        """Why the status is what it is, in the active language."""
        return reasons.explain(self.status_reason, self.status_context)

    @property
    def address(self) -> str:
        """host:port, as one writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class TopicSubscription(models.Model):
    """One filter of a connection, and what the broker said to it."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE, related_name="subscriptions")
    topic_filter = models.CharField(_("topic filter"), max_length=1000, validators=[validate_topic_filter])
    qos = models.PositiveSmallIntegerField(_("QoS"), choices=QoS, default=QoS.AT_LEAST_ONCE)
    decoder = models.CharField(_("decoder"), max_length=40, blank=True, help_text=_("Empty: chosen by content."))
    is_active = models.BooleanField(_("active"), default=True)
    granted_qos = models.PositiveSmallIntegerField(null=True, editable=False)
    """What the broker granted; null while it has not answered, or refused (then `reason` says why)."""
    reason = models.CharField(max_length=40, blank=True, editable=False)
    reason_context = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [models.UniqueConstraint(fields=["connection", "topic_filter"], name="one_filter_a_connection")]

    def __str__(self) -> str:
        return self.topic_filter

    @property
    def reason_detail(self) -> str:
        """Why the broker refused the filter, in the active language."""
        return reasons.explain(self.reason, self.reason_context)


class ConnectionLease(models.Model):
    """Which mqtt process holds a connection, and until when it is believed."""

    connection = models.OneToOneField(MqttConnection, models.CASCADE, primary_key=True, related_name="lease")
    holder = models.CharField(max_length=120)
    token = models.UUIDField()
    """Changes with every takeover; each batch checks it in its transaction."""
    expires_at = models.DateTimeField(db_index=True)
    session_open = models.BooleanField(default=False)
    """The broker may still keep a session for our client id: to be ended when the connection is disabled."""
    session_filters = models.JSONField(default=list)
    """The filters that session holds: what was removed meanwhile must be unsubscribed."""
    session_client_id = models.CharField(max_length=128, blank=True)
    """Under which client id it is kept; a change of the id leaves the old session to be ended."""
    statistics_refused = models.BooleanField(default=False)
    """The broker ended the link when it was asked for its own figures: it is not asked again."""
    devices_version = models.PositiveIntegerField(default=0)
    """Counts up when devices are replaced, merged or deleted: whoever remembers some looks them up again."""

    class Meta:
        verbose_name = _("connection lease")
        verbose_name_plural = _("connection leases")

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.holder}"


class ConnectionActivity(models.Model):
    """How much a connection brings: written by the mqtt process every 2 s, apart from the settings."""

    connection = models.OneToOneField(MqttConnection, models.CASCADE, primary_key=True, related_name="activity")
    last_message_at = models.DateTimeField(null=True)
    messages_total = models.BigIntegerField(default=0)
    readings_total = models.BigIntegerField(default=0)
    undecoded_total = models.BigIntegerField(default=0)
    dropped_total = models.BigIntegerField(default=0)
    """QoS 0 messages beyond the inbox bound."""
    refused_total = models.BigIntegerField(default=0)
    """Messages with something of a new device, when the connection has as many as are kept."""
    repeated_total = models.BigIntegerField(default=0)
    """Messages that the broker sent again although they were stored; they are not stored twice."""
    message_rate = models.FloatField(default=0)
    """Messages a second over the last interval."""
    reading_rate = models.FloatField(default=0)
    lag_seconds = models.FloatField(default=0)
    """How long the last committed message waited between receipt and commit."""
    measured_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("connection activity")
        verbose_name_plural = _("connection activities")

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.message_rate:.1f}/s"
