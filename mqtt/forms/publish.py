"""A message to a broker, written by hand."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.enums import QoS
from mqtt.services.commands import MAX_PAYLOAD
from mqtt.topics import MAX_PUBLISH_LENGTH
from mqtt.validators import validate_topic


class PublishForm(forms.Form):
    """Topic and content; the content goes out as UTF-8, exactly as written."""

    topic = forms.CharField(
        label=_("Topic"),
        max_length=MAX_PUBLISH_LENGTH,
        validators=[validate_topic],
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    payload = forms.CharField(
        label=_("Message"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "mono", "rows": 3, "spellcheck": "false"}),
    )
    qos = forms.TypedChoiceField(label=_("QoS"), choices=QoS.choices, coerce=int, initial=QoS.AT_LEAST_ONCE)
    retain = forms.BooleanField(
        label=_("Retained"),
        required=False,
        help_text=_("The broker keeps it and gives it to everybody who subscribes later."),
    )

    def clean_payload(self) -> str:
        """Line ends as they were typed, not as browsers send them."""
        text: str = self.cleaned_data["payload"].replace("\r\n", "\n")
        if (size := len(text.encode())) > MAX_PAYLOAD:
            raise ValidationError(reasons.explain("payload_too_large", {"size": size, "limit": MAX_PAYLOAD}))
        return text

    def message(self) -> dict[str, Any]:
        """The arguments of `request_publish`; only after `is_valid()`."""
        data = self.cleaned_data
        return {
            "topic": data["topic"],
            "payload": data["payload"].encode(),
            "qos": data["qos"],
            "retain": data["retain"],
        }
