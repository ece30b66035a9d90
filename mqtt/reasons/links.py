"""Why a broker link failed or ended: for sessions, and for the steps of a connection test that fail alike."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    "dns_unknown": _("No name server knows %(host)s. Check how the host is written, or write its IP address instead."),
    "dns_failed": _(
        "The name servers of this computer do not answer, so %(host)s could not be looked up. "
        "Check this computer’s network, or write the broker’s IP address instead."
    ),
    "refused": _(
        "The computer at %(host)s is there, but nothing listens on port %(port)s. Check the port "
        "(usual are 1883, with TLS 8883) and whether the broker runs."
    ),
    "timeout": _("%(address)s did not answer in time. Check the host, the port and the firewalls on the way."),
    "unreachable": _("There is no way to %(host)s from here. Check this computer's network, routes or VPN."),
    "link_failed": _("The connection to %(address)s failed: %(detail)s."),
    "closed_early": _(
        "%(address)s closed the connection before it answered as a broker. Check the port, and whether it expects TLS."
    ),
    "tls_closed": _(
        "The broker closed the link in the middle of the TLS handshake. Mostly this is its unencrypted port: "
        "try its TLS port, often 8883. Else its log says why."
    ),
    "tls_not_spoken": _(
        "The port answers, but not with TLS. It is the unencrypted port: choose TCP instead of TLS (or WS instead of "
        "WSS), or the broker’s TLS port, often 8883."
    ),
    "tls_expired": _(
        "The certificate of %(address)s has expired. Renew it at the broker, or check this computer's clock."
    ),
    "tls_not_yet_valid": _("The certificate of %(address)s is not valid yet. Check this computer's clock."),
    "tls_wrong_name": _(
        "The certificate of %(address)s is for another name (%(detail)s). Write the name that stands in it as host."
    ),
    "tls_self_signed": _(
        "The certificate of %(address)s is signed by an issuer of the broker's own, which is not trusted here. "
        "Paste that issuer's certificate as CA certificate."
    ),
    "tls_unknown_issuer": _(
        "The issuer of the certificate of %(address)s is not trusted here. Paste its certificate as CA certificate."
    ),
    "tls_revoked": _("The certificate of %(address)s was revoked. The broker needs a new one."),
    "tls_not_trusted": _("The certificate of %(address)s cannot be trusted: %(detail)s."),
    "tls_client_certificate": _(
        "%(address)s did not accept the client certificate. Check certificate and key, and that the broker knows them."
    ),
    "tls_own_certificate": _(
        "The client certificate and the client key of this connection do not belong together, or one is missing. "
        "Paste both again."
    ),
    "tls_ca_broken": _("The CA certificate of this connection cannot be read. Paste the whole file again."),
    "tls_failed": _("The TLS handshake failed: %(detail)s. The broker’s log may say more."),
    "websocket_refused": _(
        "%(address)s did not open a WebSocket at %(path)s. Check the port and the path; /mqtt is the usual one."
    ),
    "no_connack": _(
        "%(address)s took the connection but did not answer as a broker within %(seconds)s s. Check the port."
    ),
    "no_connack_v5": _(
        "%(address)s did not answer MQTT 5 within %(seconds)s s. It may speak MQTT 3.1.1 only: choose that version."
    ),
    "protocol_refused": _(
        "%(address)s does not accept MQTT %(protocol)s, or is no MQTT broker. "
        "Choose the other version or check the port."
    ),
    "client_id_rejected": _("The broker rejects the client id %(client_id)s. Choose another one, or allow it there."),
    "bad_credentials": _("The broker refused the user name %(username)s or its password. Correct them."),
    "credentials_missing": _("The broker wants a user name and a password. Enter them with the connection."),
    "not_authorised": _(
        "The broker does not allow this client in (user name %(username)s, client id %(client_id)s). "
        "Check its access rules, or user name and password."
    ),
    "server_unavailable": _("The broker at %(address)s says that it is not available now."),
    "server_busy": _("The broker at %(address)s is too busy now."),
    "banned": _("The broker at %(address)s has banned this client. Ask whoever runs it."),
    "refused_by_broker": _("The broker at %(address)s refused the connection: %(detail)s."),
    "server_shutdown": _("The broker at %(address)s is shutting down."),
    "keepalive_timeout": _("%(address)s fell silent for longer than the keepalive. Check the network on the way."),
    "taken_over": _(
        "Another client connected with the client id %(client_id)s and took the session over. "
        "Give one of the two another client id."
    ),
    "closed_again": _(
        "The broker closes the connection soon after each connect. Another client may use the client id %(client_id)s, "
        "or the broker may not allow these topic filters."
    ),
    "administrative": _("Somebody closed the connection at the broker."),
    "ended_by_broker": _("The broker at %(address)s ended the connection: %(detail)s."),
    "link_lost": _("The connection to %(address)s broke off."),
    "sends_too_much": _(
        "%(address)s sends more than can be held, such as packets of many megabytes or messages without end. Check "
        "what is published there, and subscribe to less."
    ),
    "not_mqtt": _("What %(address)s sent is not MQTT. Check the port."),
    "secret_unreadable": _(
        "The stored password or key cannot be read: it was encrypted with another CREDENTIALS_KEY. Enter it again."
    ),
    "internal_error": _("Vedetta failed on this connection: %(detail)s. Please report it."),
    "session_not_ended": _(
        "Switched off. The broker at %(address)s could not be told to forget the session yet; it is tried again."
    ),
    "session_short": _(
        "After a break the broker keeps what is published for us for %(seconds)s s only; later it is lost. Allow "
        "longer sessions there."
    ),
    "silent": _("The link is up, but nothing arrived for %(silence_seconds)s."),
    "silent_usually": _(
        "The link is up, but nothing arrived for %(silence_seconds)s; usually something comes every "
        "%(interval_seconds)s."
    ),
    "filters_refused": _("The broker refuses every topic filter of this connection. Check its access rules."),
    "some_filters_refused": _("The broker refuses %(count)s of %(total)s topic filters. Check its access rules."),
}
