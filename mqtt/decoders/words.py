"""What the keys of payloads and the levels of topics say: a time, a fact about the device, or a value and its unit."""

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.credentials import is_secret
from mqtt.decoders.vocabulary import BY_SPELLING, FACT_KEYS, INNER, KINDS, SPELLINGS, TIME_KEYS, UNITS, words


class Role(Enum):
    """What stands under a key."""

    VALUE = auto()
    TIME = auto()
    FACT = auto()
    UNIT = auto()
    MOMENT = auto()
    """When something else is or was, a start or a next run: neither a reading nor the time of one."""
    SCALE = auto()
    """The power of ten of the values named by `of`: see `decoders.scales`."""
    NOTHING = auto()
    """Neither: an inner matter of the family, such as a counter of settings."""


class Meaning(NamedTuple):
    """What is known of a key before its value is seen."""

    role: Role
    unit: str = ""
    kind: str = ""
    of: str = ""
    """TIME: nothing; FACT: the fact's usual name; UNIT: the key whose unit it is, empty for its neighbours'."""
    is_switch: bool = False
    """On and off under this key are 1 and 0."""
    fine: str = ""
    """The unit of a number with decimals, where the key leaves it open: 3.3 under `voltage` is V, 3300 may be mV."""

    def unit_of(self, value: float) -> str:
        """The unit of this value."""
        if self.unit or not self.fine:
            return self.unit
        return self.fine if abs(value) < FINEST and not value.is_integer() else ""


_FACT_OF = {word: fact for fact, words in FACT_KEYS.items() for word in words.split()}
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words.split()}

_UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split()}
BEARINGS = frozenset(("winddir", "winddirection", "windgustdir", "winddiravg", "windbearing"))
"""Where the wind comes from: as a number, degrees everywhere."""
PLACES = words("latitude longitude lat lon lng gpslatitude gpslongitude gpslat gpslon gpslng")
"""Where on earth: as a number, degrees."""
_WHOLE_KEYS = {"W": "W", "kW": "kW", "Wh": "Wh", "V": "V", "mV": "mV", "mA": "mA", "VA": "VA", "Hz": "Hz",
               "mm": "mm", "cm": "cm", "kg": "kg"}  # fmt: skip
"""A key that is nothing but a unit."""
_CASED_UNITS = {"mW": "mW", "MW": "MW", "MWh": "MWh", "mWh": "mWh", "mAh": "mAh", "Ah": "Ah", "Nm": "Nm", "NTU": "NTU",
                "kvarh": "kvarh", "varh": "varh", "VAh": "VAh", "kVAh": "kVAh", "dBA": "dBA", "dba": "dBA"}  # fmt: skip
_TWO_TOKENS = {("km", "h"): "km/h", ("m", "s"): "m/s", ("mi", "h"): "mph", ("l", "min"): "L/min", ("m", "s2"): "m/s²",
               ("us", "cm"): "µS/cm", ("ms", "cm"): "mS/cm", ("mm", "h"): "mm/h", ("in", "h"): "in/h",
               ("l", "h"): "L/h", ("l", "s"): "L/s", ("m3", "h"): "m³/h", ("w", "m2"): "W/m²", ("mg", "m3"): "mg/m³",
               ("ug", "m3"): "µg/m³", ("g", "m3"): "g/m³", ("kg", "m3"): "kg/m³", ("mg", "l"): "mg/L",
               ("kg", "h"): "kg/h", ("deg", "s"): "°/s", ("mm", "s"): "mm/s", ("m3", "m3"): "m³/m³",
               ("deg", "h"): "°/h", ("mm", "m"): "mm/m"}  # fmt: skip

# A single letter is a unit only where the rest of the key agrees: `phase_a` is no current, `zone_c` no temperature.
_LETTERS = {
    "c": ("°C", {"temperature"}),
    "f": ("°F", {"temperature"}),
    "k": ("K", {"temperature"}),
    "v": ("V", {"voltage", "battery"}),
    "a": ("A", {"current"}),
    "w": ("W", {"power"}),
    "l": ("L", {"volume"}),
    "m": ("m", {"distance", "level", "altitude", "displacement"}),
    "ft": ("ft", {"distance", "level", "altitude", "displacement"}),
    "in": ("in", {"rain"}),
    "mb": ("mbar", {"pressure"}),
    "°c": ("°C", {"temperature"}),
    "°f": ("°F", {"temperature"}),
    "g": ("g", {"acceleration", "vibration", "weight"}),
    "s": ("s", set()),
    "h": ("h", set()),
}
_CURRENT = re.compile(r"I\d?")
"""What electricians call one: `I_L1_A`."""
_CAPITALS = frozenset(("V", "W"))
"""Letters that are units behind any word: `DCBus_V`; not so `Phase_A` and `Zone_C`."""
_FILLED = words("total usage used water consumption consumed fuel tank")
PERCENT = words("humidity hum humi rh rhum relhum humidite umidita humedad umidade luftfeuchte luftfeuchtigkeit soc")
CHIPS = words("sht dht bme bmp ds aht htu")
"""Which sensor it was, behind what it measured: `Hum_SHT`."""
_ENDINGS = {"temp": "temperature", "temperature": "temperature", "humidity": "humidity", "pressure": "pressure",
            "voltage": "voltage", "energy": "energy", "power": "power"}  # fmt: skip
