"""A stored secret goes only where it was given for: a new address asks for it again.

Otherwise whoever may edit a connection could point it at a machine of their own and be told its password.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from mqtt.models import MqttConnection

ADDRESS = ("host", "port", "transport")
SECRETS = {"password": "password_token", "client_key": "client_key_token"}


def secrets_left_behind(
    stored: MqttConnection, wanted: Mapping[str, Any], *, password: str | None, client_key: str | None
) -> list[str]:
    """The stored secrets that would go to another address unasked; None: the secret is to stay as it is.

    `wanted` are new values of fields; those that are not named stay.
    """
    if all(wanted.get(name, getattr(stored, name)) == getattr(stored, name) for name in ADDRESS):
        return []
    given = {"password": password, "client_key": client_key}
    return [name for name, token in SECRETS.items() if getattr(stored, token) and given[name] is None]


def address_errors(
    stored: MqttConnection, wanted: Mapping[str, Any], *, password: str | None, client_key: str | None
) -> dict[str, str]:
    """{field: sentence} for forms and API."""
    text = _("Host, port or transport change: enter this again for the new address, or remove it.")
    left = secrets_left_behind(stored, wanted, password=password, client_key=client_key)
    return dict.fromkeys(left, text)
