"""What people may change about a device: everything else it says itself."""

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from mqtt.forms.seen import SeenMixin
from mqtt.models import Datalogger, Gateway, SensorDevice
from mqtt.models.retention import RETENTION_FIELDS

WIDGETS = {
    "label": forms.TextInput(attrs={"autocomplete": "off"}),
    "expected_interval": forms.NumberInput(attrs={"inputmode": "numeric"}),
}
HELP_TEXTS = {
    "label": _(
        "Shown instead of the name that the device gives itself. Empty: the device's own, or as it is announced."
    ),
    "unit": _("Written by hand it stays, whatever the device says later. Values are not converted."),
    "kind": _("What it measures, for example temperature. Written by hand it stays."),
    "decimals": _("How many are shown. Empty: as many as matter."),
    "expected_interval": _(
        "How many seconds usually pass between two of its messages: late after three times as long and at least "
        "2 minutes, offline after ten times and at least 15 minutes. Empty: learned from its messages."
    ),
    "raw_retention_days": _("Empty: as its connection says, else 5 years, or 90 days for more than one a minute."),
    "rollup_retention_days": _("Lowest, highest and mean, for charts. Empty: as its connection says, else 10 years."),
    "site": _("Where it stands. Set by hand it stays, whatever its topics say."),
}


class GatewayForm(SeenMixin, forms.ModelForm):
    """What is written by hand of a gateway."""

    class Meta:
        model = Gateway
        fields = ["label", "site", "expected_interval"]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


class DataloggerForm(SeenMixin, forms.ModelForm):
    """What is written by hand of a datalogger."""

    class Meta:
        model = Datalogger
        fields = ["label", "site", "expected_interval"]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


class SensorForm(SeenMixin, forms.ModelForm):
    """What is written by hand of a sensor; its site is its datalogger's."""

    class Meta:
        model = SensorDevice
        fields = ["label", "unit", "kind", "decimals", "expected_interval", *RETENTION_FIELDS]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


FORMS: dict[type[Model], type[forms.ModelForm]] = {
    Gateway: GatewayForm,
    Datalogger: DataloggerForm,
    SensorDevice: SensorForm,
}
