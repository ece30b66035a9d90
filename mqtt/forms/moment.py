"""The field in which a person writes a time."""

from typing import Any

from django import forms
from django.utils import timezone

from mqtt.validators import validate_moment

MOMENT = "%Y-%m-%dT%H:%M:%S"
"""What the browser's field for a time reads and sends."""


class MomentField(forms.DateTimeField):
    """A time in this console's zone, from the browser's own field or written by hand."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            input_formats=[MOMENT, "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
            widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local", "step": "1"}),
            validators=[validate_moment],
            **options,
        )

    @property
    def zone(self) -> str:
        """The zone's name, for the label: the reader's clock may show another."""
        return timezone.get_current_timezone_name()
