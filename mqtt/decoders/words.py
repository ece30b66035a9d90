"""What the keys of payloads and the levels of topics say: a time, a fact about the device, or a value and its unit."""

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.credentials import is_secret


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


def words(text: str) -> frozenset[str]:
    """The words of a list that reads better without quotes and commas."""
    return frozenset(text.split())


TIME_KEYS = words(
    """timestamp timestampms timestampus timestampns timestamputc ts tsms time timems timeutc utctime datetime dateutc
    utc date epoch epochms epochtime unixtime unixtimestamp tst measuredat sampledat observedat recordedat sampletime
    measurementtime lastseen createdat eventtime lastupdated lastupdate updatedat recvtime gwrecvtime rxtime receivetime
    receivedat servertime devicetime readtimestamp readingtimestamp sampletimestamp datatimestamp devicetimestamp
    measurementtimestamp sensortimestamp sourcetimestamp servertimestamp eventtimestamp readtime readingtime
    acquisitiontime samplingtime messagetime collectedat capturedat loggedat reportedat isotime isodate timestampiso
    datetimeutc localtime phenomenontime resulttime timeinstant sentat publishedat"""
)
SUBJECTS = words(
    """sensor logger datalogger meter station probe machine equipment asset tracker inverter controller pump tank bin
    lift elevator detector spot instrument"""
)
"""Things that a message may be about, and that have an id or a serial number of their own."""
SUBJECT_IDS = frozenset(f"{subject}id" for subject in SUBJECTS)
SUBJECT_SERIALS = frozenset(
    f"{subject}{tail}" for subject in SUBJECTS for tail in ("sn", "serial", "serialnumber", "serialno")
)
FACT_KEYS = {
    "firmware": "firmware fw fwver fwversion firmwareversion swversion softwareversion version sw",
    "model": "model modelid modelname devicemodel product productname",
    "hardware": "hardware hw hwversion hardwareversion hwrev",
    "manufacturer": "manufacturer vendor brand",
    "mac": "mac macaddress macaddr macid",
    "ip": "ip ipaddress ipaddr localip wifiip",
    "hostname": "hostname host",
    "ssid": "ssid wifissid",
    "bssid": "bssid",
    "rssi": "rssi rssidbm wifirssi signal signalstrength signaldbm",
    "snr": "snr lorasnr snrdb",
    "linkquality": "linkquality lqi",
    "uptime": "uptime uptimesec uptimeseconds uptimes uptimems",
    "serial": f"serial serialnumber sn deviceserial serialno devicesn devsn cserialnumber {' '.join(SUBJECT_SERIALS)}",
    "id": "id deviceid device devid deveui nodeid node uuid uid imei imsi iccid ieeeaddress uniqueid meternumber "
    f"idwasp coreid chipid esp8266id deviceexternalid externalid {' '.join(SUBJECT_IDS)}",
    "gateway": "gatewayid gatewayeui gweui gwid gatewaysn gwsn gatewayserial gatewayserialnumber hubsn hubid",
    "name": "name devicename friendlyname displayname stationname alias label",
    "type": "type devicetype sensortype",
    "free_memory": "freeheap heap freemem freememory heapfree",
    "reset_reason": "resetreason restartreason",
    "sequence": "seq sequence sequencenumber seqno seqnum seqnumber msgid messageid msgnum packetid",
    "interval": "messageintervalseconds sendinterval reportinterval",
}
INNER = words(
    """fport fcnt fcntup fcntdown fcntup32 devaddr adr qc rqi qualitycode crc checksum qos retain schemaversion
    protocolversion msgtype messagetype schema topic cfg config configuration settings cmd command method ttl
    siteid tenantid customerid organizationid orgid projectid applicationid appid"""
)
"""Of a frame or a tag, and not of what is measured."""
_FACT_OF = {word: fact for fact, words in FACT_KEYS.items() for word in words.split()}

KINDS = {
    "temperature": "temperature temp temperatur temperatura tempc tempf dewpoint dew heatindex windchill celsius",
    "humidity": "humidity hum humi rh rhum relhum humid umidita humidite humedad umidade luftfeuchte luftfeuchtigkeit",
    "pressure": "pressure press baro barometer barom pressione presion pressao druck luftdruck mslp",
    "voltage": "voltage volt volts vcc vbat vbatt tensione uac udc vac vdc upv vpv",
    "current": "current amps ampere amperes corrente iac idc ipv",
    "power": "power watt watts apower potenza pac pdc ppv pgrid pload",
    "energy": "energy kwh energia aenergy",
    "battery": "battery batt bat soc batteria batterylevel",
    "frequency": "frequency freq",
    "illuminance": "illuminance lux light luminosity",
    "co2": "co2 eco2",
    "voc": "voc tvoc",
    "pm": "pm1 pm10 pm25 pm4",
    "level": "level livello stage",
    "distance": "distance dist distanza depth height visibility",
    "displacement": "displacement crack crackmeter elongation spostamento",
    "strain": "strain deformation",
    "angle": "angle tilt pitch roll yaw inclination inclinometer heading azimuth",
    "acceleration": "acceleration accelerometer accel acc",
    "vibration": "vibration vibrazione velocityrms",
    "flow": "flow flowrate portata",
    "speed": "speed windspeed velocity windgust",
    "direction": "direction winddir winddirection bearing",
    "rain": "rain rainfall precipitation pioggia rainrate",
    "moisture": "moisture soilmoisture",
    "conductivity": "conductivity ec",
    "ph": "ph",
    "weight": "weight mass peso",
    "altitude": "altitude alt elevation",
    "latitude": "latitude lat",
    "longitude": "longitude lon lng",
    "signal": "rssi snr linkquality lqi",
    "opening": "contact door window",
    "motion": "motion occupancy presence pir",
    "volume": "volume",
}
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words.split()}

