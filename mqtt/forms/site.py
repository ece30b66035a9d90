"""Create and edit a site."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from mqtt.forms.seen import SeenMixin
from mqtt.models import Site


def known_zones() -> list[str]:
    """The names that the time zone field proposes while one types."""
    return sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
    )


class SiteForm(SeenMixin, forms.ModelForm):
    """Where an installation stands and whom to call."""

    class Meta:
        model = Site
        fields = ["name", "address", "contact", "topic_prefix", "time_zone", "latitude", "longitude"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "topic_prefix": forms.TextInput(attrs={"autocomplete": "off", "class": "mono", "spellcheck": "false"}),
            "time_zone": forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
        }
        error_messages = {"name": {"unique": _("Another site has this name.")}}
        help_texts = {"latitude": _("Degrees with a decimal point, for example 45.4642.")}

    def clean_topic_prefix(self) -> str:
        """A plain beginning of topics, no filter."""
        prefix = str(self.cleaned_data["topic_prefix"])
        if set(prefix) & set("+#"):
            raise forms.ValidationError(_("Write the beginning of the topics alone, without + and #."))
        return prefix

    def clean_time_zone(self) -> str:
        """A zone of the tz database."""
        zone = str(self.cleaned_data["time_zone"])
        if zone and zone not in available_timezones():
            raise forms.ValidationError(_("This is no time zone. Write one like Europe/Rome."))
        return zone

    def clean(self) -> dict[str, Any]:
        """A place on the map has two coordinates."""
        super().clean()  # asks for the check that names are unique
        cleaned = self.cleaned_data
        for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
            both_valid = not {name, other} & set(self.errors)
            if both_valid and cleaned.get(name) is None and cleaned.get(other) is not None:
                self.add_error(name, _("Write both coordinates or none."))
        return cleaned
