"""What the whole installation does at this moment, as its mqtt processes say every 2 s; asks Valkey alone."""

from typing import Any

from mqtt.enums import LINK_UP
from mqtt.pages.base import Part, Shown
from mqtt.pages.pressure import milliseconds
from mqtt.services.pressure import BEHIND_FROM, read_all


def pulse(_shown: Shown) -> dict[str, Any]:
    """Sums over all connections that are held, the longest delay, and how many of their links are up."""
    processes = read_all()
    flows = [one for process in processes or () for one in process.connections]
    lag = max((one.lag_seconds for one in flows if one.messages_per_second), default=0.0)
    behind = max((one.behind_seconds for one in processes or ()), default=0.0)
    up = sum(one.status in LINK_UP for one in flows)
    return {
        "is_known": processes is not None,
        "processes": len(processes or ()),
        "messages": sum(one.messages_per_second for one in flows),
        "readings": sum(one.readings_per_second for one in flows),
        "undecoded": sum(one.undecoded_per_second for one in flows),
        "waiting": sum(one.waiting for one in processes or ()),
        "lag": milliseconds(most) if (most := max(lag, behind if behind >= BEHIND_FROM else 0.0)) else "",
        "is_slow": max(lag, behind) >= BEHIND_FROM,
        "up": up,
        "down": len(flows) - up,
        "dropped": sum(one.broker.dropped_lately for one in flows if one.broker),
    }


def flow() -> tuple[float, float] | None:
    """Messages and readings a second of everything together; None when no process says."""
    if not (processes := read_all()):
        return None
    flows = [one for process in processes for one in process.connections]
    return sum(one.messages_per_second for one in flows), sum(one.readings_per_second for one in flows)


PULSE = Part("pulse", "mqtt/parts/_pulse.html", pulse, element="section")
