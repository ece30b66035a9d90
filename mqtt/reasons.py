"""Why something failed, as a code with its facts in the database and a sentence in the reader's language here.

Each sentence says what happened, where, and what to do. Facts come from devices and brokers: they are
filled in as plain text and escaped by the template.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    # topic filters
    "filter_empty": _("Write a topic filter, for example site/+/temperature or # for everything."),
    "filter_length": _("A topic filter has at most 65,535 bytes and no NUL character."),
    "filter_share": _("A shared subscription is written $share/group/filter."),
    "filter_hash_last": _("# may stand only as the last level, for example site/#."),
    "filter_wildcard_alone": _("+ and # must fill a level alone, for example site/+/value."),
    "filter_overlap": _(
        "This filter and %(other)s cover the same topics; some brokers then deliver messages twice. Keep one of them."
    ),
    "filter_twice": _("This filter stands here twice. Keep one of them."),
    "filter_count": _("A connection has at most %(limit)s filters. One # covers everything."),
    # requests that are refused
    "not_enabled": _("%(name)s is disabled. Enable it first."),
    "name_taken": _("Another connection already has the name %(name)s."),
    "client_id_taken": _("Another connection already uses the client id %(client_id)s."),
    "enabled_while_deleted": _("Somebody enabled %(name)s while it was being deleted, so it was kept."),
    "not_held": _("No mqtt process holds this connection, so nothing is known of it. Start one with scripts/run."),
    "test_waits": _("No mqtt process has begun the test yet. Start one with scripts/run."),
    "no_such_role": _("There is no role %(role)s. Roles are viewer, operator and administrator."),
    "last_administrator": _("%(name)s is the last administrator. Make somebody else administrator first."),
    "gone": _("%(name)s was deleted meanwhile."),
    # undecoded messages
    "empty": _("The message has no content."),
    "not_utf8": _("The content is not text: byte %(position)s is not valid UTF-8."),
    "not_json": _("The content begins like JSON but is broken: %(detail)s."),
    "too_large": _("The content has %(size)s bytes; up to %(limit)s are decoded."),
    "too_deep": _("The JSON is nested deeper than %(limit)s levels."),
    "too_many_values": _("The message holds more than %(limit)s values."),
    "no_values": _("The message holds no value that can be stored as a reading."),
    "no_number": _("The value is no number that can be stored: it is not finite or missing."),
    "binary": _("The content holds control characters: it is binary data, not text."),
    "long_name": _("The name of the value is longer than %(limit)s characters."),
    "long_text": _("The content is a text of %(size)s characters, too long for a reading."),
    "topic_too_long": _("The topic has %(size)s bytes; devices are recognised by topics of up to %(limit)s."),
    # availability of devices
    "heard": _("It sent a message."),
    "said": _("It said so, or its last will did."),
    "device_silent": _("Nothing was heard from it for too long."),
    "gateway_offline": _("Its gateway is offline."),
    "datalogger_offline": _("Its datalogger is offline."),
    # messages that cannot be stored
    "refused_by_database": _("The database refused what this message holds: %(detail)s."),
    "decoder_failed": _("The decoder %(decoder)s failed on this message. Please report it."),
    # broker links: what happened, where, what to do
    "dns_unknown": _("No address is known for %(host)s. Check the host's spelling and this computer's DNS."),
    "dns_failed": _("The name server did not answer for %(host)s. Check this computer's network."),
    "refused": _("Nothing listens at %(address)s. Check the port and whether the broker runs."),
    "timeout": _("%(address)s did not answer in time. Check the host, the port and the firewalls on the way."),
    "unreachable": _("There is no way to %(host)s from here. Check this computer's network, routes or VPN."),
    "link_failed": _("The connection to %(address)s failed: %(detail)s."),
    "closed_early": _(
        "%(address)s closed the connection before it answered as a broker. Check the port, and whether it expects TLS."
    ),
    "tls_closed": _(
        "%(address)s closed the connection during the TLS handshake. Check the port, and whether it expects TLS."
    ),
    "tls_not_spoken": _("%(address)s does not speak TLS. Choose the transport without TLS, or the broker's TLS port."),
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
    "tls_own_certificate": _("The client certificate and its key do not fit together: %(detail)s. Paste both again."),
    "tls_failed": _("TLS with %(address)s failed: %(detail)s."),
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
    "not_mqtt": _("What %(address)s sent is not MQTT. Check the port."),
    "secret_unreadable": _(
        "The stored password or key cannot be read: it was encrypted with another CREDENTIALS_KEY. Enter it again."
    ),
    "internal_error": _("Vedetta failed on this connection: %(detail)s. Please report it."),
    "session_not_ended": _(
        "Switched off. The broker at %(address)s could not be told to forget the session yet; it is tried again."
    ),
    "silent": _("The link is up, but nothing arrived for %(minutes)s minutes."),
    "filters_refused": _("The broker refuses every topic filter of this connection. Check its access rules."),
    "some_filters_refused": _("The broker refuses %(count)s of %(total)s topic filters. Check its access rules."),
    # a broker's answer to one topic filter
    "filter_refused": _("The broker refuses this filter. Check its access rules."),
    "filter_not_authorised": _("This client may not subscribe to this filter. Check the broker's access rules."),
    "filter_invalid": _("The broker says that this filter is not valid."),
    "filter_quota": _("The broker allows no more subscriptions for this client."),
    "filter_unsupported": _("The broker does not support this kind of filter: %(detail)s."),
    "filter_qos_lowered": _("The broker grants QoS %(granted)s instead of %(wanted)s."),
}


def explain(code: str, context: Mapping[str, Any] | None = None) -> str:
    """The sentence for a reason in the active language; an unknown code is shown as it is."""
    if not code:
        return ""
    sentence = REASONS.get(code)
    if sentence is None:
        return code
    try:
        return str(sentence) % (context or {})
    except (KeyError, ValueError, TypeError):
        return str(sentence)