FINEST = 1000.0
PER_VOLUME = words("absolute abs specific")
"""Humidity of these kinds is a mass."""
_MOMENTS = words("time timestamp ts at date datetime since until")
_MOVING = words("wind speed gust windspeed windgust velocity")
_TIMELIKE = {"time", "uptime", "duration", "interval", "age", "period", "delay"}
_SUPPLY = {"supply", "vcc", "volt", "batt"}

_SWITCHES = re.compile(r"(?:power|relay|switch|output|state|light|contact|input|valve|pump|enabled|ison)_?\d*")
_PARTS = re.compile(r"[^_\-. :/]+")
_TOKENS = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[%°]\w*")


LONGEST = 60
"""The end of a longer key says as much, and thousands of long keys must not hold up a batch."""


@lru_cache(maxsize=20_000)
def meaning(key: str) -> Meaning:
    """What a key of a payload, or the last level of a topic, says."""
    if is_secret(key):
        return Meaning(Role.NOTHING)
    if key[-1:] in {")", "]"} and (whole := _in_brackets(key)):
        return whole
    short = _without_accents(key[-LONGEST:])
    plain = "".join(character for character in short.lower() if character.isalnum())
    if plain in TIME_KEYS:
        return Meaning(Role.TIME)
    if plain in _FACT_OF:
        return Meaning(Role.FACT, of=_FACT_OF[plain])
    if plain in INNER:
        return Meaning(Role.NOTHING)
    if key.endswith(("_SF", "_sf", "_scale")) and key[0] != "_":
        return Meaning(Role.SCALE, of=key.rpartition("_")[0])
    if (unit_of := _of_unit(key, plain)) is not None:
        return Meaning(Role.UNIT, of=unit_of)
    tokens = _tokens(short)
    if len(tokens) > 1 and tokens[-1].lower() in _MOMENTS:
        return Meaning(Role.MOMENT)
    kind = _kind(plain, tokens)
    unit = _unit(_measured_in(tokens), kind) or ("%" if kind in {"humidity", "battery"} and _is_percent(tokens) else "")
    if not unit and (plain in BEARINGS or plain in PLACES):
        unit = "°"
    fine = "V" if kind == "voltage" and not unit else ""
    return Meaning(Role.VALUE, unit, kind, is_switch=bool(_SWITCHES.fullmatch(short.lower())), fine=fine)


_BRACKETS = re.compile(r"(.*\S)\s*[(\[]\s*([^()\[\]]{1,20})\s*[)\]]")


def _in_brackets(key: str) -> Meaning | None:
    """`Pressure (hPa)`: what stands before the unit; None where the brackets hold something else."""
    match = _BRACKETS.fullmatch(key[-LONGEST:])
    unit = match[2].replace("\u03bc", "\u00b5") if match else ""
    shown = unit if unit in SPELLINGS else BY_SPELLING.get(unit) or _UNIT_OF.get(unit.lower(), "")
    means = meaning(match[1]) if match and shown else None
    if means is None or means.role is not Role.VALUE:
        return None
    return means._replace(unit=letter_unit(unit, means.kind) if len(unit) == 1 and unit.isalpha() else shown, fine="")


def _of_unit(key: str, plain: str) -> str | None:
    """Whose unit stands under a key; empty: its neighbours'. None: no unit does."""
    if plain in {"unit", "units", "uom", "unitofmeasurement", "unita", "unidad", "unidade", "einheit", "unitcode"}:
        return ""
    for tail in ("_unit", "_units", "Unit", "Units", "-unit"):
        if key.endswith(tail):
            return key.removesuffix(tail)
    if len(plain) > len("unit") and key.endswith("unit"):
        return key.removesuffix("unit")
    return None


