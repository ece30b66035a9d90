"""Forms of a person's own account."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("one year")), ("", _("never"))]


class TokenForm(forms.Form):
    """Name and lifetime of a new API token."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What will use it, for example “backup script”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lifetime = forms.ChoiceField(label=_("Expires after"), choices=LIFETIMES, required=False, initial="90")

    def expires_at(self) -> datetime | None:
        """When the token ends, or None for never; only after `is_valid()`."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None
