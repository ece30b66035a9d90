"""The way to the broker: name, TCP, TLS and WebSocket, each on plain sockets that are closed at once."""

import socket
import ssl

from mqtt.enums import StepState
from mqtt.exceptions import ReasonError
from mqtt.services.connection_tester.steps import Found
from mqtt.services.probes import network, tls, websocket
from mqtt.services.probes.certificate_facts import CertificateFacts
from mqtt.services.sessions.connection_settings import ConnectionSettings, tls_context


class Way:
    """The probes of one connection; each step builds on what the one before found."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._addresses: list[network.Address] = []

    def look_up(self, seconds: float) -> Found:
        """Which addresses the host has."""
        host = self._settings.host
        self._addresses = network.look_up(host, self._settings.port, seconds)
        if network.is_address(host):
            return Found("test_name_is_address", {"host": host})
        shown = ", ".join(dict.fromkeys(address.text for address in self._addresses))
        return Found("test_name_ok", {"host": host, "addresses": shown})

    def dial(self, seconds: float) -> Found:
        """Whether the port answers; later steps use the address that did."""
        wire, address = network.dial(self._addresses, seconds)
        wire.close()
        self._addresses = [address]
        return Found("test_tcp_ok", {"port": self._settings.port, "address": address.text})

    def secure(self, seconds: float) -> Found:
        """What the broker's certificate says, and whether it can be believed."""
        shaken = self._shake_hands(seconds)
        shaken.wire.close()
        facts = _facts(shaken.certificate) | {"version": shaken.version}
        if not self._settings.tls_verify:
            return Found("test_tls_unchecked", facts, StepState.WARNING)
        if shaken.certificate.days_left < tls.SOON:
            return Found("test_tls_expiring", facts, StepState.WARNING)
        return Found("test_tls_ok", facts)

    def open_websocket(self, seconds: float) -> None:
        """Whether the web server opens a WebSocket at our path. Raises ReasonError when not."""
        wire: socket.socket = self._shake_hands(seconds).wire if self._settings.is_encrypted else self._wire(seconds)
        with wire:
            websocket.upgrade(wire, self._settings.address, self._settings.websocket_path, seconds)

    def wants_tls(self, seconds: float) -> bool:
        """Whether a port that stays silent to plain MQTT answers to TLS."""
        try:
            return tls.speaks_tls(self._wire(seconds), self._settings.host, seconds)
        except ReasonError:
            return False

    def _wire(self, seconds: float) -> socket.socket:
        return network.dial(self._addresses, seconds)[0]

    def _shake_hands(self, seconds: float) -> tls.Handshake:
        own = self._settings
        context = _context(own)
        settings = tls.TlsSettings(own.host, own.ca_certificate, own.client_certificate, own.alpn)
        with self._wire(seconds) as wire:  # once encrypted, closing it is the handshake's business
            return tls.shake_hands(wire, lambda: self._wire(seconds), context, settings, seconds)


def _context(settings: ConnectionSettings) -> ssl.SSLContext:
    try:
        return tls_context(settings)
    except (OSError, ValueError) as error:
        code = "tls_own_certificate" if settings.client_certificate else "tls_ca_broken"
        raise ReasonError(code) from error


def _facts(certificate: CertificateFacts) -> dict[str, str | int]:
    return {
        "names": certificate.names,
        "issuer": certificate.issuer,
        "ends_on": certificate.ends.date().isoformat(),
        "days": certificate.days_left,
    }
