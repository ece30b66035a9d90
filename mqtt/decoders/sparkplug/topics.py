"""What a Sparkplug topic says."""

from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.messages import DeviceRef

NAMESPACE = "spBv1.0"
TYPES = frozenset(("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "NCMD", "DCMD"))
COMMANDS = frozenset(("NCMD", "DCMD"))
BIRTHS = frozenset(("NBIRTH", "DBIRTH"))
DEATHS = frozenset(("NDEATH", "DDEATH"))


class Place(NamedTuple):
    """What a topic says."""

    what: str
    prefix: str
    """Namespace and group."""
    node: str
    device: str
    ref: DeviceRef

    @property
    def node_ref(self) -> DeviceRef:
        """The node, as gateway and as the device that its own metrics belong to."""
        return DeviceRef(f"{NAMESPACE}/{self.node}", self.node)


@lru_cache(maxsize=20_000)
def place_of(topic: str) -> Place | None:
    """The parts of a topic; None: not Sparkplug."""
    levels = topic.split("/")
    if len(levels) not in (4, 5) or levels[0] != NAMESPACE or levels[2] not in TYPES:
        return None
    what, node = levels[2], clean(f"{levels[1]}/{levels[3]}")
    if (what[0] == "D") != (len(levels) == 5):
        return None
    prefix = f"{NAMESPACE}/{levels[1]}"
    if len(levels) == 4:
        return Place(what, prefix, node, "", DeviceRef(f"{NAMESPACE}/{node}", node[:NAME_LENGTH]))
    device = f"{node}/{clean(levels[4])}"
    ref = DeviceRef(f"{NAMESPACE}/{device}", device[:NAME_LENGTH], f"{NAMESPACE}/{node}", node[:NAME_LENGTH])
    return Place(what, prefix, node, device, ref)


def is_host_state(topic: str) -> bool:
    """Whether a host application says here that it is there."""
    levels = topic.split("/")
    return (len(levels) == 2 and levels[0] == "STATE") or (len(levels) == 3 and levels[:2] == [NAMESPACE, "STATE"])
