"""Correct the values of a sensor from a moment on."""

import math
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mqtt.forms.moment import MomentField
from mqtt.models import SensorCorrection


class CorrectionForm(forms.ModelForm):
    """Gain, offset and zero reading; times are in this console's zone."""

    valid_from = MomentField(
        label=_("valid from"),
        help_text=_("In the time zone of this console. Readings from then on are corrected, older ones stay."),
    )

    class Meta:
        model = SensorCorrection
        fields = ["zero", "gain", "offset", "valid_from", "reason"]
        help_texts = {
            "zero": _("What it showed when it should have shown 0; taken off first."),
            "gain": _("Then multiplied by this."),
            "offset": _("Then this is added."),
            "reason": _("For whoever wonders later: a calibration, another mounting, a wrong wire."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["valid_from"] = self.initial.get("valid_from") or timezone.now()

    def clean_gain(self) -> float:
        """A gain of 0 would leave nothing of the reading."""
        gain = float(self.cleaned_data["gain"])
        if gain == 0 or not math.isfinite(gain):
            raise forms.ValidationError(_("A gain of 0 would leave nothing of the reading."))
        return gain
