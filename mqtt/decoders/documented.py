"""Programs that publish plain values under topics of their own, whose units stand in their documentation only.

Sources: the topic tables of evcc, goecharger/go-eCharger-API-v2, kbialek/deye-inverter-mqtt, OpenDTU, AhoyDTU, OpenEVSE
and DSMR-reader.
Another program of this kind is a row in PROJECTS: where its device ends in the topic, and what is in which unit.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.presence import BOOLEANS, WORDS
from mqtt.decoders.scalars import scalar
from mqtt.decoders.walk import MAX_ARRAY
from mqtt.decoders.words import Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedFacts, DeviceRef

FACTS = {"fwv": "firmware", "sse": "serial"}
"""Facts whose path is no word."""
SOLAR = (
    ("voltage|voltagedc|U_[AD]C.*", "V"), ("current|I_[AD]C.*", "A"), ("power|powerdc|powerac|P_[AD]C|P_ACr", "W"),
    ("reactivepower|Q_AC", "var"), ("frequency|F_AC", "Hz"), ("temperature|Temp", "°C"),
    ("efficiency|irradiation|Efficiency|Irradiation", "%"), ("yieldday|YieldDay|YieldWeek", "Wh"),
    ("yieldtotal|YieldTotal", "kWh"),
)  # fmt: skip


class Project(NamedTuple):
    """A program, and how it writes."""

    name: str
    topic: str
    """A pattern: `device` is the key of whose it is, `rest` the path of the value, `who` the identifier if not all."""
    units: tuple[tuple[str, str], ...]
    """(pattern of the end of the path, unit); the first that fits counts."""
    presence: str = "status"
    """Paths that say whether it is there."""
    nothing: str = ""
    """Paths that say nothing about anything."""
    facts: str = ""
    """Paths of facts about the device, by the names of the general words."""
    arrays: dict[str, str] = {}
    """Paths whose JSON array holds unlike things: the names of its places."""


PROJECTS = (
    Project(
        "evcc",
        r"(?P<device>(?P<who>evcc(?:/(?:site|(?:loadpoints|vehicles)/[^/]+|[^/]+(?=/soc|/range|/odometer)))?))/(?P<rest>.+)",
        (
            (r".*[pP]ower\w*", "W"), (r".*[sS]oc", "%"), (r".*[cC]urrents?(?:/l\d)?", "A"),
            (r".*[vV]oltages?(?:/l\d)?", "V"), (r"charge(?:d|Remaining)Energy|sessionEnergy", "Wh"),
            (r".*energy|.*Energy|chargeTotalImport", "kWh"), (r".*Duration|.*Remaining", "s"),
            (r".*[rR]ange|.*[oO]dometer", "km"), (r".*Temperature", "°C"),
        ),
        nothing="updated|.*[lL]ogo|sponsor.*|.*/set",
        facts="version",
    ),
    Project(
        "deye",
        r"(?P<device>(?P<who>deye(?:/\d+)?))/(?P<rest>(?!\d+/).+)",
        (
            (r"(?:.*_)?energy\w*|battery/(?:daily|total)_(?:dis)?charge", "kWh"), (r"(?:.*_)?power", "W"),
            (r"(?:.*_)?voltage", "V"), (r"(?:.*_)?current", "A"), (r"(?:.*_)?freq", "Hz"), (r"(?:.*_)?temp\w*", "°C"),
            ("soc", "%"), ("uptime", "min"),
        ),
        presence="status|logger_status",
        nothing=".*/command|settings/.*",
    ),
    Project(
        "opendtu",
        r"(?P<device>.+/(?P<who>1[0-9a-f]{11}))/(?P<rest>[0-6]/\w+|status/\w+|device/\w+|radio/\w+|name)",
        (*SOLAR, ("limit_relative", "%"), ("limit_absolute", "W"), ("rssi", "dBm")),
        presence="status/reachable",
        nothing="status/last_update|radio/.*_.*|.*/cmd",
        facts="name|device/hwpartnumber|device/hwversion|device/fwbuildversion",
    ),
    Project(
        "ahoydtu",
        r"(?P<device>(?:.+/)?inverter/(?P<who>[^/]+))/(?P<rest>ch[0-6]/\w+|P_AC|available|last_success|ack_pwr_limit)",
        SOLAR,
        presence="available",
        nothing="last_success|.*/LastSuccess|ack_pwr_limit|.*ALARM_MES_ID",
    ),
    Project(
        "openevse",  # temperatures are tenths of a degree, which no unit says
        r"(?P<device>(?:.+/)?(?P<who>openevse(?:-[0-9a-f]{4})?))/(?P<rest>(?!(?:announce|rapi|override|claim)/)[^/]+)",
        (
            ("amp", "mA"), ("voltage", "V"), ("pilot|max_current", "A"), ("power", "W"),
            ("wattsec", "Ws"), ("watthour|session_energy", "Wh"), (r"total_(?:energy|day|week|month|year)", "kWh"),
            ("srssi", "dBm"), ("elapsed|session_elapsed|uptime", "s"), ("battery_level", "%"),
        ),
        nothing="freeram|freeheap|divert_update|config_version|claims_version|override_version",
    ),
    Project(
        "go-echarger",  # the HTTP API's keys, version 2; `nrg` is documented as U, I, P and power factors
        r"(?P<device>(?:.+/)?go-eCharger/(?P<who>\w+))/(?P<rest>[a-z]\w{1,4})",
        (
            ("voltage_.*", "V"), ("current_.*|amp|ama|amt|acu|mca|ppv", "A"), ("power_.*|fup|pgrid|ppv|pakku", "W"),
            ("wh|eto|dwo", "Wh"), (r"tma\.\d", "°C"), ("factor_.*", "%"), ("fhz", "Hz"), ("rbt", "ms"),
        ),
        presence="",
        nothing="utc|loc|lck|wss|wsms|wsm|scan|scas|cards|rcd|del|delw|lwf|fna|lmsc|lrn|tof|ocu|data|dll",
        facts="fwv|sse|rssi",
        arrays={
            "nrg": "voltage_l1 voltage_l2 voltage_l3 voltage_n current_l1 current_l2 current_l3 power_l1 power_l2 "
            "power_l3 power_n power_total factor_l1 factor_l2 factor_l3 factor_n",
            "tma": "",
        },
    ),
    Project(
        "dsmr-reader",
        r"(?P<device>(?P<who>dsmr))/(?P<rest>(?:reading|day-consumption|meter-stats|consumption|current-month|current-year)/.+)",
        (
            (r"(?:phase_|electricity_)currently_\w+", "kW"), (r"phase_voltage_\w+", "V"),
            (r"phase_power_current_\w+", "A"), (r".*(?:cost|price|fixed)\w*", "€"),
            (r"electricity\w*", "kWh"), (r"extra_device_delivered|gas\w*|delivered|currently_delivered", "m³"),
        ),
        nothing=".*(?:timestamp|read_at|/day|day_start|day_end)",
    ),
)  # fmt: skip


class DocumentedDecoder:
    """The plain values of one program."""

    def __init__(self, project: Project) -> None:
        self.name = project.name
        self._topic = re.compile(project.topic, re.DOTALL)
        self._units = tuple((re.compile(pattern), unit) for pattern, unit in project.units)
        self._presence = re.compile(project.presence)
        self._nothing = re.compile(project.nothing)
        self._facts = re.compile(project.facts)
        self._arrays = {path: names.split() for path, names in project.arrays.items()}
        self._unit = lru_cache(maxsize=2000)(self._unit_of)

    def knows_topic(self, topic: str) -> bool:
        """Those of the program's documentation."""
        return self._topic.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Plain values, and arrays that are known."""
        if content.is_structure:
            match = self._topic.fullmatch(content.topic) if self._arrays else None
            return match is not None and match["rest"] in self._arrays
        return True

    def decode(self, content: Content) -> Decoded:
        """One value, a fact, or presence. Raises UndecodableError."""
        decoded = Decoded(self.name)
        match = self._topic.fullmatch(content.topic)
        if match is None:
            raise UndecodableError("no_values")
        device = DeviceRef(match["device"], clean(match["who"])[:NAME_LENGTH])
        rest = match["rest"]
        if self._nothing.fullmatch(rest) or content.text in {"", "null"}:
            return decoded
        if content.is_structure:
            self._array(content, device, rest, decoded)
            return decoded
        value, text = scalar(content.text)
        if self._presence.fullmatch(rest):
            word = content.text.lower()
            if said := WORDS.get(word) or BOOLEANS.get(word):
                decoded.availability.append(DecodedAvailability(device, said, announces=True))
            return decoded
        if self._facts.fullmatch(rest):
            means = meaning(rest.rpartition("/")[2])
            fact = FACTS.get(rest) or (means.of if means.role is Role.FACT else rest.rpartition("/")[2])
            decoded.facts.append(DecodedFacts(device, {fact: text if value is None else value}))
            return decoded
        name = rest.replace("/", ".")
        add(decoded, device, name, text if value is None else value, unit=self._unit(rest), is_switch=True)
        return decoded

    def _array(self, content: Content, device: DeviceRef, rest: str, decoded: Decoded) -> None:
        names = self._arrays.get(rest, [])
        found = content.document if isinstance(content.document, list) else []
        for place, value in enumerate(found[:MAX_ARRAY]):
            name = f"{rest}.{names[place] if place < len(names) else place}"
            add(decoded, device, name, value, unit=self._unit(name if not names else name.rpartition(".")[2]))

    def _unit_of(self, rest: str) -> str:
        last, two = rest.rpartition("/")[2], "/".join(rest.split("/")[-2:])
        return next((unit for pattern, unit in self._units if pattern.fullmatch(last) or pattern.fullmatch(two)), "")


DECODERS = tuple(DocumentedDecoder(project) for project in PROJECTS)
