"""Units as devices spell them -> as they are shown; what is not known stays as it is."""

import re
from functools import lru_cache

from mqtt.decoders.places import clean

LONGEST = 40


_POWERS = re.compile(r"(?<=[ms])(?:\^|\*\*)?([23])(?![\w.])")


def _raised(match: re.Match[str]) -> str:
    return "²" if match.group(1) == "2" else "³"


def _plain(text: str) -> str:
    return text.lower().replace(" ", "").replace("_", "").replace(".", "").replace("-", "")


SPELLINGS = {
    "°C": "C|Cel|degC|celsius|ºC|℃|°celsius|deg. celsius|degree celsius|degrees c|degrees celsius|deg C|degreesCelsius",
    "°F": "F|degF|fahrenheit|ºF|℉|[degF]|degrees f|degrees fahrenheit|deg F|degreesFahrenheit",
    "K": "Kelvin|degreesKelvin",
    "%": "%RH|%rh|%rH|% RH|RH|%EL|percent|percentage|percentRelativeHumidity|pct|PCT|Pct",
    "%/s": "%/S",
    "hPa": "hpa|HPa|hPascal|hectopascals",
    "kPa": "kpa|KPa|kPascal|kilopascals",
    "Pa": "pascal|pascals",
    "mbar": "mb|millibar|mBar",
    "V": "volt|volts|VDC|Vdc|VAC|Vac",
    "mV": "mv|millivolt|millivolts",
    "A": "amp|amps|Amp|ampere|amperes",
    "mA": "milliamp|milliamps|milliamperes",
    "W": "watt|watts",
    "kW": "kw|KW|kilowatt|kilowatts",
    "kWh": "kwh|KWH|KWh|kW h|kW.h|kilowattHours",
    "Wh": "watt hours|wattHours",
    "Hz": "hz|HZ|hertz",
    "lx": "lux|Lux|LUX|luxes",
    "ppm": "partsPerMillion",
    "°": "deg|Deg|degree|degrees|lon|lat",
    "µg/m³": "ug/m3|µg/m3|ug/m³|ug/m^3|µg/m^3",
    "mg/m³": "mg/m3|mg/m^3",
    "m²": "m2|m^2",
    "m³": "m3|m^3|cbm",
    "m³/h": "m3/h|m^3/h|m3/hr|cubicMetersPerHour",
    "m³/s": "m3/s|m^3/s",
    "m/s²": "m/s2|m/s^2",
    "W/m²": "W/m2|W/m^2",
    "µS/cm": "uS/cm",
    "µm": "um|micron|microns",
    "µs": "us|usec",
    "µV": "uV",
    "µA": "uA",
    "µε": "ue|microstrain|uStrain|με|ustrain|microstrains",
    "Ω": "ohm|ohms|Ohm",
    "kΩ": "kOhm|kOhms",
    "L": "l|liter|liters|litre|litres",
    "L/min": "l/min|LPM|lpm|litersPerMinute",
    "L/h": "l/h",
    "L/s": "l/s|litersPerSecond",
    "s": "sec|secs|seconds",
    "min": "minutes",
    "h": "hr|hrs|hours",
    "km/h": "kph|kmh|KPH",
    "m/s": "meters/second|mps",
    "mph": "MPH|miles/hour",
    "m": "meter|meters|metre|metres",
    "mm": "millimeter|millimeters",
    "": "/|none|-|unitless|dimensionless|count|1|noUnits",
}
_BY_SPELLING = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in spellings.split("|")}
_BY_WORD = {_plain(spelling): unit for spelling, unit in _BY_SPELLING.items() if len(spelling) > 3}
"""Words are meant whatever their capitals and blanks; of short ones `Mw` is not `mW`."""


@lru_cache(maxsize=2000)
def spelled(unit: str) -> str:
    """A unit that a device names, as it is shown: `Cel` is °C, `ug/m3` is µg/m³."""
    unit = clean(unit).strip().replace("\u03bc", "\u00b5")
    known = _BY_SPELLING.get(unit)
    if known is None and len(unit) > 3:
        known = _BY_WORD.get(_plain(unit))
    return (_POWERS.sub(_raised, unit) if known is None else known)[:LONGEST]
