"""What carries no readings although it may look like it: brokers' own topics, commands, requests, announcements."""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.vocabulary import words
from mqtt.messages import Decoded
from mqtt.topics import is_own_status

LAST_LEVELS = words(
    """set get cmd cmnd command commands request requests response config discovery discover announce debug log
    logs logging rpc ack reply ota fota upgrade"""
)
ANY_LEVELS = frozenset(("cmnd", "discovery", "request", "response", "$sys"))
INNER_LEVELS = frozenset(("set", "cmd", "command", "commands", "config", "settings", "configuration"))
"""Not as the first level, which is whose it all is."""
BRIDGE_STATE = "state"
EVENTS_AND_PICTURES = re.compile(
    r"(?:[^/]+/)*?(?:frigate/(?:events|reviews|tracked_object_update|stats|.+/(?:snapshot|clips?|motion/thumbnail))"
    r"|wled/.+/(?:v|api|col)|[^/]+/[^/]+/MapData/.+)",
    re.DOTALL,
)
"""What programs write beside readings: what a camera saw, a whole state as XML, maps."""


class IgnoredDecoder:
    """Takes a message and makes nothing of it."""

    name = "ignored"

    def knows_topic(self, topic: str) -> bool:
        """Commands, requests, configuration, logs, `$…` levels, and every Vedetta's own status."""
        if is_own_status(topic) or EVENTS_AND_PICTURES.fullmatch(topic):
            return True
        levels = topic.lower().split("/")
        if levels[-1] in LAST_LEVELS or ANY_LEVELS & set(levels):
            return True
        if not INNER_LEVELS.isdisjoint(levels[1:]):
            return True
        if "bridge" in levels[:-1] and levels[-1] != BRIDGE_STATE:
            return True
        return any(level.startswith("$") for level in levels)

    def claims(self, content: Content) -> bool:
        """Everything on such a topic; but no number under `get`, as nobody asks with one."""
        return not (content.topic.endswith("/get") and content.message.payload[:1].isdigit())

    def decode(self, _content: Content) -> Decoded:
        """Nothing."""
        return Decoded(self.name)


DECODER = IgnoredDecoder()
