"""What people may change about a device: everything else it says itself."""

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from mqtt.models import Datalogger, Gateway, SensorDevice

WIDGETS = {"label": forms.TextInput(attrs={"autocomplete": "off"})}
HELP_TEXTS = {
    "label": _("Shown instead of the name that the device gives itself. Empty: the device's own."),
    "site": _("Where it stands. Set by hand it stays, whatever its topics say."),
}


class GatewayForm(forms.ModelForm):
    """Label and site of a gateway."""

    class Meta:
        model = Gateway
        fields = ["label", "site"]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


class DataloggerForm(forms.ModelForm):
    """Label and site of a datalogger."""

    class Meta:
        model = Datalogger
        fields = ["label", "site"]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


class SensorForm(forms.ModelForm):
    """Label of a sensor; its site is its datalogger's."""

    class Meta:
        model = SensorDevice
        fields = ["label"]
        widgets = WIDGETS
        help_texts = HELP_TEXTS


FORMS: dict[type[Model], type[forms.ModelForm]] = {
    Gateway: GatewayForm,
    Datalogger: DataloggerForm,
    SensorDevice: SensorForm,
}
