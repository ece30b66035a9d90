"""Write-only fields: a stored secret can be kept, replaced or cleared, and is never sent to the browser."""

from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SecretChange(TextChoices):
    """What to do with a stored secret."""

    KEEP = "keep", _("keep what is stored")
    REPLACE = "replace", _("replace it")
    CLEAR = "clear", _("remove it")


class SecretFieldsMixin:
    """For a form with pairs of fields `name` and `name_change`; the second goes where nothing is stored yet."""

    fields: dict[str, forms.Field]
    data: Any
    cleaned_data: dict[str, Any]
    add_error: Any
    add_prefix: Any

    def prepare_secret(self, name: str, *, stored: bool) -> None:
        """Offer keep, replace and clear where something is stored, else just the field."""
        if not stored:
            del self.fields[f"{name}_change"]
        if self.data.get(self.add_prefix(name)):
            # The page is shown again after an error; what was typed is not sent back.
            self.fields[name].help_text = _("Not shown again for safety: please enter it once more.")

    def clean_secret(self, name: str) -> str | None:
        """The new secret, "" to clear it, or None to leave it as it is."""
        typed = str(self.cleaned_data.get(name) or "")
        change = self.cleaned_data.get(f"{name}_change")
        if change == SecretChange.CLEAR:
            if typed:
                self.add_error(name, _("Leave this empty to remove what is stored, or choose “replace it”."))
            return ""
        if change == SecretChange.REPLACE and not typed:
            self.add_error(name, _("Write the new one, or choose “keep what is stored”."))
            return None
        # Text under "keep" can only mean a new secret: whoever typed it wants it used.
        return typed or None


def secret_change(label: Any) -> forms.ChoiceField:
    """The choice that stands above a secret that is stored."""
    return forms.ChoiceField(
        label=label,
        choices=SecretChange.choices,
        initial=SecretChange.KEEP,
        required=False,
        widget=forms.RadioSelect,
    )
