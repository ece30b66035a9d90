"""Victron Venus OS: `N/<portal>/<service>/<instance>/<path>` with `{"value": …}`.

Source: victronenergy/dbus-flashmq. The portal is the gateway, a service with its instance a device. Units stand nowhere
in the messages; they follow from the path. An empty payload says that the device is gone. W/ and R/ are requests.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, each
from mqtt.enums import Availability
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

TOPIC = re.compile(r"([NRW])/([^/]+)/([^/]+)(?:/(\d+)/(.+)|/?.*)", re.DOTALL)
FACTS = {
    "ProductName": "model", "FirmwareVersion": "firmware", "Serial": "serial", "CustomName": "name",
    "HardwareVersion": "hardware",
    "Mgmt/ProcessVersion": "", "Mgmt/ProcessName": "", "Mgmt/Connection": "", "ProductId": "", "DeviceInstance": "",
}  # fmt: skip
"""Empty: neither a fact nor a reading."""
UNITS = (
    (re.compile(r"(?:.*/)?Alarms?/.*"), ""),
    (re.compile(r".*(?:^|/)(?:Voltage|V|MidVoltage|StarterVoltage|MinimumVoltage|MaximumVoltage)"), "V"),
    (re.compile(r".*(?:^|/)(?:Current|I|ChargeCurrent)"), "A"),
    (re.compile(r".*(?:^|/)(?:Power|P|Ac/L\d/Power|PvPower|MaxPower)"), "W"),
    (re.compile(r".*(?:^|/)(?:Soc|State[oO]fCharge|Soh|Level)"), "%"),
    (re.compile(r".*(?:^|/)(?:Temperature|AirTemperature|Barrel\w*Temperature)"), "°C"),
    (re.compile(r".*(?:^|/)(?:Frequency|F)"), "Hz"),
    (
        re.compile(
            r".*(?:^|/)(?:Energy/(?:Forward|Reverse)|Yield/(?:User|System|Power)|History/Daily/\d+/(?:Pv/\d+/)?Yield)"
        ),
        "kWh",
    ),
    (re.compile(r".*(?:^|/)(?:ConsumedAmphours|History/.*AmpHours|Capacity|InstalledCapacity)"), "Ah"),
    (re.compile(r".*(?:^|/)(?:TimeToGo|Uptime)"), "s"),
    (re.compile(r".*(?:^|/)Humidity"), "%"),
    (re.compile(r".*(?:^|/)Pressure"), "hPa"),
    (re.compile(r".*(?:^|/)Remaining"), "m³"),
    (re.compile(r"(?:.*/)?(?:Charged|Discharged)Energy|(?:Session/)?Energy(?:/\w+)?"), "kWh"),
    (re.compile(r"(?:.*/)?Ac/(?:\w+/)*S"), "VA"),
    (re.compile(r"(?:.*/)?MidVoltageDeviation"), "%"),
    (re.compile(r"(?:.*/)?Runtime"), "s"),
    (re.compile(r"Position/L(?:at|ong)itude|Course"), "°"),
    (re.compile(r"Speed"), "m/s"),
    (re.compile(r"Altitude"), "m"),
    (re.compile(r".*(?:^|/)\w+Voltage|(?:.*/)?Voltages/\w+"), "V"),
    (re.compile(r".*(?:^|/)\w+Current|.*/CurrentLimit"), "A"),
    (re.compile(r".*(?:^|/)\w+Temperature"), "°C"),
    (re.compile(r".*(?:^|/)\w+Power|.*/AcPowerSetPoint"), "W"),
    (re.compile(r".*(?:^|/)Irradiance"), "W/m²"),
    (re.compile(r".*(?:^|/)WindSpeed"), "m/s"),
    (re.compile(r".*(?:^|/)WindDirection"), "°"),
)
INNER_UNITS = {"voltage": "V", "current": "A", "power": "W", "soc": "%", "temperature": "°C", "timetogo": "s"}
"""Of the objects that stand for a list of batteries."""
YIELD_POWER = re.compile(r"Yield/Power")


class VictronDecoder:
    """Devices on a Venus OS installation."""

    name = "victron"

    def knows_topic(self, topic: str) -> bool:
        """`N/…`, and the requests `R/…` and `W/…`."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """`{"value": …}`, an empty payload, and the keepalive's bookkeeping."""
        if content.is_empty:
            return True
        found = content.object
        if content.topic.count("/") == 2:
            return found is not None or content.topic.endswith("/keepalive")
        return found is not None and "value" in found

    def decode(self, content: Content) -> Decoded:
        """One value, a fact, or that a device is gone."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        if match is None or match.group(1) != "N" or not match.group(5):
            return decoded
        _n, portal, service, instance, path = match.groups()
        device = DeviceRef(f"N/{portal}/{service}/{instance}", f"{service}/{instance}", f"N/{portal}", portal)
        if content.is_empty:
            decoded.availability.append(DecodedAvailability(device, Availability.OFFLINE))
            return decoded
        value = (content.object or {}).get("value")
        if path in FACTS:
            if FACTS[path] and isinstance(value, str | int | float) and value != "":
                decoded.facts.append(DecodedFacts(device, {FACTS[path]: value}))
            return decoded
        unit = _unit(path)
        for name, leaf in each(value, path.replace("/", ".")):
            add(decoded, device, name, leaf, unit=unit or INNER_UNITS.get(name.rpartition(".")[2], ""))
        return decoded


def _unit(path: str) -> str:
    if YIELD_POWER.fullmatch(path):
        return "W"
    return next((unit for pattern, unit in UNITS if pattern.fullmatch(path)), "")


DECODER = VictronDecoder()
