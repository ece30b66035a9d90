"""Weather stations: Ecowitt's own upload, Weather Underground's, and WeeWX, through which Davis and many others come.

Sources: bachya/ecowitt2mqtt and the vendor's protocol pages; WeeWX' unit systems and its MQTT extension. Ecowitt
writes the unit into the key (`tempf`, `baromrelin`; `tempinf` is indoors), sends text, and either JSON or a form.
WeeWX says with `usUnits` which system all values are in, or appends `_C`, `_mbar` and the like.
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from mqtt.decoders import credentials
from mqtt.decoders.base import Content
from mqtt.decoders.dialects import dialect
from mqtt.decoders.gather import Part, facts_from, said
from mqtt.decoders.places import place
from mqtt.decoders.words import Meaning, Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DeviceRef, Moved

ECOWITT_UNITS = (
    (
        r"(?:indoor|soil)?temp(?:in|\d+)?f|dewptf|tf_(?:ch\d+|co2)|tempf_\w+|(?:dewpoint|heatindex|windchill|feelslike)\d*f",
        "°F",
    ),
    (r"temp(?:in|\d+)?c|tf_\w+c|(?:dewpoint|heatindex|windchill|feelslike)\d*c", "°C"),
    (r"(?:indoor)?humidity(?:in|\d+)?|humi_\w+|soilmoisture\d+|leafwetness_ch\d+|leaf_wetness\w*|relay_bat\w*", "%"),
    (r"barom(?:rel|abs)?in|vpd", "inHg"),
    (r"barom(?:rel|abs)hpa", "hPa"),
    (r"barom(?:rel|abs)mm", "mmHg"),
    (r"(?:windspeed|windgust)mph|maxdailygust|windspdmph_avg\w*", "mph"),
    (r"(?:windspeed|windgust|maxdailygust)kmh", "km/h"),
    (r"(?:windspeed|windgust|maxdailygust)ms", "m/s"),
    (r"winddir(?:_avg\w*)?", "°"),
    (r"srain_piezo|pm25batt\d+", ""),
    (r"rainratein|rrain_piezo", "in/h"),
    (r"rainratemm", "mm/h"),
    (r"(?:event|hourly|daily|weekly|monthly|yearly|total|last24h)?rainin|[a-z0-9]+rain_piezo", "in"),
    (r"(?:event|hourly|daily|weekly|monthly|yearly|total|last24h)rainmm", "mm"),
    (r"solarradiation", "W/m²"),
    (r"pm(?:1|4|10|25)(?:_\w+)?", "µg/m³"),
    (r"co2(?:in)?(?:_24h)?", "ppm"),
    (r"lightning", "km"),
    (r"air_ch\d+|thi_ch\d+|depth_ch\d+", "mm"),
    (r"(?:wh40|wh68|wh80|wh85|wh90|ws1900)batt|(?:soil|tf_|leaf_|lds)batt\d*|ws90cap_volt|\w+_volt", "V"),
)
"""By the whole key; other batteries say 0 and 1, or 0 to 5."""
ECOWITT_FACTS = {"stationtype": "firmware", "softwaretype": "firmware", "model": "model", "freq": "frequency_band",
                 "interval": "interval", "runtime": "uptime", "heap": "free_memory"}  # fmt: skip
UPLOAD_KEYS = frozenset(("stationtype", "PASSWORD", "tempf", "tempinf", "baromrelin"))
ECOWITT_INNER = frozenset(("PASSKEY", "ID", "PASSWORD", "action", "realtime", "rtfreq", "dateutc", "lightning_time",
                           "ws90_ver", "ws85_ver", *ECOWITT_FACTS))  # fmt: skip
_ECOWITT = tuple((re.compile(pattern), unit) for pattern, unit in ECOWITT_UNITS)


@lru_cache(maxsize=2000)
def ecowitt_meaning(key: str) -> Meaning:
    """What a key of the upload says."""
    if key in ECOWITT_INNER:
        return Meaning(Role.NOTHING)
    unit = next((unit for pattern, unit in _ECOWITT if pattern.fullmatch(key)), "")
    return Meaning(Role.VALUE, unit, meaning(key).kind)


class _EcowittWalk(Part):
    __slots__ = ()
    meaning = staticmethod(ecowitt_meaning)


class EcowittDecoder:
    """Uploads of an Ecowitt station or gateway."""

    name = "ecowitt"
    marks = frozenset(("PASSKEY", "PASSWORD", "stationtype", "dateutc"))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the content tells."""
        return True

    def claims(self, content: Content) -> bool:
        """A station's key or password, or the time and what only stations write beside it, as JSON or as a form."""
        found = content.object
        if found is None:
            return content.message.payload[:8] == b"PASSKEY=" or b"PASSWORD=" in content.message.payload[:300]
        return "PASSKEY" in found or ("dateutc" in found and not UPLOAD_KEYS.isdisjoint(found))

    def decode(self, content: Content) -> Decoded:
        """All values of one moment. Raises UndecodableError."""
        found = content.object
        if found is None:
            try:
                found = dict(parse_qsl(content.text, max_num_fields=1000))
            except ValueError:
                raise UndecodableError("no_values") from None
        device = place(content.topic).device
        decoded = Decoded(self.name)
        if (key := said(found, "PASSKEY")) and key not in content.topic and len(set(key)) > 1:
            who = credentials.alias(key)
            device = DeviceRef(f"{content.topic}#{who}", who)
            decoded.moved.append(Moved(f"{content.topic}#{key}", "", device, "", rekeys=True))
        elif "PASSWORD" in found and (who := said(found, "ID")) and who not in content.topic:
            device = DeviceRef(f"{content.topic}#{who}", who)
        date = found.get("dateutc")
        walk = _EcowittWalk(device, content)
        walk.object(found, "", 1)
        # "now" is what stations without a clock of their own send.
        walk.into(
            decoded, content.time(f"{date.replace('+', ' ')}Z") if isinstance(date, str) and date != "now" else None
        )
        facts = {key: value for key, value in facts_from(found, ECOWITT_FACTS).items() if _is_told(key, value)}
        decoded.facts.append(DecodedFacts(device, facts))
        return decoded


