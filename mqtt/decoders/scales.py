"""Scale factors beside values, as SunSpec has them: `"A": 1234, "A_SF": -2` is 12.34 A.

Source: the SunSpec information models 101 to 113 (inverters) and 201 to 204 (meters). Libraries for them write
`power_ac_scale` beside `power_ac`.
"""

import re
from typing import Any

from mqtt.messages import DecodedReading

LARGEST = 10
MOST_SCALES = 40
"""Of one object; the models have fifteen."""
SUNSPEC = {
    "A": ("A", r"A(?:ph[ABC])?"),
    "V": ("V", r"(?:PPV|PhV)(?:ph)?(?:A|B|C|AB|BC|CA)?"),
    "W": ("W", r"W(?:ph[ABC])?"),
    "VA": ("VA", r"VA(?:ph[ABC])?"),
    "VAR": ("var", r"VAR(?:ph[ABC])?"),
    "VAr": ("var", r"VAr(?:ph[ABC])?"),
    "PF": ("", r"PF(?:ph[ABC])?"),
    "Hz": ("Hz", "Hz"),
    "WH": ("Wh", "WH"),
    "DCA": ("A", "DCA"),
    "DCV": ("V", "DCV"),
    "DCW": ("W", "DCW"),
    "Tmp": ("°C", r"Tmp\w+"),
    "TotWh": ("Wh", r"TotWh(?:Exp|Imp)(?:Ph[ABC])?"),
    "TotVAh": ("VAh", r"TotVAh(?:Exp|Imp)(?:Ph[ABC])?"),
}
"""Scale factor: (unit, pattern of the values that it is for)."""
_PATTERNS = {stem: (unit, re.compile(pattern)) for stem, (unit, pattern) in SUNSPEC.items()}
NOT_IMPLEMENTED = frozenset((-32768.0, 65535.0, 4294967295.0))
MOST_PARTS = 4
LENGTH_OF_MODEL = "L"


def is_scale(value: Any) -> bool:
    """Whether a value can be a power of ten."""
    return type(value) is int and -LARGEST <= value <= LARGEST


def scaled(readings: list[DecodedReading], prefix: str, scales: dict[str, int]) -> list[DecodedReading]:
    """The readings with the scale factors of their object applied; `prefix` is that of the object's own values."""
    known = [(stem, _PATTERNS[stem][1]) for stem in scales if stem in _PATTERNS]
    kept = []
    for one in readings:
        name = one.name.removeprefix(prefix)
        if one.value is None or "." in name:
            kept.append(one)
            continue
        if name == LENGTH_OF_MODEL:
            continue
        found = _stem(name, scales, known)
        if found is not None:
            if one.value in NOT_IMPLEMENTED:
                continue
            power = scales[found]
            one.value = one.value * 10**power if power > 0 else one.value / 10**-power
            one.unit = one.unit or _PATTERNS.get(found, ("",))[0]
        kept.append(one)
    return kept


def _stem(name: str, scales: dict[str, int], known: list[tuple[str, re.Pattern[str]]]) -> str | None:
    """Which scale factor is for a value: its own, SunSpec's for its kind, or that of the end of its name."""
    if name in scales:
        return name
    found = next((stem for stem, pattern in known if pattern.fullmatch(name)), None)
    parts = name.split("_", MOST_PARTS)
    ends = ("_".join(parts[at:]) for at in range(1, len(parts)))
    return found or next((end for end in ends if end in scales), None)
