"""What is known of a Zigbee network: its bridge, and the devices and groups that the bridge listed."""

from typing import Any, NamedTuple

from mqtt.decoders.memory import Memory
from mqtt.messages import Announcement, DeviceRef

FAMILY = "zigbee2mqtt"
DEFAULT_BASE = "zigbee2mqtt"
BASES = ""
"""The key of the one announcement that says which bases there are: {base: coordinator, or empty}."""
MOST_BASES = 20
MOST_LISTED = 2500
"""Their addresses fill about the 64 KiB of an announcement."""

Entries = dict[str, tuple[str, dict[str, str] | None]]
"""A list of the bridge: {address: (name, units; None for as they were)}."""


class Entity(NamedTuple):
    """A device or group as messages name it."""

    ref: DeviceRef
    units: dict[str, str]


class Network:
    """One base topic."""

    def __init__(self, memory: Memory, base: str) -> None:
        self._memory = memory
        self.base = base
        bases = memory.get(FAMILY, BASES) or {}
        self.coordinator: str | None = bases.get(base)
        """IEEE address; empty while only the bridge is known, None while not even that."""

    def bridge(self, coordinator: str = "") -> DeviceRef:
        """The gateway."""
        return DeviceRef(self.base, coordinator or self.coordinator or f"{self.base}/bridge")

    def ref(self, key: str, name: str, *, always_behind: bool = False) -> DeviceRef:
        """A device; its gateway only when a bridge was heard of."""
        name = name or key
        if self.coordinator is None and not always_behind:
            return DeviceRef(key, name)
        bridge = self.bridge()
        return DeviceRef(key, name, bridge.key, bridge.identifier)

    def entity(self, name: str) -> Entity:
        """Whom a name means now."""
        topic = f"{self.base}/{name}"
        for said in self._memory.about(topic):
            if said.family == FAMILY and said.data:
                return Entity(self.ref(said.data["key"], name), said.data["units"])
        return Entity(self.ref(topic, name), {})

    def is_listed(self, name: str) -> bool:
        """Whether the bridge listed a device or group of this name."""
        return any(said.family == FAMILY for said in self._memory.about(f"{self.base}/{name}"))

    def key_of(self, address: str) -> str:
        """The key that a device has already, by the address that it keeps."""
        known = self._memory.get(FAMILY, f"{self.base}#{address}")
        return known["key"] if known else ""

    def learned(self, coordinator: str = "") -> list[Announcement]:
        """That this base is a Zigbee network, when that is news."""
        bases: dict[str, str] = self._memory.get(FAMILY, BASES) or {}
        known = bases.get(self.base)
        is_news = len(bases) < MOST_BASES if known is None else coordinator not in ("", known)
        return [Announcement(FAMILY, BASES, bases | {self.base: coordinator})] if is_news else []

    def listed(self, entries: Entries, kind: str) -> list[Announcement]:
        """What the bridge's list says, first of `entries` in their order; whoever it leaves out loses the name.

        `kind` tells lists apart: devices, groups.
        """
        before: list[str] = (self._memory.get(FAMILY, f"{self.base}/{kind}") or {}).get("listed", [])
        known = {address: self._memory.get(FAMILY, f"{self.base}#{address}") for address in (*before, *entries)}
        taken = {said["key"] for said in known.values() if said}
        news = []
        for address, (name, said_units) in entries.items():
            topic = f"{self.base}/{name}"
            old = known[address] or {"key": f"{topic}#{address}" if topic in taken else topic, "units": {}}
            taken.add(old["key"])
            data: dict[str, Any] = {"key": old["key"], "units": old["units"] if said_units is None else said_units}
            news.append(Announcement(FAMILY, f"{self.base}#{address}", data, (topic, f"{topic}/availability")))
        # Whose name is free for others keeps the key: it may be paired again.
        gone = {address: said for address, said in known.items() if said and address not in entries}
        news += [Announcement(FAMILY, f"{self.base}#{address}", said) for address, said in gone.items()]
        everyone = [*entries, *gone][:MOST_LISTED]
        return [*news, Announcement(FAMILY, f"{self.base}/{kind}", {"listed": everyone})]
