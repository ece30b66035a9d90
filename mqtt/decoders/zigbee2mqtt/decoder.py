"""Messages of Zigbee devices and groups."""

from functools import lru_cache
from typing import Any

from mqtt.decoders import presence
from mqtt.decoders.base import Content
from mqtt.decoders.dialects import dialect
from mqtt.decoders.gather import facts_from
from mqtt.decoders.memory import Key, Memory
from mqtt.decoders.scalars import scalar
from mqtt.decoders.walk import Walk
from mqtt.decoders.zigbee2mqtt.bridge import decode_bridge
from mqtt.decoders.zigbee2mqtt.network import BASES, DEFAULT_BASE, FAMILY, Entity, Network
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedAvailability, DecodedReading

INPUTS = frozenset(("set", "get"))
ANNOUNCING = ("/bridge/info", "/bridge/devices")
"""Where a bridge on another base shows itself."""
DEVICE_FACTS = {
    "ieeeAddr": "id",
    "model": "model",
    "manufacturerName": "manufacturer",
    "softwareBuildID": "firmware",
    "hardwareVersion": "hardware",
    "powerSource": "power_source",
}

KEYS = dialect(
    units={
        "°C": """temperature local_temperature device_temperature current_heating_setpoint occupied_heating_setpoint
            occupied_cooling_setpoint unoccupied_heating_setpoint unoccupied_cooling_setpoint max_temperature_limit
            min_temperature_limit max_heat_setpoint_limit min_heat_setpoint_limit soil_temperature external_temperature
            external_temperature_input local_temperature_calibration temperature_max temperature_min eco_temperature
            comfort_temperature away_preset_temperature holiday_temperature open_window_temperature""",
        "%": """battery humidity soil_moisture position valve_position pi_heating_demand tilt humidity_max
            humidity_min""",
        "hPa": "pressure",
        "lx": "illuminance illuminance_lux",
        "ppm": "co2 co gas_value",
        "ppb": "voc",
        "µg/m³": "pm1 pm25 pm10 pm40",
        "mg/m³": "formaldehyd formaldehyde hcho",
        "mired": "color_temp color_temp_startup",
        "V": "voltage voltage_phase_b voltage_phase_c mains_voltage dc_voltage",
        "A": "current current_phase_b current_phase_c current_neutral dc_current",
        "W": "power power_phase_b power_phase_c dc_power",
        "VA": "power_apparent",
        "var": "power_reactive",
        "kWh": "energy produced_energy consumption consumed_energy energy_phase_a energy_phase_b energy_phase_c",
        "Hz": "ac_frequency frequency",
        "s": """fading_time detection_interval detection_period occupancy_timeout transition detection_delay
            calibration_time""",
        "ms": "pulse_length",
        "m": """target_distance detection_distance small_detection_distance medium_motion_detection_distance
            large_motion_detection_distance minimum_range maximum_range detection_range""",
        "°": "angle_x angle_y angle_z",
        "m³": "water_consumed",
        "dB": "noise",
    },
    facts={"linkquality": "linkquality"},
    times="last_seen",
    nothing="update update_available update_progress update_remaining elapsed device group_list simulated_brightness",
    values="type name id model mode signal version hardware interval",
    switches="state",
    ending=r"_(?:(?:top|bottom|center)_(?:left|right)|l?\d+|left|right|center|top|bottom|white|cooler|wh|rgb|cct|usb)",
)
BATTERY_MILLIVOLTS = 1000
"""No mains has this many volts, and no battery so few millivolts."""


class ZigbeeWalk(Walk):
    """The state of a device."""

    __slots__ = ()
    meaning = staticmethod(KEYS)
    joins_single = False
    counts_members = True
    labels = frozenset()
    reads_numbers = False


