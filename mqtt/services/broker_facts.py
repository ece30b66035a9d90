"""What a broker says of itself under `$SYS`, in the spellings of Mosquitto and EMQX."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "$SYS/"
FILTERS = (
    "$SYS/broker/+",
    "$SYS/broker/clients/connected",
    "$SYS/broker/messages/+",
    "$SYS/broker/publish/messages/dropped",
    "$SYS/brokers/+/+",
    "$SYS/brokers/+/stats/connections/count",
    "$SYS/brokers/+/metrics/messages/+",
    "$SYS/brokers/+/metrics/delivery/dropped/queue_full",
)
"""As many as every broker takes in one SUBSCRIBE, and no more topics than are read."""

_MOSQUITTO = {
    "version": "version",
    "uptime": "uptime",
    "clients/connected": "clients",
    "messages/received": "received",
    "messages/sent": "sent",
    "messages/stored": "stored",
    "publish/messages/dropped": "dropped",
}
_EMQX = {
    "version": "version",
    "uptime": "uptime",
    "stats/connections/count": "clients",
    "metrics/messages/received": "received",
    "metrics/messages/sent": "sent",
    "metrics/delivery/dropped/queue_full": "dropped",
}
_NODE = re.compile(r"\$SYS/brokers/([^/]{1,100})/(.+)")
_COUNT = re.compile(rb"\d{1,18}")
TEXTS = frozenset(("version", "uptime"))
LONGEST = 80

Key = tuple[str, str]
"""(node, field); a broker that is no cluster has the node ''."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """What is known; counts are since the broker's start, of all its clients, and None where it says nothing."""

    version: str = ""
    uptime: str = ""
    """As the broker writes it."""
    clients: int | None = None
    received: int | None = None
    sent: int | None = None
    stored: int | None = None
    """Messages that it holds, retained ones among them."""
    dropped: int | None = None
    """Messages that found a client's queue full: they are lost, although their publishers were told that they came."""
    dropped_lately: int = 0
    """By how much that grew in the last ten minutes."""
    is_emqx: bool = False

    @property
    def is_mosquitto(self) -> bool:
        """Whether the names of Mosquitto's settings help."""
        return self.version.startswith("mosquitto")


def read(topic: str, payload: bytes) -> tuple[Key, int | str] | None:
    """One message under `$SYS` as a field and its value; None: it is of no interest, or no sense."""
    found = _NODE.fullmatch(topic)
    node, rest, names = (found[1], found[2], _EMQX) if found else ("", topic.removeprefix("$SYS/broker/"), _MOSQUITTO)
    name = names.get(rest)
    if name is None:
        return None
    if name in TEXTS:
        text = payload[: 4 * LONGEST].decode("utf-8", "replace")
        return (node, name), "".join(letter for letter in text if letter.isprintable())[:LONGEST].strip()
    return ((node, name), int(payload)) if _COUNT.fullmatch(payload) else None


def put_together(values: Mapping[Key, int | str], dropped_lately: int) -> BrokerFacts | None:
    """The facts of all nodes of a broker: texts of one of them, sums of counts; None: nothing was said."""
    if not values:
        return None
    texts: dict[str, str] = {}
    counts: dict[str, int] = {}
    for (_node, name), value in values.items():
        if isinstance(value, str):
            texts.setdefault(name, value)
        else:
            counts[name] = counts.get(name, 0) + value
    is_emqx = any(node for node, _name in values)
    return BrokerFacts(**texts, **counts, dropped_lately=dropped_lately, is_emqx=is_emqx)  # type: ignore[arg-type]