def _is_told(key: str, value: Any) -> bool:
    """Seconds come as text; what is no number says nothing."""
    return key != "interval" or str(value).isdecimal()


def _system(temperature: str, pressure: str, speed: str, rain: str, length: str) -> dict[str, str]:
    temperatures = "outTemp inTemp dewpoint inDewpoint windchill heatindex appTemp humidex lowOutTemp highOutTemp"
    return {
        temperature: f"{temperatures} extraTemp soilTemp leafTemp heatindex1 dewpoint1",
        pressure: "barometer pressure altimeter",
        speed: "windSpeed windGust windSpeed10 windSpeed2 windGustSpeed10",
        rain: "rain hourRain dayRain rain24 stormRain monthRain yearRain ET dayET monthET yearET hail snow",
        f"{rain}/h": "rainRate hailRate snowRate",
        length: "cloudbase altitude",
        "%": "outHumidity inHumidity extraHumid leafWet rxCheckPercent",
        "°": "windDir windGustDir windGustSpeed10Dir",
        "W/m²": "radiation maxSolarRad",
        "V": "consBatteryVoltage supplyVoltage heatingVoltage referenceVoltage",
    }


def _walk(units: dict[str, str]) -> type[Part]:
    keys = dialect(
        {unit: keys for unit, keys in units.items() if unit not in {"", "/h"}},
        times="dateTime",
        nothing="usUnits interval sunrise sunset stormStart",
        ending=r"\d+",
    )

    class WeewxWalk(Part):
        __slots__ = ()
        meaning = staticmethod(keys)

    return WeewxWalk


WITHOUT_SYSTEM = _walk(_system("", "", "", "", ""))
WALKS = {
    "1": _walk(_system("°F", "inHg", "mph", "in", "ft")),
    "16": _walk(_system("°C", "mbar", "km/h", "cm", "m")),
    "17": _walk(_system("°C", "mbar", "m/s", "mm", "m")),
}


WEEWX_KEYS = ("outTemp", "inTemp", "barometer", "windSpeed")


class WeewxDecoder:
    """Packets of WeeWX: all values of one moment."""

    name = "weewx"
    marks = frozenset(("dateTime",))

    def knows_topic(self, _topic: str) -> bool:
        """Any: it is chosen by hand."""
        return True

    def claims(self, content: Content) -> bool:
        """A packet's time with its unit system, or with any of WeeWX' own names."""
        found = content.object
        if found is None or "dateTime" not in found:
            return False
        return "usUnits" in found or any(
            key.startswith(("outTemp", "barometer", "windSpeed", "inTemp")) for key in found
        )

    def decode(self, content: Content) -> Decoded:
        """All values."""
        found = content.object or {}
        topic = content.topic
        where = place(topic)
        device = where.owner if topic.endswith(("/loop", "/archive")) else where.device
        decoded = Decoded(self.name)
        system = str(found.get("usUnits", "")).partition(".")[0]
        walk = WALKS.get(system, WITHOUT_SYSTEM)(device, content)
        walk.object(found, "", 1)
        walk.into(decoded)
        minutes = found.get("interval")
        if isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 < minutes < 10_000:
            decoded.facts.append(DecodedFacts(device, {"interval": minutes * 60}))
        return decoded


ECOWITT_DECODER = EcowittDecoder()
WEEWX_DECODER = WeewxDecoder()
