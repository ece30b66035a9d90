"""Uplinks of further LoRaWAN network servers, on whatever topic: each is known by the names of its envelope.

Sources: the vendors' documentation of Actility ThingPark, Loriot, Kerlink Wanesy, MultiTech, Netmore, Everynet, Senet,
Helium and Tektelic. Another server is a row in SERVERS.
"""

from typing import Any, NamedTuple

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import first_moment, member, objects, take_object, text, told
from mqtt.decoders.lorawan.uplink import Reception, behind, best, give_units, heard, number
from mqtt.decoders.places import NAME_LENGTH
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DeviceRef


class Server(NamedTuple):
    """A network server: where in its envelope what stands; dots between levels, several places in one text."""

    mark: str
    """A key that gives it away."""
    needs: str
    """What else must be there."""
    device: str
    gateways: str
    """The list of those that heard the frame; empty: the message itself says it of one."""
    gateway: str
    rssi: str
    snr: str
    times: str
    payloads: str
    """Where a decoded payload may be; a text there is the frame itself."""
    name: str = ""
    inside: str = ""
    """The one object in which all of it is."""


SERVERS = (
    Server("DevEUI_uplink", "DevEUI_uplink", "DevEUI", "", "Lrrid", "LrrRSSI", "LrrSNR", "Time", "payload",
           "CustomerData.name", inside="DevEUI_uplink"),
    Server("EUI", "cmd fcnt", "EUI", "gws", "gweui", "rssi", "snr", "ts", "decoded decoded.data"),
    Server("endDevice", "endDevice fPort", "endDevice.devEui", "gwInfo", "gwEui", "rssi", "snr", "recvTime gwRecvTime",
           "payload decoded decodedPayload"),
    Server("deveui", "deveui appeui gweui", "deveui", "", "gweui", "rssi", "lsnr", "time", "decoded data_decoded"),
    Server("devEui", "devEui gatewayIdentifier", "devEui", "", "gatewayIdentifier", "rssi", "snr", "timestamp",
           "payload decoded"),
    Server("devEui", "devEui gwEui", "devEui", "", "gwEui", "rssi", "snr", "txtime rxtime time", "decoded payload"),
    Server("params", "params meta type", "meta.device", "", "meta.gateway", "params.radio.hardware.rssi",
           "params.radio.hardware.snr", "params.rx_time meta.time", "params.decoded params.payload"),
    Server("hotspots", "hotspots dev_eui", "dev_eui", "hotspots", "name", "rssi", "snr", "reported_at",
           "decoded.payload", "name"),
    Server("payloadMetaData", "payloadMetaData", "payloadMetaData.deviceMetaData.deviceEUI",
           "payloadMetaData.gatewayMetaDataList", "mac", "rssi", "snr", "payloadMetaData.time", "payload decoded",
           "payloadMetaData.deviceMetaData.name"),
)  # fmt: skip


MOST_UPLINKS = 200
"""In one message."""


class ServerDecoder:
    """Uplinks of the servers above; what is no uplink says nothing."""

    name = "lorawan-server"
    marks = frozenset(server.mark for server in SERVERS)

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """By the names of an envelope."""
        found = content.object
        if found is None:
            found = _first(content)
        return found is not None and not self.marks.isdisjoint(found) and _server(found) is not None

    def decode(self, content: Content) -> Decoded:
        """Readings are what the server's codec made of the frame."""
        decoded = Decoded(self.name)
        document = content.document
        for found in objects(document[:MOST_UPLINKS] if isinstance(document, list) else [document]):
            if (server := _server(found)) is not None:
                _uplink(server, found, content, decoded)
            if len(decoded.readings) > MAX_VALUES:
                raise UndecodableError("too_many_values", limit=MAX_VALUES)
        return decoded


def _first(content: Content) -> dict[str, Any] | None:
    try:
        document = content.document
    except UndecodableError:
        return None
    first = document[0] if isinstance(document, list) and document else document
    return first if isinstance(first, dict) else None


def _server(found: dict[str, Any]) -> Server | None:
    for server in SERVERS:
        if server.mark in found and found.keys() >= set(server.needs.split()):
            whole = member(found, server.inside) if server.inside else found
            if text(whole, *server.device.split(".")):
                return server
    return None


def _uplink(server: Server, found: dict[str, Any], content: Content, decoded: Decoded) -> None:
    whole = member(found, server.inside) if server.inside else found
    eui = text(whole, *server.device.split("."))[:NAME_LENGTH]
    reception = best(_receptions(server, whole))
    device = DeviceRef(content.topic if eui in content.topic else f"{content.topic}#{eui}", eui)
    device = behind(device, reception.gateway if reception else "", "gateway/")
    times = [member(whole, *path.split(".")) for path in server.times.split()]
    time_us = first_moment(content, *times)
    for path in server.payloads.split():
        readings = take_object(member(whole, *path.split(".")), device, content, decoded, time_us)
        give_units(readings)
        if readings:
            break
    facts = told(
        name=member(whole, *server.name.split(".")) if server.name else None,
        rssi=reception.rssi if reception else None,
        snr=reception.snr if reception else None,
    )
    heard(decoded, device, facts)


def _receptions(server: Server, whole: Any) -> list[Reception]:
    listed = member(whole, *server.gateways.split(".")) if server.gateways else [whole]
    if server.gateways and not isinstance(listed, list):
        listed = [whole]
    found = []
    for one in objects(listed)[:100]:
        rssi, snr = (number(member(one, *path.split("."))) for path in (server.rssi, server.snr))
        name = text(one, *server.gateway.split("."))[:NAME_LENGTH]
        if name or rssi is not None:
            found.append(Reception(name, rssi, snr, None))
    return found


DECODER = ServerDecoder()
