"""Why a broker link failed or ended: exceptions and MQTT codes become reasons that a person can act on.

A reason is a code of `reasons.REASONS` with its facts, whether somebody must mend something (`is_error`) or
it may pass by itself, and how long to wait at least before the next try.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from mqtt.services.probes.network import UNREACHABLE
from mqtt.services.sessions.connection_settings import ConnectionSettings

LONG_WAIT = 300.0
"""Seconds after refused credentials: asking more often locks accounts and mends nothing."""

SHORT_SESSION = 600
"""Seconds for which a broker keeps our session: less is worth a word, a computer's update takes longer."""

TAKEN_OVER_WAIT = 60.0
"""Seconds after another client took our session: two that reconnect at once would chase each other."""


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` and `context` as in `reasons`; `wait` in seconds, 0: the usual backoff."""

    code: str
    context: Mapping[str, str | int | float] = field(default_factory=dict)
    is_error: bool = False
    wait: float = 0.0


class LinkError(Exception):
    """A link that could not be opened."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


CERTIFICATE_CODES = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_self_signed",
    19: "tls_self_signed",
    2: "tls_unknown_issuer",
    20: "tls_unknown_issuer",
    21: "tls_unknown_issuer",
    23: "tls_revoked",
    27: "tls_unknown_issuer",
    62: "tls_wrong_name",
    64: "tls_wrong_name",
}
"""OpenSSL's verification codes (X509_V_ERR_*)."""

CLIENT_CERTIFICATE_ALERTS = (
    "CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_REVOKED", "UNSUPPORTED_CERTIFICATE", "ALERT_DECRYPT_ERROR", "ALERT_ACCESS_DENIED",
)  # fmt: skip
"""What a broker shouts when it does not like ours, in OpenSSL's words."""

REFUSALS: dict[int, tuple[str, bool, float]] = {
    132: ("protocol_refused", True, 0),
    133: ("client_id_rejected", True, LONG_WAIT),
    134: ("bad_credentials", True, LONG_WAIT),
    135: ("not_authorised", True, LONG_WAIT),
    136: ("server_unavailable", False, 0),
    137: ("server_busy", False, 0),
    138: ("banned", True, LONG_WAIT),
    140: ("bad_credentials", True, LONG_WAIT),
    159: ("server_busy", False, 60),
}
"""Reason codes of CONNACK: code, somebody must mend it, seconds to wait."""

PROTOCOL_ERROR, KEEPALIVE_TIMEOUT = 130, 141

ENDINGS: dict[int, tuple[str, bool, float]] = {
    135: ("not_authorised", True, LONG_WAIT),
    137: ("server_busy", False, 0),
    139: ("server_shutdown", False, 0),
    KEEPALIVE_TIMEOUT: ("keepalive_timeout", False, 0),
    142: ("taken_over", True, TAKEN_OVER_WAIT),
    152: ("administrative", False, 0),
}
"""Reason codes of DISCONNECT, in the same shape."""


FILTER_REFUSALS = {
    135: "filter_not_authorised",
    143: "filter_invalid",
    151: "filter_quota",
    158: "filter_unsupported",
    161: "filter_unsupported",
    162: "filter_unsupported",
}
"""Reason codes of SUBACK; 3.1.1 knows only 128."""


PUBLISH_REFUSALS = {135: "command_not_authorised", 144: "command_topic_refused", 151: "command_quota"}
"""Reason codes of PUBACK; 3.1.1 has none."""
NOBODY_SUBSCRIBED = 16


def of_exception(error: BaseException, settings: ConnectionSettings) -> Reason:
    """Why opening the link failed."""
    if isinstance(error, LinkError):
        return error.reason
    facts = _facts(settings)
    if isinstance(error, ssl.SSLCertVerificationError):
        code = CERTIFICATE_CODES.get(error.verify_code, "tls_not_trusted")
        return Reason(code, facts | {"detail": error.verify_message or _text(error)}, is_error=True)
    if isinstance(error, ssl.SSLError):
        return of_tls_text(_text(error), settings)
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return Reason("dns_failed", facts)
        return Reason("dns_unknown", facts, is_error=True)
    if isinstance(error, ConnectionRefusedError):
        return Reason("refused", facts)
    if isinstance(error, TimeoutError):
        return Reason("timeout", facts)
    if isinstance(error, ConnectionError):
        return Reason("tls_closed" if settings.is_encrypted else "closed_early", facts)
    if isinstance(error, OSError) and error.errno in UNREACHABLE:
        return Reason("unreachable", facts)
    return Reason("link_failed", facts | {"detail": _text(error)}, is_error=not isinstance(error, OSError))


def of_tls_text(text: str, settings: ConnectionSettings) -> Reason:
    """Why TLS failed, by OpenSSL's words; also for a refusal that comes after the handshake (TLS 1.3)."""
    facts = _facts(settings)
    shouted = text.upper().replace(" ", "_")
    if "WRONG_VERSION_NUMBER" in shouted or "RECORD_LAYER_FAILURE" in shouted or "HTTP_REQUEST" in shouted:
        return Reason("tls_not_spoken", facts, is_error=True)
    if any(alert in shouted for alert in CLIENT_CERTIFICATE_ALERTS):
        return Reason("tls_client_certificate", facts, is_error=True)
    if "EOF" in shouted:
        return Reason("tls_closed", facts)
    return Reason("tls_failed", facts | {"detail": text}, is_error=True)


def of_refusal(value: int, name: str, settings: ConnectionSettings) -> Reason:
    """Why the broker refused the CONNECT, by its CONNACK code (3.1.1 codes as their MQTT 5 equals)."""
    code, is_error, wait = REFUSALS.get(value, ("refused_by_broker", True, 0.0))
    if code in ("bad_credentials", "not_authorised") and not settings.username:
        code = "credentials_missing"
    return Reason(code, _facts(settings) | {"detail": name}, is_error=is_error, wait=wait)


def of_ending(value: int, name: str, settings: ConnectionSettings) -> Reason:
    """Why a link that was up ended, by the code of the broker's DISCONNECT or of our own check."""
    code, is_error, wait = ENDINGS.get(value, ("ended_by_broker", False, 0.0))
    return Reason(code, _facts(settings) | {"detail": name}, is_error=is_error, wait=wait)


def of_disconnect(value: int, name: str, settings: ConnectionSettings, *, by_broker: bool, was_up: bool) -> Reason:
    """Why a link ended, by the broker's own DISCONNECT or by what the client library says."""
    if value == KEEPALIVE_TIMEOUT and not was_up:
        return of_silence(settings, settings.keepalive)
    if by_broker or value == KEEPALIVE_TIMEOUT:
        return of_ending(value, name, settings)
    if value == PROTOCOL_ERROR:
        return of_garbage(settings, was_up=was_up)
    return plain("link_lost" if was_up else "closed_early", settings)


def of_garbage(settings: ConnectionSettings, *, was_up: bool) -> Reason:
    """What came is no MQTT, or not the version that we speak."""
    return plain("not_mqtt" if was_up else "protocol_refused", settings, is_error=True)


def of_silence(settings: ConnectionSettings, seconds: float) -> Reason:
    """The broker took the connection and never answered the CONNECT."""
    code = "no_connack_v5" if settings.is_v5 else "no_connack"
    return Reason(code, _facts(settings) | {"seconds": round(seconds)}, is_error=True)


def of_session(seconds: int | None) -> Reason | None:
    """What is to be said of how long the broker keeps our session; None: long enough, or it did not say."""
    return Reason("session_short", {"seconds": seconds}) if seconds is not None and seconds < SHORT_SESSION else None


def of_filter(wanted_qos: int, value: int, name: str) -> Reason | None:
    """What is wrong with the broker's answer to one filter; None: it was granted as asked."""
    if value < 0x80:
        return None if value >= wanted_qos else Reason("filter_qos_lowered", {"granted": value, "wanted": wanted_qos})
    code = FILTER_REFUSALS.get(value, "filter_refused")
    return Reason(code, {"detail": name}, is_error=True)


def of_puback(value: int, name: str) -> Reason | None:
    """What is to be said of the broker's answer to a message of ours; None: it has it."""
    if value < 0x80:
        return Reason("command_unheard") if value == NOBODY_SUBSCRIBED else None
    return Reason(PUBLISH_REFUSALS.get(value, "command_refused"), {"detail": name}, is_error=True)


def of_publishing(text: str) -> Reason:
    """Why a message could not even be handed to the client library."""
    return Reason("command_failed", {"detail": text[:200]}, is_error=True)


def of_size(size: int, limit: int) -> Reason:
    """Why a message is not sent to a broker that takes no packets of its size."""
    return Reason("command_packet_too_large", {"size": size, "limit": limit}, is_error=True)


def of_failure(error: BaseException) -> Reason:
    """What went wrong inside."""
    return Reason("internal_error", {"detail": f"{type(error).__name__}: {_text(error)}"[:200]}, is_error=True)


def plain(code: str, settings: ConnectionSettings, *, is_error: bool = False, wait: float = 0.0) -> Reason:
    """A reason that needs only the facts of the connection."""
    return Reason(code, _facts(settings), is_error=is_error, wait=wait)


def _facts(settings: ConnectionSettings) -> dict[str, str | int | float]:
    return {
        "address": settings.address,
        "host": settings.host,
        "port": settings.port,
        "username": settings.username,
        "client_id": settings.client_id,
        "protocol": settings.protocol,
        "path": settings.websocket_path,
    }


def _text(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).replace("\0", "")[:200]  # in which PostgreSQL would refuse the report
