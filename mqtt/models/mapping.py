"""Mappings that people make for topics that nothing understands."""

from django.core.validators import MinLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from mqtt.models.connection import MqttConnection


class Mapping(models.Model):
    """How to read the messages of some topics; see `decoders.mapping` for what the fields mean."""

    name = models.CharField(_("name"), max_length=120, unique=True, validators=[MinLengthValidator(1)])
    connection = models.ForeignKey(
        MqttConnection,
        models.CASCADE,
        verbose_name=_("connection"),
        null=True,
        blank=True,
        related_name="mappings",
        help_text=_("Empty: on all connections."),
    )
    topic_pattern = models.CharField(_("topics"), max_length=1000)
    is_ignored = models.BooleanField(_("left aside"), default=False)
    """Nothing is read on these topics; the other fields are empty."""
    is_active = models.BooleanField(_("active"), default=True)
    items_path = models.CharField(_("list of entries"), max_length=500, blank=True)
    device = models.CharField(_("device"), max_length=250, blank=True)
    device_path = models.CharField(_("device, from the payload"), max_length=500, blank=True)
    time_path = models.CharField(_("time"), max_length=500, blank=True)
    time_format = models.CharField(_("form of the time"), max_length=60, blank=True)
    separator = models.CharField(_("columns are separated by"), max_length=1, blank=True)
    decimal_comma = models.BooleanField(_("numbers have a decimal comma"), default=False)
    values = models.JSONField(_("values"), default=list)
    """[{path, name, name_path, unit, kind}]"""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("mapping")
        verbose_name_plural = _("mappings")

    def __str__(self) -> str:
        return self.name
