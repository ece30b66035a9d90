"""What Tasmota's quantities mean: units that the message says apart, and those that everybody is to know."""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.places import NAME_LENGTH
from mqtt.decoders.words import Role, meaning

TEMPERATURE, PRESSURE, SPEED = "TempUnit", "PressureUnit", "SpeedUnit"
UNIT_KEYS = (TEMPERATURE, PRESSURE, SPEED)


_UNITS = {
    TEMPERATURE: "Temperature DewPoint HeatIndex FeelsLike OutsideTemp",
    PRESSURE: "Pressure SeaPressure",
    SPEED: "Speed WindSpeed",
    "%": "Humidity Moisture Battery Dimmer BatteryPercentage BatteryPercent",
    "V": "Voltage Volt Vcc BatteryVoltage",
    "A": "Current CurrentNeutral Amperage",
    "W": "Power ActivePower Power_curr Power_in Power_out PowerUsage",
    "VA": "ApparentPower",
    "var": "ReactivePower",
    "Hz": "Frequency HZ Hz Freq",
    "kWh": "ExportActive ImportActive TotalTariff ExportTariff TodaySumImport TodaySumExport Total_in Total_out E_in "
    "E_out",
    "kvarh": "ImportReactive ExportReactive",
    "°": "PhaseAngle Yaw Pitch Roll Dir",
    "lx": "Illuminance",
    "cm": "Distance",
    "kg": "Weight",
    "ppm": "CarbonDioxide CO2 eCO2",
    "ppb": "TVOC",
    "µg/m³": "PM1 PM2 PM4 PM10 CF1 CF2 CF10",  # PM2.5 reads as PM2, 5
    "ppd": "PB0 PB1 PB2 PB5 PB10",
    "Ω": "Resistance",
    "kΩ": "Gas",
    "K": "CCT",
    "s": "UptimeSec",
}
_UNIT_OF = {quantity: unit for unit, quantities in _UNITS.items() for quantity in quantities.split()}
_ENERGY = {"Total": "kWh", "Yesterday": "kWh", "Today": "kWh", "Energy": "kWh", "Period": "Wh"}
"""Elsewhere a total may be of rain."""
_OPENTHERM = {"BTMP": "°C", "HWTMP": "°C", "TB": "°C", "TDHW": "°C", "DHWS": "°C", "TMAX": "°C", "TR": "°C", "FLM": "%"}
_RAIN = {"Active": "mm", "Event": "mm", "Total": "mm", "FlowRate": "mm/h"}
_CHIPS = {
    "RG": _RAIN,
    "RG15": _RAIN,
    "AS3935": {"Distance": "km"},
    "VL53L0X": {"Distance": "mm"},
    "VL53L1X": {"Distance": "mm"},
    "GPS": {"Lat": "°", "Lon": "°", "Alt": "m"},
}
"""Sensors whose quantities are in other units than elsewhere."""
_SHUTTER = {"Position": "%", "Target": "%"}
_WIFI = {"RSSI": "%", "Signal": "dBm"}
"""Its RSSI is a quality in percent."""
_ZIGBEE = {
    "Temperature": "°C",
    "LocalTemperature": "°C",
    "DewPoint": "°C",
    "Humidity": "%",
    "Pressure": "hPa",
    "SeaPressure": "hPa",
    "BatteryPercentage": "%",
    "BatteryVoltage": "V",
    "ActivePower": "W",
    "RMSVoltage": "V",
    "RMSCurrent": "A",
}
"""Attributes of the Zigbee standard: `Power` is on or off there, `Dimmer` goes to 254."""


_SWITCH = re.compile(r"(?:POWER|Switch|Relay)\d*|STATE|Contact")


class Quantity(NamedTuple):
    """What a value is of."""

    unit: str
    """Or the key under which the message says it: TempUnit, PressureUnit, SpeedUnit."""
    kind: str
    is_switch: bool = False
    is_told: bool = False
    """The unit is such a key."""
    is_named: bool = True
    """The path can be a name."""


@lru_cache(maxsize=20_000)
def quantity(name: str, is_energy: bool = False) -> Quantity:
    """What the path of a value says; `is_energy` when the whole message is one energy meter's."""
    parts = name.split(".")
    own: dict[str, str] = _CHIPS.get(parts[0].partition("-")[0], {})
    if is_energy or parts[0].startswith("ENERGY") or (parts[0] == "ANALOG" and "Energy" in name):
        own = _ENERGY
    elif parts[0] == "OPENTHERM":
        own = _OPENTHERM
    elif parts[0].startswith("Shutter"):
        own = _SHUTTER
    elif parts[0] == "Wifi":
        own = _WIFI
    is_named = 0 < len(name) <= NAME_LENGTH and "\0" not in name
    for part in reversed(parts):
        stem = part.rstrip("0123456789").removesuffix("_p").removesuffix("_L")  # `Volt_p1`: of a phase
        unit = own.get(part) or _UNIT_OF.get(part) or _UNIT_OF.get(stem)
        if unit:
            return Quantity(unit, _kind(part), is_told=unit in UNIT_KEYS, is_named=is_named)
    return Quantity("", _kind(parts[-1]), _SWITCH.fullmatch(parts[-1]) is not None, is_named=is_named)


@lru_cache(maxsize=5_000)
def zigbee_quantity(name: str) -> Quantity:
    """What an attribute of a Zigbee device says."""
    return Quantity(_ZIGBEE.get(name.partition(".")[0], ""), _kind(name), _SWITCH.fullmatch(name) is not None)


@lru_cache(maxsize=5_000)
def _kind(part: str) -> str:
    means = meaning(part)
    return means.kind if means.role is Role.VALUE else ""
