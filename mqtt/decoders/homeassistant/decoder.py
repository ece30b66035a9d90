"""Discovery messages, and states that people keep below the discovery prefix."""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import reading
from mqtt.decoders.homeassistant.discovery import announce
from mqtt.decoders.homeassistant.keys import COMPONENTS
from mqtt.decoders.homeassistant.slots import FAMILY
from mqtt.decoders.places import NAME_LENGTH, clean
from mqtt.decoders.vocabulary import words
from mqtt.decoders.walk import Walk
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DeviceRef

_COMPONENT = "|".join(sorted(COMPONENTS))
_CONFIG = re.compile(rf"(.+?)/({_COMPONENT})/(?:([^/]+)/)?([^/]+)/config", re.DOTALL)
"""The prefix may be any; the component tells."""
_STATE = re.compile(rf"(homeassistant/(?:{_COMPONENT})/(?:[^/]+/)?([^/]+))/state", re.DOTALL)
BIRTH = "homeassistant/status"
_TELLING = words(
    """state_topic stat_t command_topic cmd_t topic t device dev unique_id uniq_id components cmps availability_topic
    avty_t json_attributes_topic json_attr_t ~"""
)


class HomeAssistantDecoder:
    """`<prefix>/<component>/[<node>/]<object>/config`, `homeassistant/status`, and states below the prefix."""

    name = FAMILY

    def knows_topic(self, topic: str) -> bool:
        """By component and last level."""
        return topic == BIRTH or _CONFIG.fullmatch(topic) is not None or _STATE.fullmatch(topic) is not None

    def claims(self, content: Content) -> bool:
        """Of configurations those that read like discovery, and empty ones, which remove."""
        if not content.topic.endswith("/config"):
            return True
        document = content.object
        return content.is_empty or (document is not None and not _TELLING.isdisjoint(document))

    def decode(self, content: Content) -> Decoded:
        """Announcements and facts; of a state its readings."""
        if content.topic == BIRTH:
            return Decoded(FAMILY)  # Home Assistant's own birth message and last will
        config = _CONFIG.fullmatch(content.topic)
        if config is not None:
            base, component, node, name = config.groups()
            return announce(content, base, component, clean(node or ""), clean(name)[:NAME_LENGTH])
        state = _STATE.fullmatch(content.topic)
        if state is None:
            raise UndecodableError("no_values")
        return _state(content, DeviceRef(state[1], clean(state[2])[:NAME_LENGTH]))


def _state(content: Content, device: DeviceRef) -> Decoded:
    """A state without a discovery message, or before it comes."""
    if content.is_structure and isinstance(content.document, dict):
        walk = Walk(device, content)
        walk.object(content.document, "", 1)
        decoded = walk.result(FAMILY)
        for one in decoded.readings:
            if one.kind == "humidity" and one.text is None:
                one.unit = one.unit or "%"
        return decoded
    bare = reading(device, device.identifier, content.text, is_switch="/select/" not in content.topic)
    return Decoded(FAMILY, [bare] if bare else [])


DECODER = HomeAssistantDecoder()
