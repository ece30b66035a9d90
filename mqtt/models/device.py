"""What stands in the field: gateways, dataloggers, sensors, and their latest state in tables of their own."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, Value, When
from django.utils.translation import gettext_lazy as _

from mqtt.corrections import Corrections
from mqtt.enums import Availability, IntervalSource, NodeKind
from mqtt.models.connection import MqttConnection
from mqtt.models.retention import Retention
from mqtt.models.site import Site
from mqtt.rhythm import UNKNOWN, Expectation, expect

MAX_KEY_BYTES = 1000
"""PostgreSQL indexes values up to about 2,700 bytes; longer topics are set aside as not understood."""
KEY_LENGTH = 1000
LABEL_LENGTH = 120
NEW_AN_HOUR = 50
"""New gateways and dataloggers together that wait to be accepted, after a connection's first hour."""
MOST_OF_CONNECTION = 150_000
"""Gateways, dataloggers, sensors and topics each: above the largest installations, and a bound all the same, because
a device that invents names must not fill the disk."""
MOST_DECIMALS = 9
LONGEST_INTERVAL = 30 * 86400
"""Seconds; what speaks less often than once a month is not watched for silence."""

IS_NEW = Q(accepted_at__isnull=True)
WITH_CORRECTIONS = Prefetch("corrections", to_attr="loaded_corrections")
"""As a list: a queryset of its own for each of a hundred sensors costs as much as reading them."""


def known(said: Any, unknown: Any, output_field: Any) -> Case:
    """What is said of a device's state, or of one that nothing vouches for; links are looked through once a query."""
    vouched = MqttConnection.objects.vouched().order_by().values("pk")
    when = When(Q(connection__in=vouched, state__isnull=False), then=said)
    return Case(when, default=unknown, output_field=output_field)


class DeviceQuerySet(models.QuerySet[models.Model]):
    def having_availability(self, value: str) -> Self:
        """Those whose `effective_availability` this is, found without computing it for each."""
        vouched = MqttConnection.objects.vouched().values("pk")
        if value == Availability.UNKNOWN:
            states: Any = self.model._meta.get_field("state").related_model  # noqa: SLF001 - Django's public name for it
            known = states.objects.filter(pk=OuterRef("pk")).exclude(availability=Availability.UNKNOWN)
            return self.filter(~Q(connection__in=vouched) | ~Exists(known))  # looked at only where it is vouched for
        return self.filter(connection__in=vouched, state__availability=value)

    def with_availability(self) -> Self:
        """Annotate `effective_availability`: the stored one, or `unknown` while nothing vouches for its connection."""
        said = known(F("state__availability"), Value(Availability.UNKNOWN.value), models.CharField())
        return self.annotate(effective_availability=said)


class Device(models.Model):
    """What gateway, datalogger and sensor share: a stable key, and a label set by hand."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE)
    key = models.CharField(max_length=KEY_LENGTH)
    """Connection + full topic prefix (+ `#name` where the payload tells devices apart): the identity."""
    label = models.CharField(_("label"), max_length=LABEL_LENGTH, blank=True)
    """Set by hand; survives every announcement. One that is empty takes the name that was announced to people."""
    expected_interval = models.PositiveIntegerField(
        _("expected interval (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL)],
    )
    """Set by hand; empty: learned from its messages, or said by the device."""
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def expectation(self) -> Expectation:
        """How often it should be heard and from when on its silence means something. Wants `rhythm` loaded."""
        if self.expected_interval:
            return expect(self.expected_interval, IntervalSource.SET)
        rhythm = getattr(self, "rhythm", None)
        return rhythm.expectation if rhythm else UNKNOWN


class Node(Device):
    """A gateway or datalogger: announces itself and says who it is."""

    identifier = models.CharField(_("identifier"), max_length=250)
    """The last level of the topic, or the serial number that the payload says."""
    site = models.ForeignKey(Site, models.SET_NULL, verbose_name=_("site"), null=True, blank=True)
    model = models.CharField(_("model"), max_length=120, blank=True)
    firmware = models.CharField(_("firmware"), max_length=120, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    """What else it says about itself: addresses, signal, uptime."""
    accepted_at = models.DateTimeField(null=True, editable=False)
    """When somebody said that it belongs here; null: it is new."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label or self.identifier or "/"  # all that is there of a topic like /temperature


class Gateway(Node):
    class Meta:
        ordering = ["identifier", "id"]
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="gateway_key")]
        indexes = [models.Index(fields=["connection", "created_at"], name="new_gateways", condition=IS_NEW)]


