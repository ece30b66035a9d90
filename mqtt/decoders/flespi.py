"""flespi: trackers of every make as flat objects with dotted keys; `ident` is the device (an IMEI)."""

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each, said
from mqtt.decoders.words import meaning
from mqtt.messages import Decoded, DeviceRef

UNITS = {
    "position.latitude": "°", "position.longitude": "°", "position.altitude": "m", "position.direction": "°",
    "position.speed": "km/h", "vehicle.mileage": "km", "can.vehicle.mileage": "km", "can.fuel.level": "%",
    "can.vehicle.speed": "km/h", "can.engine.rpm": "rpm", "battery.voltage": "V", "battery.level": "%",
    "external.powersource.voltage": "V", "can.engine.coolant.temperature": "°C",
}  # fmt: skip
NO_READINGS = ("ident", "timestamp", "server.timestamp", "protocol.id", "channel.id", "peer", "device.id",
               "device.name", "device.type.id", "gnss.antenna.status")  # fmt: skip


class FlespiDecoder:
    """Trackers behind the flespi gateway."""

    name = "flespi"
    marks = frozenset(("ident",))

    def knows_topic(self, topic: str) -> bool:
        """Any: topics are chosen by hand."""
        return bool(topic)

    def claims(self, content: Content) -> bool:
        """A device, its time, and dotted keys."""
        found = content.object
        return found is not None and "ident" in found and "timestamp" in found and any("." in key for key in found)

    def decode(self, content: Content) -> Decoded:
        """All values of one moment."""
        decoded = Decoded(self.name)
        found = content.object or {}
        who = said(found, "ident")
        prefix = content.topic.rpartition("/")[0] if content.topic.endswith(f"/{who}") else content.topic
        device = DeviceRef(f"{prefix}#{who}", who)
        time_us = content.time(found.get("timestamp"))
        for key, value in found.items():
            if key not in NO_READINGS:
                for path, leaf in each(value, key):
                    add(decoded, device, path, leaf, unit=_unit(key), time_us=time_us)
        return decoded


def _unit(key: str) -> str:
    if key in UNITS:
        return UNITS[key]
    if ".temperature" in key:
        return "°C"
    last = key.rstrip("0123456789").rstrip(".").rpartition(".")[2]  # `external.power.voltage.1`
    return "V" if last == "voltage" else meaning(last).unit


DECODER = FlespiDecoder()
