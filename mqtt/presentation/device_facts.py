"""What devices say of themselves, as a reader sees it: the usual facts under usual names, the rest as it was said."""

from typing import Any

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from mqtt.messages import CLOCK_FACT
from mqtt.presentation import formats
from mqtt.presentation.spans import span

MOST = 60
LONGEST = 300

NAMES: dict[str, Any] = {
    "bssid": gettext_lazy("Access point"),
    "free_memory": gettext_lazy("Free memory"),
    "gateway": gettext_lazy("Gateway"),
    "hardware": gettext_lazy("Hardware"),
    "hostname": gettext_lazy("Host name"),
    "id": gettext_lazy("Its own id"),
    "interval": gettext_lazy("Sends every"),
    "ip": gettext_lazy("IP address"),
    "linkquality": gettext_lazy("Link quality"),
    "mac": gettext_lazy("MAC address"),
    "manufacturer": gettext_lazy("Manufacturer"),
    "name": gettext_lazy("Its own name"),
    "reset_reason": gettext_lazy("Last restart"),
    "rssi": gettext_lazy("Signal"),
    "sequence": gettext_lazy("Message number"),
    "serial": gettext_lazy("Serial number"),
    "snr": gettext_lazy("Signal to noise"),
    "ssid": gettext_lazy("Wi-Fi"),
    "type": gettext_lazy("Type"),
    "update_available": gettext_lazy("Update available"),
    "uptime": gettext_lazy("Running for"),
}
UNITS = {"rssi": "dBm", "snr": "dB"}
"""Of numbers that can mean nothing else: a signal above zero is a share, an uptime seconds or minutes."""


KINDS: dict[str, Any] = {
    "temperature": pgettext_lazy("measured", "temperature"),
    "humidity": pgettext_lazy("measured", "humidity"),
    "pressure": pgettext_lazy("measured", "pressure"),
    "voltage": pgettext_lazy("measured", "voltage"),
    "current": pgettext_lazy("measured", "current"),
    "power": pgettext_lazy("measured", "power"),
    "energy": pgettext_lazy("measured", "energy"),
    "battery": pgettext_lazy("measured", "battery"),
    "frequency": pgettext_lazy("measured", "frequency"),
    "illuminance": pgettext_lazy("measured", "illuminance"),
    "level": pgettext_lazy("measured", "level"),
    "distance": pgettext_lazy("measured", "distance"),
    "displacement": pgettext_lazy("measured", "displacement"),
    "strain": pgettext_lazy("measured", "strain"),
    "angle": pgettext_lazy("measured", "angle"),
    "acceleration": pgettext_lazy("measured", "acceleration"),
    "vibration": pgettext_lazy("measured", "vibration"),
    "flow": pgettext_lazy("measured", "flow"),
    "speed": pgettext_lazy("measured", "speed"),
    "direction": pgettext_lazy("measured", "direction"),
    "rain": pgettext_lazy("measured", "rain"),
    "moisture": pgettext_lazy("measured", "moisture"),
    "conductivity": pgettext_lazy("measured", "conductivity"),
    "weight": pgettext_lazy("measured", "weight"),
    "altitude": pgettext_lazy("measured", "altitude"),
    "latitude": pgettext_lazy("measured", "latitude"),
    "longitude": pgettext_lazy("measured", "longitude"),
    "signal": pgettext_lazy("measured", "signal"),
    "opening": pgettext_lazy("measured", "opening"),
    "motion": pgettext_lazy("measured", "motion"),
    "volume": pgettext_lazy("measured", "volume"),
    "co2": "CO₂",
    "ph": "pH",
    "pm": pgettext_lazy("measured", "fine dust"),
    "voc": "VOC",
}
"""What sensors measure, as the decoders call it."""

APART_NAMES: dict[str, Any] = {"model": gettext_lazy("Model"), "firmware": gettext_lazy("Firmware")}
APART = frozenset(("firmware", "model", CLOCK_FACT))
"""Facts that have a line of their own."""
YEAR = 365.25 * 86400


def clock(facts: dict[str, Any]) -> str:
    """What is wrong with its clock; empty when nothing is."""
    off = facts.get(CLOCK_FACT)
    if not isinstance(off, int | float) or not off:
        return ""
    far = abs(off)
    years = round(far / YEAR)
    words = ngettext("%(n)s year", "%(n)s years", years) % {"n": years} if far >= 2 * YEAR else span(far)
    wrong = _("%(span)s behind") if off < 0 else _("%(span)s ahead")
    return wrong % {"span": words}


def written(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, what it is) of each, bounded, nested values as JSON."""
    told = [(name, fact) for name, fact in facts.items() if name not in APART]
    return [(_name(str(name)), _bounded(_fact(name, fact))) for name, fact in told[:MOST]]


def every(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """All that a message says of a device, with what has a line of its own on the device's page."""
    apart = [(str(APART_NAMES[name]), _bounded(_fact(name, facts[name]))) for name in APART_NAMES if name in facts]
    return apart + written(facts)


def _name(name: str) -> str:
    if name in NAMES:
        return str(NAMES[name])
    words = name[:80].replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _fact(name: str, told: Any) -> str:
    """Whole numbers stay as they are: they may be serial numbers."""
    if isinstance(told, bool):
        return str(_("yes") if told else _("no"))
    if isinstance(told, int | float):
        if name == "interval" and told > 0:
            return span(told)
        number = formats.number(told) if isinstance(told, float) else str(told)
        return f"{number} {UNITS[name]}" if name == "snr" or (name == "rssi" and told < 0) else number
    return told if isinstance(told, str) else orjson.dumps(told).decode()


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