class Datalogger(Node):
    gateway = models.ForeignKey(Gateway, models.SET_NULL, null=True, blank=True, related_name="dataloggers")

    class Meta:
        ordering = ["identifier", "id"]
        verbose_name = _("datalogger")
        verbose_name_plural = _("dataloggers")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="datalogger_key")]
        indexes = [models.Index(fields=["connection", "created_at"], name="new_dataloggers", condition=IS_NEW)]


class SensorDevice(Device, Retention):
    """One measured value of a datalogger. Its key is the datalogger's key, `#`, and the value's path."""

    datalogger = models.ForeignKey(Datalogger, models.CASCADE, related_name="sensors")
    name = models.CharField(_("name"), max_length=250)
    unit = models.CharField(_("unit"), max_length=40, blank=True)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    """What it measures, as the device or its key says: temperature ... Written by hand it stays, as the unit does."""
    decimals = models.PositiveSmallIntegerField(
        _("decimals"), null=True, blank=True, validators=[MaxValueValidator(MOST_DECIMALS)]
    )
    """Shown behind the decimal mark; empty: as many as matter."""

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("sensor")
        verbose_name_plural = _("sensors")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="sensor_key")]
        indexes = [models.Index(fields=["name", "id", "connection"], name="sensors_by_name")]  # whose, for who may see

    def __str__(self) -> str:
        return self.label or self.name

    @property
    def rules(self) -> Corrections:
        """What its values go through before they are shown. Wants WITH_CORRECTIONS, or `corrections` prefetched."""
        loaded = self.__dict__.get("loaded_corrections")
        return Corrections(one.rule for one in (self.corrections.all() if loaded is None else loaded))


class StateKey(models.OneToOneField):
    """The device's key as the key of its state; on SQLite the rows' own number, which needs no index to be found by."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class State(models.Model):
    """The latest of a device, apart from its settings, because it changes with every batch."""

    availability = models.CharField(max_length=8, choices=Availability, default=Availability.ONLINE)
    availability_since = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    """Without an index: it moves with every batch, and the lists reach it through their own table's keys."""

    class Meta:
        abstract = True


class GatewayState(State):
    gateway = StateKey(Gateway, models.CASCADE, primary_key=True, related_name="state")

    def __str__(self) -> str:
        return f"{self.pk}: {self.availability}"


class DataloggerState(State):
    datalogger = StateKey(Datalogger, models.CASCADE, primary_key=True, related_name="state")

    def __str__(self) -> str:
        return f"{self.pk}: {self.availability}"


class SensorState(State):
    """The current value: the reading with the newest time."""

    sensor = StateKey(SensorDevice, models.CASCADE, primary_key=True, related_name="state")
    value = models.FloatField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001 - null says "a number", an empty text is a reading
    time = models.DateTimeField(null=True)
    """The reading's own time; `last_seen_at` is when it arrived."""
    flags = models.PositiveSmallIntegerField(default=0)
    unrolled_us = models.BigIntegerField(null=True, editable=False)
    """From this time on (microseconds since 1970) the rollups do not hold all readings; null: they do.

    Written with the value it stands beside, so that knowing what to roll up costs a batch nothing.
    """

    def __str__(self) -> str:
        return f"{self.pk}: {self.text if self.value is None else self.value}"


class DeviceAlias(models.Model):
    """A further key of a device, so that a rename, a better decoder or a replacement keeps its history."""

    connection = models.ForeignKey(MqttConnection, models.CASCADE)
    kind = models.CharField(max_length=12, choices=NodeKind)
    key = models.CharField(max_length=KEY_LENGTH)
    gateway = models.ForeignKey(Gateway, models.CASCADE, null=True, blank=True, related_name="aliases")
    datalogger = models.ForeignKey(Datalogger, models.CASCADE, null=True, blank=True, related_name="aliases")
    sensor = models.ForeignKey(SensorDevice, models.CASCADE, null=True, blank=True, related_name="aliases")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("device alias")
        verbose_name_plural = _("device aliases")
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "key"], name="alias_key"),
            models.CheckConstraint(
                name="alias_names_one_device",
                condition=Q(kind=NodeKind.GATEWAY, gateway__isnull=False, datalogger__isnull=True, sensor__isnull=True)
                | Q(kind=NodeKind.DATALOGGER, gateway__isnull=True, datalogger__isnull=False, sensor__isnull=True)
                | Q(kind=NodeKind.SENSOR, gateway__isnull=True, datalogger__isnull=True, sensor__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key
