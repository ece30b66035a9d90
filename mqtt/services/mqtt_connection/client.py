"""A paho client for one attempt at a broker: transport, TLS, credentials, last will."""

import socket
import ssl
from contextlib import suppress
from typing import Any

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, MQTTv5, MQTTv311, WebsocketConnectionError
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqtt import topics
from mqtt.services.mqtt_connection.bounded_client import BoundedClient
from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.connection_settings import ConnectionSettings, tls_context
from mqtt.services.sessions.link_reasons import LinkError, Reason

CONNECT_TIMEOUT = 10.0
"""Seconds for TCP, and again for TLS and the WebSocket handshake."""

OPENING_TIMEOUT = 2 * CONNECT_TIMEOUT + 5.0
"""Seconds for all of these together: each byte of a handshake that never ends comes in time."""

SESSION_EXPIRY = 24 * 60 * 60
"""Seconds for which an MQTT 5 broker keeps messages for us while we are away."""

RECEIVE_MAXIMUM = 5_000
"""MQTT 5: how many messages a broker may send before we acknowledge the first."""

OWN_WILL = b"offline"


def build_client(settings: ConnectionSettings, *, client_id: str, clean: bool) -> BoundedClient:
    """A paho client that is ready for `connect_client`; a clean one keeps no session and announces nothing.

    Raises LinkError when certificate and key cannot be used.
    """
    client = BoundedClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if settings.is_v5 else clean,
        protocol=MQTTv5 if settings.is_v5 else MQTTv311,
        transport="websockets" if settings.is_websocket else "tcp",
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = CONNECT_TIMEOUT
    # A failing callback must not end the thread that drives the socket; ours catch what they can.
    client.suppress_exceptions = True
    # With this set, packets queued by other threads are left to the driving thread, which alone writes.
    client.on_socket_register_write = _leave_writing_to_the_driver
    if settings.username:
        client.username_pw_set(settings.username, settings.password or None)
    if settings.is_websocket:
        client.ws_set_options(path=_websocket_path(settings), headers={"Host": settings.address})
    if settings.is_encrypted:
        try:
            client.tls_set_context(tls_context(settings))
        except (ssl.SSLError, OSError, ValueError) as error:
            code = "tls_own_certificate" if settings.client_certificate else "tls_ca_broken"
            raise LinkError(Reason(code, is_error=True)) from error
    if not clean:
        client.will_set(topics.own_status_topic(client_id), OWN_WILL, qos=1, retain=True)
    return client


def connect_client(client: BoundedClient, settings: ConnectionSettings, *, clean: bool) -> None:
    """Open socket, TLS and WebSocket, and queue the CONNECT; blocks. Raises LinkError."""
    properties = None
    if settings.is_v5:
        expiry = 0 if clean else SESSION_EXPIRY
        properties = properties_of(PacketTypes.CONNECT, ReceiveMaximum=RECEIVE_MAXIMUM, SessionExpiryInterval=expiry)
    try:
        with client.opening(OPENING_TIMEOUT):
            client.connect(
                settings.host,
                settings.port,
                settings.keepalive,
                clean_start=clean if settings.is_v5 else MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
    except WebsocketConnectionError as error:
        raise LinkError(link_reasons.plain("websocket_refused", settings, is_error=True)) from error
    except Exception as error:
        raise LinkError(link_reasons.of_exception(error, settings)) from error
    sock: Any = client.socket()
    with suppress(AttributeError, OSError):  # paho's wrapper of a WebSocket hides it
        # What is written is whole packets; the system must not hold a second one back until the first arrived.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def properties_of(packet: int, **values: int) -> Properties:
    """MQTT 5 properties of one packet."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _websocket_path(settings: ConnectionSettings) -> str:
    """The path without anything that could end the request's first line."""
    path = "".join(letter for letter in settings.websocket_path if letter.isprintable() and letter != " ")
    return path if path.startswith("/") else f"/{path}"


def _leave_writing_to_the_driver(_client: Client, _userdata: Any, _sock: Any) -> None:
    """Stands where paho would otherwise write from whichever thread queued a packet."""
