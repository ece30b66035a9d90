"""The installation of the demo: two sites, three gateways, more than a hundred sensors, one device out of order."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mqtt.demo.device import Device, Quantity
from mqtt.demo.families import (
    Babbler,
    JsonDevice,
    ScalarDevice,
    ShellyDevice,
    Station,
    StructuralGateway,
    TasmotaDevice,
    ZigbeeBridge,
    ZigbeeDevice,
)
from mqtt.demo.waves import Meter, Switch, Wave

ZONE = ZoneInfo("Europe/Rome")
TOWER, BRIDGE = "torre_civica", "ponte_adda"


@dataclass
class Client:
    """One MQTT connection: its name and the devices behind it. The first device's will is the client's."""

    name: str
    devices: list[Device]
    away_every: float = 0
    """Seconds from outage to outage; 0: stays connected."""
    away_for: float = 45


def fleet() -> list[Client]:
    """All clients, freshly made."""
    return [
        Client("torre-gateway-1", [_tower_gateway()]),
        Client("torre-gateway-2", [_cellar_gateway()]),
        Client("ponte-gateway-1", [_bridge_gateway()], away_every=150, away_for=45),
        Client("torre-weather", [_weather(), _energy()]),
        Client("ponte-pumps", [_pumps(), Babbler(f"{BRIDGE}/pumps/level_probe_old", 20)]),
        Client("zigbee", [_zigbee()]),
        *(Client(device.mac, [device]) for device in _tasmotas()),
        *(Client(device.id, [device]) for device in _shellies()),
    ]


def _tilt(pitch: float, drift: float = 0.0) -> list[Quantity]:
    return [
        Wave(pitch, swing=0.04, wander=0.01, noise=0.002, drift=drift, digits=4),
        Wave(-pitch / 3, swing=0.02, wander=0.01, noise=0.002, digits=4),
    ]


def _shaking() -> list[Quantity]:
    axes = (0.002, -0.011, 0.998)
    return [Wave(axis, wander=0.001, noise=0.004, digits=4) for axis in axes]


def _mast(serial: str, pitch: float, drift: float = 0.0) -> Station:
    return Station(
        "tiltmeter",
        serial,
        {
            "accelerometer": _shaking(),
            "inclinometer": _tilt(pitch, drift),
            "temperature": Wave(11, swing=5, wander=0.8, noise=0.05),
        },
    )


def _crack(serial: str, width: float) -> Station:
    return Station(
        "crackmeter",
        serial,
        {
            "displacement": Wave(width, swing=0.06, wander=0.02, noise=0.003, drift=0.0006, digits=3),
            "temperature": Wave(14, swing=3, wander=0.5, noise=0.05),
            "battery": Wave(3.58, swing=0.02, noise=0.004, digits=3),
        },
    )


def _well(serial: str, pressure: float) -> Station:
    return Station(
        "piezometer",
        serial,
        {
            "pressure": Wave(pressure, swing=0.3, wander=1.2, noise=0.02),
            "level": Wave(pressure / 9.81, wander=0.12, noise=0.004, digits=3),
            "temperature": Wave(12.6, wander=0.2),
        },
    )


def _strain(serial: str, strain: float) -> Station:
    return Station(
        "strain gauge",
        serial,
        {
            "strain": Wave(strain, swing=38, wander=9, noise=1.5, digits=1),
            "temperature": Wave(9, swing=6, wander=0.8, noise=0.05),
        },
    )


def _tower_gateway() -> StructuralGateway:
    loggers = {
        "torre_civica-logger_belfry": [
            _mast("TLT-20411", 0.31, 0.0004),
            _mast("TLT-20412", -0.12),
            _mast("TLT-20415", 0.04),
        ],
        "torre_civica-logger_stairs": [_crack("CRK-0087", 1.84), _crack("CRK-0088", 0.46), _crack("CRK-0089", 2.2)],
    }
    return StructuralGateway(TOWER, 1, "10.30.1.11", loggers, interval=5)


def _cellar_gateway() -> StructuralGateway:
    loggers = {
        "torre_civica-logger_foundation": [
            _well("PZ-311", 48.2),
            _well("PZ-312", 51.7),
            _crack("CRK-0091", 3.02),
            _crack("CRK-0092", 0.71),
        ]
    }
    return StructuralGateway(TOWER, 2, "10.30.1.12", loggers, interval=30, firmware="4.17.9")


def _bridge_gateway() -> StructuralGateway:
    loggers = {
        "ponte_adda-logger_north": [_mast("TLT-20533", 0.08), _strain("SG-7702", 212), _strain("SG-7703", 188)],
        "ponte_adda-logger_south": [_mast("TLT-20534", -0.05), _mast("TLT-20535", 0.17), _strain("SG-7704", 240)],
    }
    return StructuralGateway(BRIDGE, 1, "10.31.1.11", loggers, interval=10)


def _weather() -> JsonDevice:
    tree = {
        "air": {
            "temperature_c": Wave(12, swing=6, wander=1.5, noise=0.05, digits=1),
            "humidity_pct": Wave(68, swing=-16, wander=6, noise=0.3, digits=1, lowest=5, highest=100),
            "pressure_hpa": Wave(1014, wander=5, noise=0.05, digits=1),
        },
        "wind": {
            "speed_m_s": Wave(3.1, swing=1.2, wander=1.8, noise=0.5, digits=1, lowest=0),
            "direction_deg": Wave(210, wander=40, noise=8, digits=0, lowest=0, highest=359),
        },
        "rain_mm": Meter(0.11, digits=1),
        "solar_w_m2": Wave(120, swing=380, wander=40, noise=6, digits=0, lowest=0),
    }
    return JsonDevice(f"{TOWER}/weather/roof", tree, 15, time_key="timestamp", milliseconds=True)


def _energy() -> JsonDevice:
    def phase(amperes: float) -> dict[str, Quantity]:
        return {
            "voltage_v": Wave(231, swing=-2, wander=1.5, noise=0.3, digits=1),
            "current_a": Wave(amperes, swing=amperes / 3, wander=0.8, noise=0.1, digits=2, lowest=0),
        }

    tree = {"l1": phase(6.2), "l2": phase(4.1), "l3": phase(8.8), "energy_kwh": Meter(4.2, digits=2)}
    return JsonDevice(f"{TOWER}/energy/main_board", tree, 1, time_key="ts")


def _pumps() -> ScalarDevice:
    values: dict[str, Quantity] = {}
    for number, flow in ((1, 42.0), (2, 39.5)):
        values[f"pump_{number}/flow"] = Wave(flow, swing=4, wander=2, noise=0.4, digits=1, lowest=0)
        values[f"pump_{number}/pressure"] = Wave(2.4, swing=0.2, wander=0.1, noise=0.02)
        values[f"pump_{number}/running"] = Switch(600, 0.7, offset=number * 240)
    return ScalarDevice(f"{BRIDGE}/pumps", values, 2)


def _zigbee() -> ZigbeeBridge:
    def climate(temperature: float, battery: float) -> dict[str, Quantity]:
        return {
            "battery": Wave(battery, digits=0),
            "humidity": Wave(51, swing=-5, wander=3, noise=0.2),
            "linkquality": Wave(140, wander=30, noise=8, digits=0, lowest=0, highest=255),
            "temperature": Wave(temperature, swing=1.5, wander=0.5, noise=0.03),
            "voltage": Wave(2910, noise=5, digits=0),
        }

    # The third name shows on every page that markup from a device stays text.
    devices = [
        ZigbeeDevice("Archive north", "0x00158d0009a1c101", climate(18.5, 91)),
        ZigbeeDevice("archive/shelf 2", "0x00158d0009a1c102", climate(18.1, 64)),
        ZigbeeDevice('Cold room <b>"milk & cream"', "0x00158d0009a1c103", climate(4.2, 77)),
        ZigbeeDevice(
            "Sala controllo (porta)",
            "0x00158d0009a1c104",
            {"contact": Switch(180, 0.85), "battery": Wave(83, digits=0), "linkquality": Wave(96, noise=6, digits=0)},
        ),
    ]
    return ZigbeeBridge(devices, 6, ZONE)


def _tasmotas() -> Iterable[TasmotaDevice]:
    climate = {
        "AM2301": {
            "Temperature": Wave(21, swing=2, wander=0.8, noise=0.05, digits=1),
            "Humidity": Wave(44, swing=-4, wander=3, noise=0.2, digits=1),
        },
        "TempUnit": "C",
    }
    yield TasmotaDevice("torre_cabin", climate, 20, ZONE, "C4DD57A011E2", "Cabina quadri")
    energy = {
        "ENERGY": {
            "Total": Meter(0.62),
            "Power": Wave(640, swing=210, wander=90, noise=8, digits=0, lowest=0),
            "Factor": Wave(0.94, noise=0.01, highest=1),
            "Voltage": Wave(230, wander=2, noise=0.5, digits=0),
            "Current": Wave(2.8, swing=0.9, wander=0.4, noise=0.04, digits=3, lowest=0),
        }
    }
    yield TasmotaDevice("floodlights", energy, 30, ZONE, "C4DD57A011F7", "Fari facciata", with_epoch=True)


def _shellies() -> Iterable[ShellyDevice]:
    plug: dict[str, Quantity] = {
        "relay/0": Switch(420, 0.6),
        "relay/0/power": Wave(84, wander=12, noise=2, lowest=0),
        "temperature": Wave(38, swing=3, wander=1, noise=0.2),
    }
    yield ShellyDevice("shellyplug-s-7AC31B", "SHPLG-S", plug, 12)
    room: dict[str, Quantity] = {
        "sensor/temperature": Wave(19.5, swing=1.5, wander=0.5, noise=0.05),
        "sensor/humidity": Wave(49, swing=-4, wander=2, noise=0.3, digits=1),
        "sensor/battery": Wave(72, digits=0),
    }
    yield ShellyDevice("shellyht-9F20D4", "SHHT-1", room, 60)
