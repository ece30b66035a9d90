"""What the discovery messages about one topic mean for a message on it, made ready once."""

from typing import Any

from mqtt.decoders.homeassistant.slots import FAMILY
from mqtt.decoders.homeassistant.templates import Template, template
from mqtt.decoders.places import place
from mqtt.messages import Announcement, DeviceRef


class Point:
    """One value that somebody discovered on the topic."""

    __slots__ = ("facts", "kind", "label", "name", "off", "on", "path", "ref", "slot", "template", "unit")

    def __init__(self, said: dict[str, Any], ref: DeviceRef | None) -> None:
        self.ref = ref
        self.slot: str = said["slot"]
        """What the topic is called below the device."""
        self.name: str = said.get("name", "")
        self.template: Template | None = template(said["template"]) if "template" in said else None
        path = self.template.path if self.template else ()
        self.path = ".".join(path) if path is not None else None
        self.label: str = said.get("label", "")
        self.unit: str = said.get("unit", "")
        self.kind: str = said.get("kind", "")
        self.on: str | None = said.get("on")
        self.off: str | None = said.get("off")

    @property
    def is_plain(self) -> bool:
        """It takes the value as it is."""
        return self.template is None or self.template.is_plain

    @property
    def keeps_unit(self) -> bool:
        """The value that stands in the message is of this unit."""
        return self.template is None or self.template.keeps_unit


class Away:
    """How a device says on the topic that it is there."""

    __slots__ = ("mode", "off", "on", "others", "ref", "template")

    def __init__(self, said: dict[str, Any], ref: DeviceRef, data: dict[str, Any]) -> None:
        self.ref = ref
        self.on: str = said["on"]
        self.off: str = said["off"]
        self.template: Template | None = template(said["template"]) if said["template"] else None
        self.mode: str = data["mode"]
        self.others = [one["topic"] for one in data["away"] if one["topic"] != said["topic"]]


class Plan:
    """All that is discovered about one topic."""

    def __init__(self, topic: str, announcements: list[Announcement]) -> None:
        self.points: list[Point] = []
        self.away: list[Away] = []
        self.facts: dict[str, Any] = {}
        refs = set()
        told = [said.data for said in announcements if said.family == FAMILY and said.data and "points" in said.data]
        for data in told:
            ref = DeviceRef(data["key"], data["id"], *data.get("via", ())) if data["key"] else None
            mine = [one for one in data["points"] if one["topic"] == topic]
            self.points += [Point(one, ref) for one in mine]
            if mine:
                refs.add(ref)
                self.facts |= data["facts"]
            self._listen(topic, data, ref)
        self.is_order = not self.points and not self.away and any(topic in data.get("orders", ()) for data in told)
        """Home Assistant writes to it, and nobody else."""
        intervals = [one["interval"] for data in told for one in data["points"] if "interval" in one]
        if intervals:
            self.facts["interval"] = min(intervals)
        self.ref: DeviceRef | None = next(iter(refs)) if len(refs) == 1 else None
        """The one device of the topic; None for several, or when readings stay where they are."""
        self.points.sort(key=lambda one: not one.keeps_unit)
        self.by_path = {one.path: one for one in reversed(self.points) if one.path}
        self.whole = next((one for one in self.points if one.path == ""), None)
        """What takes the payload as it is."""
        if len(refs) > 1:
            self.facts = {}
        self.own_facts = self.facts
        """The same for a device that nobody else names, with the id that it is known by."""
        self.called: DeviceRef | None = None
        """The one device by the name under which it was announced to people."""
        name = self.facts.get("name")
        if self.ref is not None and name:
            self.called = self.ref._replace(identifier=name)
            self.own_facts = self.facts | {"id": self.ref.identifier}

    def _listen(self, topic: str, data: dict[str, Any], ref: DeviceRef | None) -> None:
        if ref is None and data["points"]:
            ref = place(data["points"][0]["topic"]).owner
        known = {one.ref.key for one in self.away}
        for one in data.get("away", ()):
            if one["topic"] == topic and ref is not None and ref.key not in known:
                self.away.append(Away(one, ref, data))