UNITS = {
    "°C": "celsius degc tempc °c",
    "°F": "fahrenheit degf tempf °f",
    "%": "pct percent percentage %",
    "hPa": "hpa",
    "kPa": "kpa",
    "Pa": "pa",
    "bar": "bar",
    "mbar": "mbar",
    "psi": "psi",
    "inHg": "inhg",
    "mmHg": "mmhg",
    "W/m²": "wpm2 wm2",
    "V": "volt volts",
    "mV": "mv millivolt millivolts",
    "A": "amp amps ampere amperes",
    "mA": "ma milliamps",
    "W": "watt watts",
    "kW": "kw",
    "Wh": "wh",
    "kWh": "kwh",
    "MWh": "mwh",
    "VA": "va",
    "var": "var",
    "Hz": "hz hertz",
    "kHz": "khz",
    "MHz": "mhz",
    "ms": "ms millis milliseconds",
    "µs": "us",
    "s": "sec secs seconds",
    "min": "minutes",
    "h": "hours",
    "mm/h": "mmh mmph",
    "mm": "mm",
    "cm": "cm",
    "km": "km",
    "m": "meter meters metre metres",
    "µm": "um",
    "in": "inch inches",
    "ft": "foot feet",
    "mi": "mile miles",
    "ppm": "ppm",
    "ppb": "ppb",
    "µg/m³": "ugm3",
    "lx": "lux lx",
    "°": "deg degrees",
    "mg": "mg",
    "mg/L": "mgl",
    "kg": "kg",
    "dB": "db",
    "dBm": "dbm",
    "km/h": "kmh kph",
    "m/s": "mps",
    "mph": "mph",
    "kn": "knot knots",
    "L": "liter liters litre litres",
    "m³": "m3",
    "L/min": "lpm",
    "L/h": "lph",
    "m³/h": "m3h m3ph",
    "kVA": "kva",
    "kvar": "kvar",
    "Ω": "ohm ohms",
    "rpm": "rpm",
    "µS/cm": "uscm",
    "µε": "microstrain ue",
}
_UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split()}
BEARINGS = frozenset(("winddir", "winddirection", "windgustdir", "winddiravg", "windbearing"))
"""Where the wind comes from: as a number, degrees everywhere."""
PLACES = words("latitude longitude lat lon lng gpslatitude gpslongitude gpslat gpslon gpslng")
"""Where on earth: as a number, degrees."""
_WHOLE_KEYS = {"W": "W", "kW": "kW", "Wh": "Wh", "V": "V", "mV": "mV", "mA": "mA", "VA": "VA", "Hz": "Hz"}
"""A key that is nothing but a unit."""
_CASED_UNITS = {"mW": "mW", "MW": "MW", "MWh": "MWh", "mWh": "mWh", "mAh": "mAh", "Ah": "Ah", "Nm": "Nm", "NTU": "NTU",
                "kvarh": "kvarh", "varh": "varh", "VAh": "VAh", "kVAh": "kVAh", "dBA": "dBA", "dba": "dBA"}  # fmt: skip
_TWO_TOKENS = {("km", "h"): "km/h", ("m", "s"): "m/s", ("mi", "h"): "mph", ("l", "min"): "L/min", ("m", "s2"): "m/s²",
               ("us", "cm"): "µS/cm", ("ms", "cm"): "mS/cm", ("mm", "h"): "mm/h", ("in", "h"): "in/h",
               ("l", "h"): "L/h", ("l", "s"): "L/s", ("m3", "h"): "m³/h", ("w", "m2"): "W/m²", ("mg", "m3"): "mg/m³",
               ("ug", "m3"): "µg/m³", ("g", "m3"): "g/m³", ("kg", "m3"): "kg/m³", ("mg", "l"): "mg/L",
               ("kg", "h"): "kg/h", ("deg", "s"): "°/s", ("mm", "s"): "mm/s", ("m3", "m3"): "m³/m³"}  # fmt: skip

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


def _of_unit(key: str, plain: str) -> str | None:
    """Whose unit stands under a key; empty: its neighbours'. None: no unit does."""
    if plain in {"unit", "units", "uom", "unitofmeasurement", "unita", "unidad", "unidade", "einheit"}:
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
    if last in _CAPITALS and len(tokens[-2]) > 1:
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
