"""What devices say about themselves: kept in memory, written when it matters and otherwise once a minute."""

from typing import Any

from mqtt.enums import NodeKind
from mqtt.messages import CLOCK_FACT
from mqtt.models import Datalogger, Gateway
from mqtt.models.device import LABEL_LENGTH, LONGEST_INTERVAL
from mqtt.services.pipeline.device_entries import NodeEntry

INTERVAL = "interval"
"""The fact that names the seconds from one message to the next, or after which a value counts no longer."""
RESTLESS = frozenset(("rssi", "snr", "linkquality", "uptime", "free_memory", "sequence", CLOCK_FACT))
"""They change with every message: not worth a write of the device's row each time."""
WRITE_EVERY_US = 60_000_000
MAX_FACTS = 50


def said_interval(facts: dict[str, Any]) -> float | None:
    """The interval that a device names, when it can be one."""
    said = facts.get(INTERVAL)
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= LONGEST_INTERVAL:
        return None
    return float(said)


class FactsWriter:
    """The facts of one batch."""

    def __init__(self) -> None:
        self._news: dict[NodeEntry, tuple[dict[str, Any], int]] = {}
        self.intervals: list[NodeEntry] = []
        """Who named another interval, known after `apply`."""
        self._names: dict[NodeEntry, str] = {}
        self._labels: dict[NodeEntry, str] = {}

    def take(self, node: NodeEntry, said: dict[str, Any], at_us: int, name: str = "", called: str = "") -> None:
        """Merge what a message says; the last word counts, and null takes a fact back.

        `name` is how the device is called from now on where it is managed; `called` is that beside a name of its own,
        and fills an empty label. A label set by hand stays.
        """
        if name:
            self._names[node] = name[:250]
        if called and node.label == node.identifier:
            self._labels[node] = called[:LABEL_LENGTH]
        before, _ = self._news.get(node, ({}, 0))
        self._news[node] = (before | said, at_us)

    def write(self) -> None:
        """Update the rows of those who said something new."""
        for node, name in self._renamed().items():
            _model(node).objects.filter(pk=node.id).update(identifier=name)
        for node, label in self._labels.items():
            _model(node).objects.filter(pk=node.id, label="").update(label=label)
        for node, (said, _) in self._due().items():
            facts = _merged(node.facts, said)
            fields: dict[str, Any] = {"facts": facts}
            for name in ("model", "firmware"):
                if said.get(name) is not None:
                    fields[name] = str(said[name])[:120]
            _model(node).objects.filter(pk=node.id).update(**fields)

    def apply(self) -> None:
        """After the commit: remember what is written."""
        for node, (said, at_us) in self._due().items():
            before, node.facts = node.facts, _merged(node.facts, said)
            if said_interval(before) != said_interval(node.facts):
                self.intervals.append(node)
            node.facts_us = at_us
        for node, name in self._renamed().items():
            if node.label == node.identifier:
                node.label = name
            node.identifier = name
        for node, label in self._labels.items():
            node.label = label

    def _renamed(self) -> dict[NodeEntry, str]:
        return {node: name for node, name in self._names.items() if name != node.identifier}

    def _due(self) -> dict[NodeEntry, tuple[dict[str, Any], int]]:
        due = {}
        for node, (said, at_us) in self._news.items():
            new = {key for key, value in said.items() if node.facts.get(key) != value}
            urgent = any(key not in RESTLESS or key not in node.facts or said[key] is None for key in new)
            if new and (urgent or not 0 <= at_us - node.facts_us < WRITE_EVERY_US):
                due[node] = (said, at_us)
        return due


def _model(node: NodeEntry) -> Any:
    return Gateway if node.kind == NodeKind.GATEWAY else Datalogger


def _merged(before: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    both = {key: value for key, value in (before | said).items() if value is not None}
    return dict(list(both.items())[:MAX_FACTS])
