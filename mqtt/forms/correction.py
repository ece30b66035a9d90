"""Correct the values of a sensor from a moment on."""

import math
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mqtt.models import SensorCorrection

MOMENT = "%Y-%m-%dT%H:%M:%S"
"""What the browser's field for a time reads and sends."""


class CorrectionForm(forms.ModelForm):
    """Gain, offset and zero reading; times are in this console's zone."""

    valid_from = forms.DateTimeField(
        label=_("valid from"),
        input_formats=[MOMENT, "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local", "step": "1"}),
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
