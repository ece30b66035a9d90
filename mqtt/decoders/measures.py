"""A number with its unit in one text, as openHAB, LoxBerry and many scripts write it: `21.5 °C`, `8,4 °C`, `34 %`;
meters write `431*W`."""

import re
from typing import Any

from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import SPELLINGS, UNITS
from mqtt.decoders.words import letter_unit

_MEASURE = re.compile(r"([-+]?\d{1,12})(?:([.,])(\d{1,9}))?([\s*])?([^\s\d.,+\-][^\s]{0,11})")
NO_UNITS = frozenset(("count", "none", "unitless", "dimensionless", "noUnits"))
KNOWN = (
    frozenset(SPELLINGS)
    | {spelling for spellings in SPELLINGS.values() for spelling in spellings.split("|")}
    | frozenset(UNITS)
    | {"Ah", "mAh", "MW", "mW", "mm/h", "rpm", "dBm", "dB", "mS/cm", "NTU", "bar", "W/m²"}
) - NO_UNITS
MEASURED_IN = {
    "temperature": ("°C", "°F", "K"), "pm": ("µg/m³",), "pressure": ("hPa", "kPa", "bar", "mbar", "Pa", "psi"),
    "voltage": ("V", "mV"), "current": ("A", "mA"), "power": ("W", "kW"), "energy": ("Wh", "kWh", "MWh"),
    "flow": ("L/min", "L/h", "L/s", "m³/h"), "strain": ("µε",),
}  # fmt: skip
"""A unit beside several values is that of those which are measured in it."""
LONGEST = 30
_THOUSANDS = 3
"""Digits behind a comma that may as well part thousands."""


def _is_known(unit: str) -> bool:
    """Of words the capitals do not matter: `23.0 Percent`."""
    return unit in KNOWN or (len(unit) > 3 and unit.isalpha() and unit not in NO_UNITS and spelled(unit) != unit)


def unit_of_pair(found: list[Any]) -> str:
    """The unit of `[21.5, "°C"]`; empty for every other array."""
    if len(found) != 2 or type(found[0]) not in {int, float} or type(found[1]) is not str:
        return ""
    return spelled(found[1]) if len(found[1]) <= LONGEST and _is_known(found[1]) else ""


def measured(text: str, kind: str) -> tuple[float, str] | None:
    """The number and the unit, when the whole text is these two; a single letter must agree with the value's kind."""
    if len(text) > LONGEST or not (text[:1].isdigit() or text[:1] in {"-", "+"}):
        return None
    match = _MEASURE.fullmatch(text)
    if match is None:
        return None
    whole, mark, rest, between, unit = match.groups()
    if not _is_known(unit) or (mark == "," and len(rest) == _THOUSANDS):
        return None
    is_letter = len(unit) == 1 and unit.isalpha() and between != "*" and not (mark and unit in "VAW")
    unit = letter_unit(unit, kind) if is_letter else spelled(unit)
    return (float(f"{whole}.{rest or 0}"), unit) if unit else None
