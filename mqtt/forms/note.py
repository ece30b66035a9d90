"""Write a note on a thing."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mqtt.forms.moment import MomentField
from mqtt.models import LONGEST_NOTE, Note


class NoteForm(forms.ModelForm):
    """The time that it is about, and what there is to say; times are in this console's zone."""

    at = MomentField(
        label=_("time"),
        help_text=_("What the note is about happened then, in the time zone of this console. Charts mark it there."),
    )

    class Meta:
        model = Note
        fields = ["text", "at"]
        widgets = {"text": forms.Textarea(attrs={"rows": 5, "maxlength": LONGEST_NOTE, "class": "prose"})}

    def clean_text(self) -> str:
        """One kind of line ends, whatever the browser sends."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").replace("\r", "\n")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs["autofocus"] = True
