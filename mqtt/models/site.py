"""Sites stand above gateways: filters, roll-ups and permissions work by site."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Site(models.Model):
    """A place with an installation."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    address = models.CharField(_("address"), max_length=250, blank=True)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("For devices that send local time, like Europe/Rome.")
    )
    contact = models.CharField(_("contact"), max_length=250, blank=True, help_text=_("Whom to call, and where."))
    topic_prefix = models.CharField(
        _("topics start with"),
        max_length=250,
        blank=True,
        help_text=_("Devices whose topics start with this belong to the site, for example site_7/."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.name
