"""A connection's settings as a plain copy with readable secrets, for threads that must not touch the database."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from mqtt.encryption import decrypt
from mqtt.enums import ENCRYPTED_TRANSPORTS, WEBSOCKET_TRANSPORTS, Protocol
from mqtt.models import MqttConnection


class Filter(NamedTuple):
    """What to subscribe to."""

    topic_filter: str
    qos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """Everything a network thread needs to know of an MqttConnection; equal copies need no new session."""

    connection_id: int
    host: str
    port: int
    transport: str
    websocket_path: str
    protocol: str
    username: str
    password: str = field(repr=False)
    client_id: str
    keepalive: int
    ca_certificate: str = field(repr=False)
    client_certificate: str = field(repr=False)
    client_key: str = field(repr=False)
    tls_verify: bool
    alpn: str
    filters: tuple[Filter, ...] = ()
    reads_statistics: bool = False
    """Whether the broker is asked for what it says of itself."""

    @classmethod
    def of(cls, connection: MqttConnection) -> Self:
        """The copy of a connection and its active filters. Raises SecretUnreadableError."""
        active = [row for row in connection.subscriptions.all() if row.is_active]
        return cls(
            connection_id=connection.pk,
            host=connection.host.strip("[]"),
            port=connection.port,
            transport=connection.transport,
            websocket_path=connection.websocket_path or "/",
            protocol=connection.protocol,
            username=connection.username,
            password=decrypt(connection.password_token),
            client_id=connection.client_id,
            keepalive=connection.keepalive,
            ca_certificate=connection.ca_certificate,
            client_certificate=connection.client_certificate,
            client_key=decrypt(connection.client_key_token),
            tls_verify=connection.tls_verify,
            alpn=connection.alpn,
            reads_statistics=connection.reads_statistics,
            filters=tuple(Filter(row.topic_filter, row.qos) for row in active),
        )

    @property
    def address(self) -> str:
        """host:port, as one writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_v5(self) -> bool:
        """Whether the link speaks MQTT 5."""
        return self.protocol == Protocol.V5

    @property
    def is_encrypted(self) -> bool:
        """Whether the link runs inside TLS."""
        return self.transport in ENCRYPTED_TRANSPORTS

    @property
    def is_websocket(self) -> bool:
        """Whether the link runs inside a WebSocket."""
        return self.transport in WEBSOCKET_TRANSPORTS

    @property
    def broker_session(self) -> tuple[str, int, str]:
        """What names the session that the broker keeps for us: host, port, client id."""
        return (self.host, self.port, self.client_id)

    def with_client_id(self, client_id: str) -> Self:
        """The same settings under another client id."""
        return replace(self, client_id=client_id)


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext:
    """The TLS side of a link. Raises ssl.SSLError when certificate and key do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_certificate:
        context.load_verify_locations(cadata=settings.ca_certificate)
        # People paste the broker's own certificate or an intermediate one: that is enough to trust it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    else:
        context.load_default_certs()
    if not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.client_certificate:
        with _secret_file(f"{settings.client_certificate}\n{settings.client_key}\n") as path:
            context.load_cert_chain(path, password="")  # a passphrase must fail here, not ask on a terminal
    if settings.alpn:
        context.set_alpn_protocols([settings.alpn])
    return context


@contextmanager
def _secret_file(content: str) -> Iterator[str]:
    """A path that OpenSSL can read: in memory where the system offers that, else a file only we can read."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("vedetta")
        try:
            os.write(handle, content.encode())
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
    else:  # pragma: no cover - systems other than Linux
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as stream:
            stream.write(content)
            stream.flush()
            yield stream.name
