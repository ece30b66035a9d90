"""How a connection flows at this moment, as its mqtt process says every 2 s; asks Valkey alone."""

from typing import Any

from django.utils.translation import gettext as _

from mqtt import formats
from mqtt.pages.base import Part, Shown
from mqtt.services.pressure import BEHIND_FROM, read_all


def flow(shown: Shown) -> dict[str, Any]:
    """What the holder says of the connection, or that nobody does."""
    processes = read_all()
    for process in processes or ():
        for one in process.connections:
            if one.connection_id == shown.object.pk:
                return {
                    "flow": one,
                    "lag": _milliseconds(one.lag_seconds),
                    "is_slow": one.lag_seconds >= BEHIND_FROM,
                    "process": process.name.partition(" ")[0],
                }
    return {"flow": None, "is_known": processes is not None}


def _milliseconds(seconds: float) -> str:
    if seconds < 1:
        return _("%(n)s ms") % {"n": formats.number(round(seconds * 1000))}
    return _("%(n)s s") % {"n": formats.number(round(seconds, 1))}


PRESSURE = Part("pressure", "mqtt/parts/_connection_pressure.html", flow, element="section")
