"""The embedded broker: rumqttd's configuration, and who may log in."""

import ipaddress
import json
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.conf import settings

from mqtt.supervisor.state import write_whole

CONFIG_FILE = "broker.toml"

LARGEST_PAYLOAD = 2 * 1024 * 1024
"""Bytes. A larger publish ends the publisher's connection; rumqttd's own limit of 20 KB is too low for pictures."""
IN_FLIGHT = 100
"""Unacknowledged messages to one subscriber."""
SEGMENT = 16 * 1024 * 1024
SEGMENTS = 8
"""What rumqttd keeps in memory for each filter, for subscribers that are away: 128 MiB."""


@dataclass(frozen=True)
class BrokerSettings:
    """Where the embedded broker listens and which login it asks for; without user name none."""

    host: str
    port: int
    username: str = ""
    password: str = ""

    @classmethod
    def from_settings(cls) -> Self:
        """What the settings ask for: whoever listens beyond this machine asks for a login."""
        host, port = settings.EMBEDDED_BROKER_HOST, settings.EMBEDDED_BROKER_PORT
        if is_loopback(host):
            return cls(host, port)
        return cls(host, port, settings.EMBEDDED_BROKER_USERNAME, settings.EMBEDDED_BROKER_PASSWORD)

    @classmethod
    def read(cls, data_dir: Path) -> Self | None:
        """What the broker ran with the last time; None before the first."""
        with suppress(OSError, ValueError, KeyError):
            server = tomllib.loads((data_dir / CONFIG_FILE).read_text())["v4"]["1"]
            host, port = server["listen"].rsplit(":", 1)
            logins = server["connections"].get("auth", {})
            username, password = next(iter(logins.items()), ("", ""))
            return cls(host.strip("[]"), int(port), username, password)
        return None

    @property
    def reachable_at(self) -> str:
        """The host that a client on this machine connects to."""
        return reachable(self.host)

    def write(self, data_dir: Path) -> Path:
        """Write rumqttd's configuration, readable by its owner only, and return its path."""
        path = data_dir / CONFIG_FILE
        write_whole(path, self._toml())
        return path

    def _toml(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        text = f"""# Written at every start: change the settings EMBEDDED_BROKER_…, not this file.
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = {SEGMENT}
max_segment_count = {SEGMENTS}

[v4.1]
name = "v4-1"
listen = "{host}:{self.port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {LARGEST_PAYLOAD}
max_inflight_count = {IN_FLIGHT}
dynamic_filters = true
"""
        if self.username:
            # A JSON text is a TOML text too.
            text += f"\n[v4.1.connections.auth]\n{json.dumps(self.username)} = {json.dumps(self.password)}\n"
        return text


def reachable(host: str) -> str:
    """Where a client on this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
