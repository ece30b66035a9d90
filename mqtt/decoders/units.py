"""Units as devices spell them -> as they are shown; what is not known stays as it is."""

from functools import lru_cache

from mqtt.decoders.places import clean

LONGEST = 40
SPELLINGS = {
    "°C": "C|Cel|degC|deg C|deg.C|DegC|Celsius|celsius|ºC|℃|°Celsius|Deg. Celsius|Degrees C|degrees celsius",
    "°F": "F|degF|deg F|deg.F|DegF|Fahrenheit|fahrenheit|ºF|℉|[degF]",
    "K": "Kelvin|kelvin",
    "%": "%RH|%rh|%rH|% RH|RH|%EL|percent|Percent|pct|PCT|Pct",
    "%/s": "%/S",
    "hPa": "hpa|HPa|hPascal",
    "kPa": "kpa|KPa|kPascal",
    "Pa": "pascal|Pascal",
    "mbar": "mb|millibar|mBar",
    "V": "volt|volts|Volt|Volts|VDC|Vdc|VAC|Vac",
    "mV": "mv|millivolt|millivolts",
    "A": "amp|amps|Amp|Amps|ampere|Ampere",
    "mA": "milliamp|milliamps",
    "W": "watt|watts|Watt|Watts",
    "kW": "kw|KW|kilowatt|kilowatts",
    "kWh": "kwh|KWH|KWh|kW h|kW.h",
    "Hz": "hz|HZ|hertz|Hertz",
    "lx": "lux|Lux|LUX",
    "°": "deg|Deg|degree|degrees|Degrees|lon|lat",
    "µg/m³": "ug/m3|µg/m3|ug/m³|ug/m^3|µg/m^3",
    "mg/m³": "mg/m3|mg/m^3",
    "m²": "m2|m^2",
    "m³": "m3|m^3|cbm",
    "m³/h": "m3/h|m^3/h|m3/hr",
    "m³/s": "m3/s|m^3/s",
    "m/s²": "m/s2|m/s^2",
    "W/m²": "W/m2|W/m^2|w/m2",
    "µS/cm": "uS/cm|us/cm",
    "µm": "um|micron|microns",
    "µs": "us|usec",
    "µV": "uV",
    "µA": "uA",
    "µε": "ue|microstrain|uStrain|ustrain|microStrain",
    "Ω": "ohm|ohms|Ohm|Ohms",
    "kΩ": "kOhm|kOhms|kohm|Kohms",
    "L": "l|liter|liters|litre|litres|Liters",
    "L/min": "l/min|LPM|lpm",
    "L/h": "l/h",
    "L/s": "l/s",
    "s": "sec|secs|seconds|Seconds",
    "min": "minutes|Minutes",
    "h": "hr|hrs|hours|Hours",
    "km/h": "kph|kmh|KPH",
    "m/s": "meters/second|mps",
    "mph": "MPH|miles/hour",
    "m": "meter|meters|metre|metres",
    "mm": "millimeter|millimeters",
    "": "/|none|None|NONE|-|unitless|dimensionless|count|1",
}
_BY_SPELLING = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in spellings.split("|")}


@lru_cache(maxsize=2000)
def spelled(unit: str) -> str:
    """A unit that a device names, as it is shown: `Cel` is °C, `ug/m3` is µg/m³."""
    unit = clean(unit).strip().replace("\u03bc", "\u00b5")
    return _BY_SPELLING.get(unit, unit)[:LONGEST]