def _without_accents(key: str) -> str:
    """`umidità` is `umidita`; signs like ° and ³ stay."""
    if key.isascii():
        return key
    return "".join(one for one in unicodedata.normalize("NFD", key) if not unicodedata.combining(one))


def _tokens(key: str) -> list[str]:
    """`outTemp_hPa` -> out, Temp, hPa: camel case is split, units are not."""
    tokens: list[str] = []
    for part in _PARTS.findall(key):
        tokens += [part] if part in _CASED_UNITS or part.lower() in _UNIT_OF else _TOKENS.findall(part)
    return tokens


def _kind(plain: str, tokens: list[str]) -> str:
    if plain in _KIND_OF:
        return _KIND_OF[plain]
    if plain.endswith("factor"):
        return ""  # of power, and no power
    for token in reversed(tokens):  # `battery_voltage` is a voltage
        word = token.lower().rstrip("0123456789")
        kind = _KIND_OF.get(token.lower()) or _KIND_OF.get(word)
        if not kind and len(word) > len("temps"):
            kind = _KIND_OF.get(word.removesuffix("s"))
        if kind:
            return kind
    return _kind_by_ending(plain)


def _kind_by_ending(plain: str) -> str:
    """`boilertemp` and `currents` have no parts to look up."""
    stem = plain.rstrip("0123456789")
    kind = _KIND_OF.get(stem.removesuffix("s"), "") if stem.endswith("s") and len(stem) > len("temps") else ""
    return kind or next((kind for ending, kind in _ENDINGS.items() if stem.endswith(ending)), "")


def _is_percent(tokens: list[str]) -> bool:
    """What is measured in percent everywhere; temperatures, voltages and pressures have several units."""
    if tokens[0].startswith("%"):
        return True
    named = [token.lower().rstrip("0123456789") for token in tokens]
    named = [token for token in named if token not in CHIPS] or named
    last = next((token for token in reversed(named) if token), "")
    return last in PERCENT and PER_VOLUME.isdisjoint(named)


STATISTICS = words("avg average mean min max minimum maximum median total sum delta last now today")
"""What was made of values behind their unit."""


def _measured_in(tokens: list[str]) -> list[str]:
    """`temp_c_avg` without what was made of the values."""
    last = tokens[-1].lower() if len(tokens) > 2 else ""
    return tokens[:-1] if last in STATISTICS and (tokens[-2].lower(), last) not in _TWO_TOKENS else tokens


def _unit(tokens: list[str], kind: str) -> str:
    if not tokens:
        return ""
    last = tokens[-1]
    if len(tokens) == 1:
        if last in _WHOLE_KEYS:
            return _WHOLE_KEYS[last]
        return _UNIT_OF.get(last.lower(), "") if len(last) > 2 else ""
    if len(tokens) > 3 and tokens[-2].lower() == "per" and last.lower() in {"hour", "h"}:
        return f"{_UNIT_OF.get(tokens[-3].lower(), '')}/h".removeprefix("/h")
    two = _TWO_TOKENS.get((tokens[-2].lower(), last.lower()))
    if two and len(tokens) > 2:
        return two
    if last == "ms" and not _MOVING.isdisjoint(token.lower() for token in tokens):
        return "m/s"
    if last in _CASED_UNITS:
        return _CASED_UNITS[last]
    unit = _UNIT_OF.get(last.lower(), "")
    if not unit and kind == "temperature":  # `TempC_SHT`
        unit = next((_UNIT_OF[token.lower()] for token in tokens if token.lower() in {"tempc", "tempf"}), "")
    if (last in _CAPITALS and len(tokens[-2]) > 1) or (last == "A" and _CURRENT.fullmatch(tokens[0])):
        return last
    return unit or _letter_unit_of(last.lower().rstrip("0123456789"), {token.lower() for token in tokens[:-1]}, kind)


def letter_unit(letter: str, kind: str) -> str:
    """The unit that a letter stands for beside a number, where the kind of what is measured agrees."""
    unit, kinds = _LETTERS.get(letter.lower(), ("", set()))
    return unit if kind in kinds else ""


def _letter_unit_of(letter: str, stem: set[str], kind: str) -> str:
    unit, kinds = _LETTERS.get(letter, ("", set()))
    agrees = kind in kinds or (letter == "s" and stem & _TIMELIKE) or (letter == "v" and stem & _SUPPLY)
    agrees = agrees or (letter == "l" and stem & _FILLED) or (letter == "h" and "hours" in stem)
    return unit if agrees else ""