class Zigbee2MqttDecoder:
    """State, availability and the bridge's own messages."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """Any with two levels: the base can be changed, and only the memory knows to what."""
        return "/" in topic

    def needs(self, topic: str) -> Key | None:
        """A base of its own, where it is not the usual one and not announced here."""
        is_usual = f"/{DEFAULT_BASE}/" in f"/{topic}" or topic.endswith(ANNOUNCING)
        return None if is_usual else (FAMILY, BASES)

    def claims(self, content: Content) -> bool:
        """All below a known base but bare words on its first level; bridges that show themselves elsewhere."""
        topic = content.topic
        base = _base(content.memory, topic)
        if not base:
            return topic.endswith(ANNOUNCING) and _is_bridge(content)
        return content.object is not None or content.is_empty or "/" in topic[len(base) + 1 :]

    def decode(self, content: Content) -> Decoded:
        """What it means for the device, or the network."""
        topic = content.topic
        base = _base(content.memory, topic) or topic.partition("/bridge/")[0]
        network = Network(content.memory, base)
        what, name = _route(topic[len(base) + 1 :])
        if what == "bridge":
            return decode_bridge(network, name, content)
        if what == "input" or content.is_empty:
            return Decoded(self.name)
        if what == "availability":
            availability = presence.said(content)
            ref = network.entity(name).ref
            news = [] if availability is None else [DecodedAvailability(ref, availability, alone=True)]
            return Decoded(self.name, availability=news)
        document = content.object
        if document is None or ("/" in name and _is_attribute(network, name)):
            return _attribute(network, name, content)
        return _state(network.entity(name), document, content)


@lru_cache(maxsize=20_000)
def _route(tail: str) -> tuple[str, str]:
    """What a topic below the base is about, and of whom: bridge, input, availability or state."""
    levels = tail.split("/")
    if levels[0] == "bridge" and len(levels) > 1:
        return "bridge", tail.removeprefix("bridge/")
    if INPUTS & set(levels[1:]):
        return "input", levels[0]
    if levels[-1] == "availability" and len(levels) > 1:
        return "availability", tail.removesuffix("/availability")
    return "state", tail


def _base(memory: Memory, topic: str) -> str:
    """The known base that a topic lies below, or nothing."""
    if topic.startswith(DEFAULT_BASE) and topic[len(DEFAULT_BASE) : len(DEFAULT_BASE) + 1] == "/":
        return DEFAULT_BASE
    bases = memory.get(FAMILY, BASES)
    if bases:
        for base in bases:
            if topic.startswith(base) and topic[len(base) : len(base) + 1] == "/":
                return str(base)
    below, level, _ = topic.partition(f"/{DEFAULT_BASE}/")
    return f"{below}/{DEFAULT_BASE}" if level else ""


def _is_bridge(content: Content) -> bool:
    """Whether the lists of a bridge are really those of Zigbee."""
    try:
        document = content.document if content.is_structure else None
    except UndecodableError:
        return False
    if isinstance(document, dict):
        return isinstance(document.get("coordinator"), dict) and "version" in document
    return isinstance(document, list) and any(
        isinstance(one, dict) and "ieee_address" in one and "friendly_name" in one for one in document
    )


def _state(entity: Entity, document: dict[str, Any], content: Content) -> Decoded:
    walk = ZigbeeWalk(entity.ref, content)
    walk.object(document, "", 1)
    for part, names in (("device", DEVICE_FACTS), ("update", {"state": "update_state"})):
        if isinstance(about := document.get(part), dict):
            for fact, value in facts_from(about, names).items():
                walk.fact(fact, value)
    _correct_units(walk.readings, entity.units, document)
    return Decoded(FAMILY, walk.readings, [], walk.facts())


def _correct_units(readings: list[DecodedReading], units: dict[str, str], document: dict[str, Any]) -> None:
    """The bridge knows the units of listed devices; of others these two keys have more than one."""
    if units:
        for reading in readings:
            if (unit := units.get(reading.name)) is not None:
                reading.guessed_unit, reading.unit = reading.unit, unit if reading.text is None else ""
        return
    voltage, lux = document.get("voltage"), document.get("illuminance_lux")
    is_battery = isinstance(voltage, int | float) and voltage >= BATTERY_MILLIVOLTS
    # Where lux stand beside it and differ, `illuminance` is the raw number of the cluster.
    is_raw = lux is not None and lux != document.get("illuminance")
    if is_battery or is_raw:
        for reading in readings:
            if is_battery and reading.name == "voltage":
                reading.unit = "mV"
            elif is_raw and reading.name == "illuminance":
                reading.unit = ""


def _is_attribute(network: Network, name: str) -> bool:
    """Whether the last level is one value of a listed device, and not part of a name."""
    device, _, _ = name.rpartition("/")
    return bool(device) and not network.is_listed(name) and network.is_listed(device)


def _attribute(network: Network, name: str, content: Content) -> Decoded:
    """One value of a device on a topic of its own, as the setting `output: attribute` sends them."""
    if content.is_structure:
        _ = content.document  # broken JSON says so
        raise UndecodableError("no_values")
    device, _, key = name.rpartition("/")
    number, text = scalar(content.text)
    value = {"true": True, "false": False}.get(text or "", text) if number is None else number
    return _state(network.entity(device), {key: value}, content)


DECODER = Zigbee2MqttDecoder()
