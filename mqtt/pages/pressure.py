"""How a connection flows at this moment, as its mqtt process says every 2 s; asks Valkey alone."""

from typing import Any

from django.utils.translation import gettext as _

from mqtt.pages.base import Part, Shown
from mqtt.presentation import formats
from mqtt.presentation.spans import span
from mqtt.services.pressure import BEHIND_FROM, of_connection, read_all


def flow(shown: Shown) -> dict[str, Any]:
    """What the holder says of the connection, or that nobody does."""
    processes = read_all()
    for process in processes or ():
        for one in process.connections:
            if one.connection_id == shown.object.pk:
                return {
                    "flow": one,
                    "lag": milliseconds(one.lag_seconds),
                    "is_slow": one.lag_seconds >= BEHIND_FROM,
                    "process": process.title,
                }
    return {"flow": None, "is_known": processes is not None}


def broker(shown: Shown) -> dict[str, Any]:
    """What the broker says of itself, or why nothing is known."""
    found = of_connection(read_all(), shown.object.pk)
    facts = found.broker if found else None
    return {
        "facts": facts,
        "state": found.broker_state if found else "",
        "uptime": _uptime(facts.uptime) if facts else "",
        "is_losing": bool(facts and facts.dropped_lately),
    }


def _uptime(text: str) -> str:
    """Mosquitto writes "86400 seconds", others words of their own."""
    number, _space, unit = text.partition(" ")
    return span(int(number)) if unit in {"second", "seconds"} and number.isdecimal() and len(number) < 12 else text


def milliseconds(seconds: float) -> str:
    """A delay as people read it."""
    if seconds < 1:
        return _("%(n)s ms") % {"n": formats.number(round(seconds * 1000))}
    return _("%(n)s s") % {"n": formats.number(round(seconds, 1))}


PRESSURE = Part("pressure", "mqtt/parts/_connection_pressure.html", flow, element="section")
BROKER = Part("broker", "mqtt/parts/_connection_broker.html", broker, element="section")
