"""What a step of a connection test found, beyond the reasons of `links`."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    # name
    "test_name_ok": _("%(host)s is %(addresses)s."),
    "test_name_is_address": _("%(host)s is an address already, there is no name to look up."),
    "test_name_invalid": _("%(host)s cannot be a host name. Write one like broker.example.org, or an IP address."),
    # TCP
    "test_tcp_ok": _("Port %(port)s answers at %(address)s."),
    "test_tcp_refused_here": _(
        "Nothing listens on port %(port)s of this computer. Check the port and start the broker. "
        "Inside a container, localhost is the container itself: write the name of the broker’s computer."
    ),
    "test_tcp_timeout": _(
        "Nothing came back from %(address)s port %(port)s within %(seconds)s s. Mostly a firewall on the way "
        "drops the traffic, or the computer is off. Have the port opened for this computer."
    ),
    # TLS
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
    "test_tls_timeout": _(
        "The port answers, but not to a TLS handshake within %(seconds)s s. It is probably the unencrypted port: try "
        "the broker’s TLS port, often 8883."
    ),
    "test_tls_version": _(
        "The broker offers no version of TLS that is still safe. Have TLS 1.2 or 1.3 switched on there; "
        "nothing needs changing here."
    ),
    "test_tls_alpn": _("The broker refuses the ALPN name %(alpn)s. Correct or clear it in the settings."),
    # WebSocket
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
    # MQTT
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
