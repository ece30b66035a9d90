"""go-eCharger's API version 1: one object of texts under `go-eCharger/<serial>/status`, in units of its own.

Source: goecharger/go-eCharger-API-v1. `nrg` holds U in V, I in 0.1 A, P in 0.1 kW and power factors.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add, facts_from
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.messages import Decoded, DecodedFacts, DeviceRef, Moved

TOPIC = re.compile(r"((?:.+/)?go-eCharger/([^/]+))/status", re.DOTALL)
ARRAY = (
    *((f"voltage_{phase}", "V", 1.0) for phase in ("l1", "l2", "l3", "n")),
    *((f"current_{phase}", "A", 10.0) for phase in ("l1", "l2", "l3")),
    *((f"power_{phase}", "W", 0.01) for phase in ("l1", "l2", "l3", "n")),
    ("power_total", "W", 0.1),
    *((f"factor_{phase}", "%", 1.0) for phase in ("l1", "l2", "l3", "n")),
)
"""(name, unit, what its number is divided by)."""
VALUES = {
    "car": ("", 1.0), "amp": ("A", 1.0), "amx": ("A", 1.0), "ama": ("A", 1.0), "cbl": ("A", 1.0), "err": ("", 1.0),
    "alw": ("", 1.0), "ast": ("", 1.0), "stp": ("", 1.0), "pha": ("", 1.0), "tmp": ("°C", 1.0), "dws": ("Wh", 360.0),
    "dwo": ("kWh", 10.0), "eto": ("kWh", 10.0), "uby": ("", 1.0), "lse": ("", 1.0), "ust": ("", 1.0),
}  # fmt: skip
"""`dws` counts ten watt-seconds. What is not here is configuration."""


class GoE1Decoder:
    """The status of one charger."""

    name = "go-echarger-v1"

    def knows_topic(self, topic: str) -> bool:
        """`go-eCharger/<serial>/status`."""
        return TOPIC.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """An object with the electrical values."""
        found = content.object
        return found is not None and isinstance(found.get("nrg"), list)

    def decode(self, content: Content) -> Decoded:
        """The values that are measured, and the facts."""
        decoded = Decoded(self.name)
        match = TOPIC.fullmatch(content.topic)
        found = content.object or {}
        if match is None:
            return decoded
        device = DeviceRef(match[1], clean(match[2])[:NAME_LENGTH])
        for (name, unit, by), value in zip(ARRAY, found.get("nrg", ()), strict=False):
            _add(decoded, device, f"nrg.{name}", value, unit, by)
        for key, (unit, by) in VALUES.items():
            _add(decoded, device, key, found.get(key), unit, by)
        decoded.moved.append(Moved(content.topic, "", device, ""))  # earlier versions read it as plain JSON
        decoded.facts.append(DecodedFacts(device, facts_from(found, {"fwv": "firmware", "sse": "serial"})))
        return decoded


def _add(decoded: Decoded, device: DeviceRef, name: str, value: object, unit: str, by: float) -> None:
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return
    if number is not None and abs(number) < float("inf"):
        add(decoded, device, name, round(number / by, 6), unit=unit)


DECODER = GoE1Decoder()
