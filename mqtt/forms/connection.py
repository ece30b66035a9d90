"""Create and edit a connection; its filters have a form of their own in `subscriptions`."""

from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from mqtt.enums import WEBSOCKET_TRANSPORTS
from mqtt.forms.secrets import SecretFieldsMixin, secret_change
from mqtt.forms.seen import SeenMixin
from mqtt.models import MqttConnection
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services.connections import Secrets
from mqtt.services.kept_secrets import address_errors
from mqtt.services.key_pairs import pair_errors
from mqtt.validators import validate_private_key

PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
PEM = {**PLAIN, "rows": 6, "class": "mono", "placeholder": "-----BEGIN …"}

SECTIONS: dict[str, tuple[Any, list[str]]] = {
    "broker": (
        _("Broker"),
        ["name", "host", "port", "transport", "protocol", "websocket_path", "is_enabled"],
    ),
    "login": (_("Login"), ["username", "password_change", "password", "client_id"]),
    "encryption": (
        _("Encryption"),
        ["tls_verify", "ca_certificate", "client_certificate", "client_key_change", "client_key", "alpn"],
    ),
    "more": (_("More"), ["site", "keepalive", *RETENTION_FIELDS, "reads_statistics"]),
}
"""The parts of the page; the filters stand between login and encryption."""
FOLDED = {
    "encryption": _("for TLS and WSS; most brokers need nothing here"),
    "more": _("site, keepalive, how long history is kept, the broker's own figures"),
}
"""Parts that open by themselves only when they hold something."""


class ConnectionForm(SecretFieldsMixin, SeenMixin, forms.ModelForm):
    """Every setting of a connection; secrets are written, never shown."""

    password_change = secret_change(_("stored password"))
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    client_key_change = secret_change(_("stored client key"))
    client_key = forms.CharField(
        label=_("Client key"),
        required=False,
        max_length=20_000,
        validators=[validate_private_key],
        help_text=_("PEM, without a passphrase. It is encrypted here and not shown again."),
        widget=forms.Textarea(attrs=PEM),
    )

    class Meta:
        model = MqttConnection
        fields = [
            "name",
            "site",
            "host",
            "port",
            "transport",
            "websocket_path",
            "protocol",
            "username",
            "client_id",
            "keepalive",
            *RETENTION_FIELDS,
            "tls_verify",
            "ca_certificate",
            "client_certificate",
            "alpn",
            "reads_statistics",
            "is_enabled",
        ]
        error_messages = {
            "name": {"unique": _("Another connection has this name.")},
            "client_id": {"unique": _("Another connection uses this client id.")},
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "host": forms.TextInput(attrs={**PLAIN, "placeholder": "broker.example.org"}),
            "username": forms.TextInput(attrs=PLAIN),
            "client_id": forms.TextInput(attrs=PLAIN),
            "websocket_path": forms.TextInput(attrs=PLAIN),
            "alpn": forms.TextInput(attrs=PLAIN),
            "ca_certificate": forms.Textarea(attrs=PEM),
            "client_certificate": forms.Textarea(attrs=PEM),
        }
        help_texts = {
            "host": _("A name or an IP address, without mqtt://."),
            "port": _("Usual: 1883 for TCP, 8883 for TLS, 80 for WS, 443 for WSS."),
            "transport": _("TLS and WSS are encrypted. TCP and WS send everything readable, the password too."),
            "websocket_path": _("Only for WS and WSS. Usual: /mqtt."),
            "protocol": _(
                "MQTT 5 says more when something is refused. Choose 3.1.1 when the broker does not answer: "
                "older ones, and the embedded one, speak only that."
            ),
            "client_id": _("Must be used by nobody else: two clients with one id throw each other out."),
            "keepalive": _("After so long without traffic the broker is asked whether it is still there."),
            "raw_retention_days": _(
                "Of each of its sensors that says nothing else. Empty: 5 years, or 90 days for more than one a minute."
            ),
            "rollup_retention_days": _("Lowest, highest and mean of each hour, for charts. Empty: 10 years."),
            "is_enabled": _("Connect now and stay connected."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].empty_label = _("none")  # type: ignore[attr-defined]
        self.prepare_secret("password", stored=bool(self.instance.password_token))
        self.prepare_secret("client_key", stored=bool(self.instance.client_key_token))

    def beside(self) -> dict[Any, Any]:
        """The filters, which are rows of a form of their own."""
        rows = self.instance.subscriptions.values_list("topic_filter", "qos", "decoder", "is_active")
        return {_("Topic filters"): sorted(rows)}

    def sections(self) -> list[dict[str, Any]]:
        """The fields in the order of the page, part by part; a folded part has a `hint`."""
        return [
            {
                "name": name,
                "heading": heading,
                "fields": [self[field] for field in names if field in self.fields],
                "hint": FOLDED.get(name, ""),
                "is_open": self._holds_something(names),
            }
            for name, (heading, names) in SECTIONS.items()
        ]

    def _holds_something(self, names: list[str]) -> bool:
        """Whether a part has an error, or a value that differs from a new connection's."""
        usual = MqttConnection()
        shown = [self[name] for name in names if name in self.fields]
        return any(
            field.errors
            or field.name == "client_key_change"  # stands there only where a key is stored
            or (hasattr(usual, field.name) and str(field.value() or "") != str(getattr(usual, field.name) or ""))
            for field in shown
        )

    def unchecked(self) -> None:
        """Show what was typed without errors: somebody only asked for one more filter."""
        self._errors = ErrorDict()

    def clean_host(self) -> str:
        """Without the brackets that URLs put around an IPv6 address."""
        return str(self.cleaned_data["host"]).strip("[]")

    def clean_websocket_path(self) -> str:
        """Begins with a slash; stays as it is for transports that have no path."""
        path = str(self.cleaned_data["websocket_path"])
        if self.cleaned_data.get("transport") in WEBSOCKET_TRANSPORTS and not path.startswith("/"):
            raise forms.ValidationError(_("The path begins with /, for example /mqtt."))
        return path

    def clean(self) -> dict[str, Any]:
        """Stored secrets stay with their address; certificate and key belong together."""
        super().clean()  # asks for the check that names are unique
        self.new_password = self.clean_secret("password")
        self.new_client_key = self.clean_secret("client_key")
        stored = self.instance  # its fields are written only after this
        new = {"password": self.new_password, "client_key": self.new_client_key}
        for field, sentence in address_errors(stored, self.cleaned_data, **new).items():
            if field not in self.errors:
                self.add_error(field, sentence)
        if not {"client_certificate", "client_key"} & set(self.errors):
            self._check_pair(str(self.cleaned_data.get("client_certificate") or ""))
        return self.cleaned_data

    def secrets(self) -> Secrets:
        """What to do with password and client key; only after `is_valid()`."""
        return Secrets(password=self.new_password, client_key=self.new_client_key)

    def _check_pair(self, certificate: str) -> None:
        token, key = self.instance.client_key_token, self.new_client_key
        for field, sentence in pair_errors(certificate, stored_token=token, new_key=key).items():
            self.add_error(field, sentence)
