"""Does the port speak TLS, and can its certificate be believed?"""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mqtt.exceptions import ReasonError
from mqtt.services.probes.certificate_facts import CertificateFacts
from mqtt.services.probes.certificates import read_der, read_pem

SOON = 30
"""Days before its end at which a certificate is worth a warning."""
LAST_WORD = 0.4
"""Seconds in which a broker complains about a client certificate after a TLS 1.3 handshake, at least."""

# OpenSSL's X509_V_ERR numbers, see its manual page X509_STORE_CTX_get_error.
NOT_YET, EXPIRED, SELF_SIGNED = 9, 10, 18
UNKNOWN_ISSUERS = {2, 19, 20, 21, 27}
WRONG_NAMES = {62, 64}

NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}
OLD_TLS = {
    "UNSUPPORTED_PROTOCOL",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "DH_KEY_TOO_SMALL",
}
WANTS_CLIENT = {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"}
REFUSES_CLIENT = {
    "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_DECRYPT_ERROR",
}


Redial = Callable[[], socket.socket]


@dataclass(frozen=True)
class TlsSettings:
    """What a connection brings to the handshake; certificates as PEM."""

    server_name: str
    ca_certificate: str = ""
    client_certificate: str = ""
    alpn: str = ""


@dataclass(frozen=True)
class Handshake:
    """A link that is encrypted now, and whose certificate it saw."""

    wire: ssl.SSLSocket
    version: str
    certificate: CertificateFacts


def unverified() -> ssl.SSLContext:
    """Takes any certificate: to read what a broker shows, never to send something."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shake_hands(
    wire: socket.socket, redial: Redial, context: ssl.SSLContext, settings: TlsSettings, seconds: float
) -> Handshake:
    """Encrypt `wire` as the session would; `redial` gives a second link when a certificate is not believed."""
    wire.settimeout(seconds)
    started = time.monotonic()
    try:
        secure = context.wrap_socket(wire, server_hostname=settings.server_name)
    except ssl.SSLCertVerificationError as error:
        raise _unbelieved(error, _seen(redial, settings, seconds), settings) from error
    except OSError as error:
        raise _failed(error, settings, seconds) from error
    try:
        # With TLS 1.3 a broker judges the client's certificate after the handshake has succeeded for us.
        _listen(secure, max(LAST_WORD, 3 * (time.monotonic() - started)), settings)
        return Handshake(secure, str(secure.version()), _read(secure.getpeercert(binary_form=True) or b""))
    except ReasonError:
        secure.close()
        raise


def speaks_tls(wire: socket.socket, server_name: str, seconds: float) -> bool:
    """Whether the other side answers a TLS handshake, whatever its certificate."""
    wire.settimeout(seconds)
    try:
        with unverified().wrap_socket(wire, server_hostname=server_name):
            return True
    except ssl.SSLError as error:
        # A complaint about our certificate or version is TLS as well; other bytes or an end are not.
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False


def _read(der: bytes) -> CertificateFacts:
    try:
        return read_der(der)
    except ValueError as error:
        raise ReasonError("tls_failed", detail=str(error)[:200]) from error


def _seen(redial: Redial, settings: TlsSettings, seconds: float) -> CertificateFacts | None:
    """The certificate of a broker that is not believed: nothing is sent to it, and the link closed."""
    try:
        wire = redial()
        wire.settimeout(seconds)
        with unverified().wrap_socket(wire, server_hostname=settings.server_name) as secure:
            return read_der(secure.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError, ReasonError):
        return None


def _listen(secure: ssl.SSLSocket, seconds: float, settings: TlsSettings) -> None:
    secure.settimeout(seconds)
    try:
        if not secure.recv(1):
            raise ReasonError("tls_closed")
    except TimeoutError:
        return  # a broker waits for our first word: all is well
    except OSError as error:
        raise _failed(error, settings, seconds) from error


def _unbelieved(
    error: ssl.SSLCertVerificationError, shown: CertificateFacts | None, settings: TlsSettings
) -> ReasonError:
    if shown is None:
        return ReasonError("tls_failed", detail=error.verify_message)
    if error.verify_code == EXPIRED and shown.ends < datetime.now(UTC):
        return ReasonError("test_tls_expired", expired_on=shown.ends.date().isoformat())
    if error.verify_code == NOT_YET:
        return ReasonError("test_tls_not_yet", begins_on=shown.begins.date().isoformat())
    if error.verify_code in WRONG_NAMES:
        return ReasonError("test_tls_wrong_name", host=settings.server_name, names=shown.names)
    if error.verify_code == SELF_SIGNED:
        return ReasonError("test_tls_self_signed", subject=shown.subject, fingerprint=shown.fingerprint)
    if error.verify_code in UNKNOWN_ISSUERS:
        trusted = read_pem(settings.ca_certificate)
        if trusted:
            return ReasonError("test_tls_other_issuer", issuer=shown.issuer, trusted=trusted.subject)
        return ReasonError("test_tls_unknown_issuer", issuer=shown.issuer)
    return ReasonError("tls_failed", detail=error.verify_message)


def _failed(error: OSError, settings: TlsSettings, seconds: float) -> ReasonError:
    if isinstance(error, TimeoutError):
        return ReasonError("test_tls_timeout", seconds=round(seconds))
    said = getattr(error, "reason", None) or ""
    if said in NO_TLS:
        return ReasonError("tls_not_spoken")
    if said in OLD_TLS:
        return ReasonError("test_tls_version")
    if said == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
        return ReasonError("test_tls_alpn", alpn=settings.alpn or "-")
    if said in WANTS_CLIENT | REFUSES_CLIENT:
        return _about_client(said, settings)
    if isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ReasonError("tls_closed")
    return ReasonError("tls_failed", detail=(said or error.strerror or str(error))[:200])


def _about_client(said: str, settings: TlsSettings) -> ReasonError:
    own = read_pem(settings.client_certificate)
    if own is None:
        return ReasonError("test_tls_client_required")
    if own.days_left < 0:
        return ReasonError("test_tls_client_expired", expired_on=own.ends.date().isoformat())
    return ReasonError(
        "test_tls_client_refused", issuer=own.issuer, detail=said.partition("ALERT_")[2].replace("_", " ")
    )
