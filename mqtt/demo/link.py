"""The MQTT client of a simulated device: reconnects by itself, and can break its own link on purpose."""

import contextlib
import logging
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.demo.device import Publication
from mqtt.demo.fleet import Client

logger = logging.getLogger(__name__)

KEPT_OFFLINE = 200
"""Messages that a datalogger keeps while it has no link; older ones stay, newer ones are lost."""


@dataclass(frozen=True)
class Broker:
    """Where the devices publish."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: str = ""


class Link:
    """One client of the fleet on the wire."""

    def __init__(self, client: Client, broker: Broker) -> None:
        self.client = client
        self._broker = broker
        self._paho = PahoClient(CallbackAPIVersion.VERSION2, client_id=f"demo-{client.name}")
        self._paho.max_queued_messages_set(KEPT_OFFLINE)
        self._paho.on_connect = self._connected
        self._paho.on_disconnect = self._disconnected
        if broker.username:
            self._paho.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._paho.tls_set_context(ssl.create_default_context(cafile=broker.ca_file or None))
        will = client.devices[0].will()
        if will:
            self._paho.will_set(will.topic, will.payload, will.qos, will.retain)

    def start(self) -> None:
        """Begin to connect, in a thread of its own, until the process ends; returns at once."""
        self._paho.reconnect_delay_set(1, 15)
        self._paho.connect_async(self._broker.host, self._broker.port, keepalive=20)
        self._paho.loop_start()

    def publish(self, message: Publication) -> None:
        """Send, or keep for later when QoS 1 and not linked."""
        self._paho.publish(*message)

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted this client."""
        return self._paho.is_connected()

    def cut(self, seconds: int) -> None:
        """Break the link without a goodbye, so that the broker publishes the will; come back in about `seconds`."""
        self._paho.reconnect_delay_set(seconds, seconds)
        wire = self._paho.socket()
        if isinstance(wire, socket.socket):
            with contextlib.suppress(OSError):  # it broke by itself in this moment
                wire.shutdown(socket.SHUT_RDWR)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        # Runs in paho's thread. An exception here would end it.
        if reason.is_failure:
            logger.warning("%s was refused by the broker: %s", self.client.name, reason)
            return
        self._paho.reconnect_delay_set(1, 15)
        logger.info("%s is connected", self.client.name)
        now = time.time()
        for device in self.client.devices:
            for message in device.greetings(now):
                self.publish(message)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        logger.info("%s lost its link: %s", self.client.name, reason)
