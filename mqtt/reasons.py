"""Why something failed, as a code with its facts in the database and a sentence in the reader's language here.

Each sentence says what happened, where, and what to do. Facts come from devices and brokers: they are
filled in as plain text and escaped by the template.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
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
    "secrets_for_new_address": _(
        "Host, port or transport change: give the stored password and client key again for the new address, or "
        "remove them."
    ),
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
    # connection test: name
    "test_name_ok": _("%(host)s is %(addresses)s."),
    "test_name_is_address": _("%(host)s is an address already, there is no name to look up."),
    "test_name_unknown": _(
        "No name server knows %(host)s. Check how the host is written, or write its IP address instead."
    ),
    "test_name_invalid": _("%(host)s cannot be a host name. Write one like broker.example.org, or an IP address."),
    "test_name_no_server": _(
        "The name servers of this computer do not answer, so %(host)s could not be looked up. "
        "Check this computer’s network, or write the broker’s IP address instead."
    ),
    # connection test: TCP
    "test_tcp_ok": _("Port %(port)s answers at %(address)s."),
    "test_tcp_refused": _(
        "The computer at %(address)s is there, but nothing listens on port %(port)s. Check the port "
        "(usual are 1883, with TLS 8883) and whether the broker runs."
    ),
    "test_tcp_refused_here": _(
        "Nothing listens on port %(port)s of this computer. Check the port and start the broker. "
        "Inside a container, localhost is the container itself: write the name of the broker’s computer."
    ),
    "test_tcp_timeout": _(
        "Nothing came back from %(address)s port %(port)s within %(seconds)s s. Mostly a firewall on the way "
        "drops the traffic, or the computer is off. Have the port opened for this computer."
    ),
    "test_tcp_unreachable": _(
        "There is no way from this computer to %(address)s. Check its network, VPN or routes; "
        "the settings of this connection may be right."
    ),
    "test_tcp_failed": _("The link to %(address)s port %(port)s failed: %(detail)s."),
    # connection test: TLS
    "test_tls_ok": _(
        "%(version)s. The certificate is for %(names)s, issued by %(issuer)s, and good until %(ends_on)s."
    ),
    "test_tls_expiring": _(
        "The broker’s certificate is good only until %(ends_on)s, days left: %(days)s. Have it renewed there in time; "
        "nothing needs changing here."
    ),
    "test_tls_unchecked": _(
        "The link is encrypted, but the certificate (for %(names)s, issued by %(issuer)s) is not checked: anybody on "
        "the way can pretend to be the broker. Switch the check on in the settings of this connection."
    ),
    "test_tls_expired": _(
        "The broker’s certificate expired on %(expired_on)s. Renew it there; nothing needs changing here."
    ),
    "test_tls_not_yet": _(
        "The broker’s certificate is good only from %(begins_on)s on. Check the clock of this computer; "
        "if it is right, the broker’s keeper has to wait or to issue another."
    ),
    "test_tls_wrong_name": _(
        "The broker’s certificate is for %(names)s, not for %(host)s. Write one of those names as the host, "
        "or have a certificate issued for %(host)s."
    ),
    "test_tls_self_signed": _(
        "The broker’s certificate (%(subject)s) is signed by nobody but itself. If its SHA-256 fingerprint is the "
        "one that the broker’s keeper tells you, paste the certificate here as the CA certificate. "
        "Fingerprint: %(fingerprint)s"
    ),
    "test_tls_unknown_issuer": _(
        "The broker’s certificate was issued by %(issuer)s, whom this computer does not know. Ask for the issuer’s "
        "certificate and paste it here as the CA certificate."
    ),
    "test_tls_other_issuer": _(
        "The broker’s certificate was issued by %(issuer)s, but this connection trusts only %(trusted)s. "
        "Paste the right issuer’s certificate as the CA certificate."
    ),
    "test_tls_client_required": _(
        "The broker lets in only who shows a client certificate. Ask its keeper for one, and paste certificate and "
        "key here."
    ),
    "test_tls_client_expired": _(
        "The client certificate of this connection expired on %(expired_on)s. Ask the broker’s keeper for a new one "
        "and paste it here."
    ),
    "test_tls_client_refused": _(
        "The broker does not accept the client certificate of this connection, issued by %(issuer)s. It says: "
        "%(detail)s. Ask its keeper which issuer it trusts."
    ),
    "test_tls_client_broken": _(
        "The client certificate and the client key of this connection do not belong together, or one is missing. "
        "Paste both again."
    ),
    "test_tls_ca_broken": _("The CA certificate of this connection cannot be read. Paste the whole file again."),
    "test_tls_not_tls": _(
        "The port answers, but not with TLS. It is the unencrypted port: choose TCP instead of TLS (or WS instead of "
        "WSS), or the broker’s TLS port, often 8883."
    ),
    "test_tls_closed": _(
        "The broker closed the link in the middle of the TLS handshake. Mostly this is its unencrypted port: "
        "try its TLS port, often 8883. Else its log says why."
    ),
    "test_tls_timeout": _(
        "The port answers, but not to a TLS handshake within %(seconds)s s. It is probably the unencrypted port: try "
        "the broker’s TLS port, often 8883."
    ),
    "test_tls_version": _(
        "The broker offers no version of TLS that is still safe. Have TLS 1.2 or 1.3 switched on there; "
        "nothing needs changing here."
    ),
    "test_tls_alpn": _("The broker refuses the ALPN name %(alpn)s. Correct or clear it in the settings."),
    "test_tls_failed": _("The TLS handshake failed: %(detail)s. The broker’s log may say more."),
    # connection test: WebSocket
    "test_ws_no_answer": _(
        "The port answers, but not to a web request within %(seconds)s s. It is probably the plain MQTT port: choose "
        "TCP or TLS, or the broker’s WebSocket port."
    ),
    "test_ws_not_http": _(
        "The port does not speak HTTP. It is probably the plain MQTT port: choose TCP or TLS, or the broker’s "
        "WebSocket port."
    ),
    "test_ws_not_found": _(
        "The broker’s web server knows no %(path)s. Correct the WebSocket path; many brokers use /mqtt, /ws or /."
    ),
    "test_ws_moved": _("The web server sends us on to %(location)s. Write that host and path in the settings."),
    "test_ws_forbidden": _(
        "The web server in front of the broker refuses the WebSocket (HTTP %(status)s). It wants a login of its own, "
        "or allows only certain addresses: ask its keeper."
    ),
    "test_ws_refused": _(
        "The web server answers HTTP %(status)s instead of opening a WebSocket at %(path)s. Check the path, and "
        "whether the proxy in front of the broker passes WebSockets on."
    ),
    # connection test: MQTT
    "test_connect_ok": _("The broker accepted us, with MQTT %(protocol)s."),
    "test_connect_wants_tls": _(
        "Port %(port)s expects TLS, but this connection speaks plain MQTT. Choose the transport TLS, or the broker’s "
        "plain port, often 1883."
    ),
    "test_connect_old_version": _(
        "The broker does not answer to MQTT 5, but it does to MQTT 3.1.1. Choose MQTT 3.1.1 in the settings."
    ),
    "test_subscribe_none": _("This connection has no active topic filter. Add one; # stands for everything."),
    "test_subscribe_cut": _(
        "The broker closed the link when asked for the filters, which mostly means that this user may not subscribe "
        "to one of them. Check the access rules there, or ask for less."
    ),
    "test_subscribe_no_answer": _("The broker did not answer to this filter within %(seconds)s s."),
    "test_filter_granted": _("Granted with QoS %(qos)s."),
    "test_message_ok": _(
        "A message came after %(seconds)s s on %(topic)s. Devices found so far: %(devices)s, values: %(values)s."
    ),
    "test_message_none": _(
        "The link works, but nothing was published on these filters within %(seconds)s s. Check that devices are "
        "switched on and publish to this broker, that the filters fit their topics (# is everything), and that this "
        "user may read them: some brokers grant a filter and then send nothing."
    ),
    "test_message_retained": _(
        "The broker sent only what it had kept, messages: %(messages)s. Nothing new was published within "
        "%(seconds)s s; check that the devices are switched on, or wait for their next turn."
    ),
    "test_message_undecoded": _(
        "Messages arrive, the first on %(topic)s, but none of %(messages)s was understood. Look at “Not understood” "
        "for the reasons; another decoder can be chosen for a filter."
    ),
    "test_interrupted": _("The mqtt process was stopped during this step. Start the test again."),
    "test_failed": _("This step failed in a way that we did not foresee. The log of the mqtt process says more."),
}


def explain(code: str, context: Mapping[str, Any] | None = None) -> str:
    """The sentence for a reason in the active language; an unknown code is shown as it is."""
    if not code:
        return ""
    sentence = REASONS.get(code)
    if sentence is None:
        return code
    try:
        return str(sentence) % {name: _shown(name, value) for name, value in (context or {}).items()}
    except (KeyError, ValueError, TypeError):
        return str(sentence)


def _shown(name: str, value: Any) -> Any:
    """Facts called `…_on` are dates in ISO form and read as the language writes them."""
    day = parse_date(value) if name.endswith("_on") and isinstance(value, str) else None
    return date_format(day) if day else value
