"""How each family of devices writes: topics, payload shapes, time formats, announcements and last wills."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mqtt.demo.device import Device, Publication, Quantity, Tree, as_json, measured, utc


@dataclass
class Station:
    """A device of a structural gateway: a serial number and named quantities or vectors."""

    type: str
    serial: str
    data: Mapping[str, Quantity | list[Quantity]]


@dataclass
class StructuralGateway(Device):
    """`<site>/gateway/<n>/…`: one telemetry message holds all dataloggers with all their devices."""

    site: str
    number: int
    address: str
    dataloggers: Mapping[str, list[Station]]
    interval: float
    firmware: str = "4.18.2"
    stays_on_schedule_offline = True

    @property
    def _base(self) -> str:
        return f"{self.site}/gateway/{self.number}"

    @property
    def serial(self) -> str:
        """How the gateway names itself."""
        return f"{self.site}-gateway_{self.number}"

    def _status(self, status: str, **more: str) -> Publication:
        said = {"serial_number": self.serial, "status": status, **more}
        return Publication(f"{self._base}/status", as_json(said), qos=1, retain=True)

    def greetings(self, now: float) -> Iterator[Publication]:
        yield self._status(
            "online", ip_address=self.address, hostname=f"gw{self.number}", firmware_version=self.firmware
        )
        running = [{"serial_number": name, "status": "running", "sensors_data": []} for name in self.dataloggers]
        aggregate = {"timestamp": utc(now), "dataloggers": running}
        yield Publication(f"{self._base}/datalogger/all/status", as_json(aggregate), qos=1, retain=True)

    def will(self) -> Publication:
        return self._status("offline")

    def measure(self, now: float) -> Iterator[Publication]:
        telemetry = {
            "serial_number_gateway": self.serial,
            "timestamp": utc(now),
            "message_interval_seconds": self.interval,
            "dataloggers": [
                {
                    "serial_number_datalogger": name,
                    "status_datalogger": "running",
                    "devices": [self._device(station, now) for station in stations],
                }
                for name, stations in self.dataloggers.items()
            ],
        }
        yield Publication(f"{self._base}/dataloggers/telemetry", as_json(telemetry), qos=1)

    @staticmethod
    def _device(station: Station, now: float) -> dict[str, Any]:
        def value(quantity: Quantity | list[Quantity]) -> Any:
            if isinstance(quantity, list):
                return [single.at(now) for single in quantity]
            return quantity.at(now)

        data = [{"type": name, "value": value(quantity)} for name, quantity in station.data.items()]
        return {"type": station.type, "serial_number_device": station.serial, "data": data}


@dataclass
class JsonDevice(Device):
    """Plain nested JSON on one topic, with its own time as epoch seconds or milliseconds, or none."""

    topic: str
    tree: Tree
    interval: float
    time_key: str = ""
    milliseconds: bool = False

    def measure(self, now: float) -> Iterator[Publication]:
        time = {self.time_key: int(now * 1000) if self.milliseconds else round(now, 1)} if self.time_key else {}
        yield Publication(self.topic, as_json({**time, **measured(self.tree, now)}), qos=1)


@dataclass
class ScalarDevice(Device):
    """One bare number or word a topic, as controllers and small firmware publish."""

    base: str
    values: Mapping[str, Quantity]
    interval: float
    words: tuple[str, str] = ("true", "false")

    def measure(self, now: float) -> Iterator[Publication]:
        for name, quantity in self.values.items():
            value = quantity.at(now)
            text = (self.words[0] if value else self.words[1]) if isinstance(value, bool) else str(value)
            yield Publication(f"{self.base}/{name}", text.encode())


@dataclass
class TasmotaDevice(Device):
    """`tele/<topic>/SENSOR` in local time without a zone, `LWT` kept by the broker, `STATE` about the device."""

    topic: str
    tree: Tree
    interval: float
    zone: ZoneInfo
    mac: str
    name: str
    with_epoch: bool = False

    def greetings(self, now: float) -> Iterator[Publication]:
        yield Publication(f"tele/{self.topic}/LWT", b"Online", qos=1, retain=True)
        announcement = {"ip": "192.168.40.21", "dn": self.name, "fn": [self.name], "hn": self.topic.replace("/", "-")}
        announcement |= {"mac": self.mac, "md": "Generic", "ofln": "Offline", "onln": "Online", "t": self.topic}
        announcement |= {"ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "sw": "14.6.0"}
        yield Publication(f"tasmota/discovery/{self.mac}/config", as_json(announcement), qos=1, retain=True)

    def will(self) -> Publication:
        return Publication(f"tele/{self.topic}/LWT", b"Offline", qos=1, retain=True)

    def measure(self, now: float) -> Iterator[Publication]:
        time: dict[str, Any] = {"Time": datetime.fromtimestamp(now, self.zone).strftime("%Y-%m-%dT%H:%M:%S")}
        if self.with_epoch:
            time["Epoch"] = int(now)
        yield Publication(f"tele/{self.topic}/SENSOR", as_json({**time, **measured(self.tree, now)}))


@dataclass
class ZigbeeDevice:
    """A battery device behind a Zigbee bridge."""

    name: str
    address: str
    tree: Tree


@dataclass
class ZigbeeBridge(Device):
    """`zigbee2mqtt/<friendly name>` JSON with `last_seen`; the bridge speaks for all its devices."""

    devices: list[ZigbeeDevice]
    interval: float
    zone: ZoneInfo
    base: str = "zigbee2mqtt"
    _turn = 0

    def greetings(self, now: float) -> Iterator[Publication]:
        yield Publication(f"{self.base}/bridge/state", as_json({"state": "online"}), qos=1, retain=True)
        for device in self.devices:
            online = as_json({"state": "online"})
            yield Publication(f"{self.base}/{device.name}/availability", online, qos=1, retain=True)
        listed = [{"ieee_address": one.address, "type": "EndDevice", "friendly_name": one.name} for one in self.devices]
        yield Publication(f"{self.base}/bridge/devices", as_json(listed), qos=1, retain=True)

    def will(self) -> Publication:
        return Publication(f"{self.base}/bridge/state", as_json({"state": "offline"}), qos=1, retain=True)

    def measure(self, now: float) -> Iterator[Publication]:
        # One device a round: battery devices wake up at times of their own.
        device = self.devices[self._turn % len(self.devices)]
        self._turn += 1
        seen = datetime.fromtimestamp(now, self.zone).isoformat(timespec="seconds")
        yield Publication(f"{self.base}/{device.name}", as_json({**measured(device.tree, now), "last_seen": seen}))


@dataclass
class ShellyDevice(Device):
    """First-generation Shelly: a scalar a topic below `shellies/<id>`, `online` kept by the broker."""

    id: str
    model: str
    values: Mapping[str, Quantity]
    interval: float

    def greetings(self, now: float) -> Iterator[Publication]:
        base = f"shellies/{self.id}"
        yield Publication(f"{base}/online", b"true", qos=1, retain=True)
        mac = self.id.rsplit("-", 1)[-1]
        announcement = {"id": self.id, "model": self.model, "mac": mac, "ip": "192.168.40.57", "fw_ver": "v1.14.0"}
        yield Publication("shellies/announce", as_json(announcement))

    def will(self) -> Publication:
        return Publication(f"shellies/{self.id}/online", b"false", qos=1, retain=True)

    def measure(self, now: float) -> Iterator[Publication]:
        for name, quantity in self.values.items():
            value = quantity.at(now)
            text = ("on" if value else "off") if isinstance(value, bool) else str(value)
            yield Publication(f"shellies/{self.id}/{name}", text.encode())


@dataclass
class Babbler(Device):
    """A broken device: half a JSON, bytes that are no text, a text that does not end, a number that is none."""

    topic: str
    interval: float
    _turn = 0

    def measure(self, now: float) -> Iterator[Publication]:
        garbage = (
            b'{"level": 4.2, "unit": "m", "samples": [1, 2,',
            bytes(range(128, 256)) + b"\x00\xff\xfe",
            f"DUMP {int(now)} ".encode() + b"the buffer was not cleared and so on " * 400,
            b'{"level": NaN, "battery": Infinity}',
            b"[" * 3000,
            b"",
        )
        yield Publication(self.topic, garbage[self._turn % len(garbage)])
        self._turn += 1
