"""Reads certificates with a library of 9 MB, which is loaded when somebody looks at one."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from mqtt.services.probes.certificate_facts import CertificateFacts

MOST_NAMES = 5
LONGEST_NAME = 120

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What a damaged certificate raises, as soon as one looks into it."""


def read(data: bytes, *, is_pem: bool) -> CertificateFacts:
    """The facts of a certificate, of the first one of a PEM text. Raises ValueError when it cannot be read."""
    try:
        return _facts(x509.load_pem_x509_certificates(data)[0] if is_pem else x509.load_der_x509_certificate(data))
    except UNREADABLE as error:
        raise ValueError(str(error)) from error


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    subject = _called(certificate.subject)
    names = _hosts(certificate)
    shown = ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
    return CertificateFacts(
        subject=subject,
        issuer=_called(certificate.issuer),
        names=shown or subject,
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        is_self_signed=certificate.issuer == certificate.subject,
    )


def _called(name: x509.Name) -> str:
    """The common name, else the organisation, else the whole name; always short and printable."""
    for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(wanted)
        if found and str(found[0].value).strip():
            return _printable(str(found[0].value))
    return _printable(name.rfc4514_string()) or "?"


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    hosts = [*listed.get_values_for_type(x509.DNSName)]
    hosts += [str(address) for address in listed.get_values_for_type(x509.IPAddress)]
    return [_printable(host) for host in hosts]


def _printable(text: str) -> str:
    """A certificate is a stranger's text: no control characters, no endless names."""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:LONGEST_NAME]
