"""Field checks for forms, admin and API alike; each error says what to write instead."""

import ipaddress
import re
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mqtt import reasons, topics

EARLIEST, LATEST = datetime(1, 1, 1, 16, tzinfo=UTC), datetime(9999, 12, 31, 8, tzinfo=UTC)
"""Moments between them have a date in every time zone; others cannot be shown, and PostgreSQL's cannot be read."""

HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def validate_host(value: str) -> None:
    """A host name or an IP address, without scheme, port or path."""
    if "://" in value or "/" in value:
        raise ValidationError(_("Write the host alone, without mqtt:// and without a path."), code="host")
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        name = value.removesuffix(".")
        if ":" in name:
            raise ValidationError(_("Write the host alone; the port has a field of its own."), code="host") from None
        if len(name) > 253 or not all(HOST_LABEL.fullmatch(label) for label in name.split(".")):
            raise ValidationError(
                _("Write a host name like broker.example.org or an IP address."), code="host"
            ) from None


def validate_moment(value: datetime) -> None:
    """A time that has a date in every time zone."""
    if not EARLIEST <= value <= LATEST:
        raise ValidationError(_("Write a time between the years 1 and 9999."), code="moment")


def validate_topic_filter(value: str) -> None:
    """The MQTT rules for a subscription's filter."""
    code = topics.filter_error(value)
    if code:
        raise ValidationError(reasons.explain(code), code=code)


def validate_topic(value: str) -> None:
    """The MQTT rules for a topic that is published to."""
    code = topics.topic_error(value)
    if code:
        raise ValidationError(reasons.explain(code, {"limit": topics.MAX_PUBLISH_LENGTH}), code=code)


def validate_client_id(value: str) -> None:
    """What every broker accepts as a client id and what fits into our own status topic."""
    if not re.fullmatch(r"[A-Za-z0-9._:@=-]{1,128}", value):
        raise ValidationError(
            _("A client id has 1 to 128 letters, digits or . _ : @ = - and no blanks."), code="client_id"
        )


def validate_certificate(value: str) -> None:
    """One or more certificates in PEM form."""
    from cryptography import x509  # 9 MB that an mqtt process has no use for

    try:
        x509.load_pem_x509_certificates(value.encode())
    except ValueError:
        raise ValidationError(
            _("This is no certificate. Paste the whole file from -----BEGIN CERTIFICATE----- on."), code="certificate"
        ) from None


def validate_private_key(value: str) -> None:
    """A private key in PEM form without a passphrase."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # as above

    try:
        load_pem_private_key(value.encode(), password=None)
    except TypeError:
        raise ValidationError(
            _("This key has a passphrase. Store it without one; it is encrypted here."), code="key"
        ) from None
    except ValueError:
        raise ValidationError(
            _("This is no private key. Paste the whole file from -----BEGIN … PRIVATE KEY----- on."), code="key"
        ) from None
