"""Which decoder takes a message: the families by topic and content, then the general ones; or the chosen one."""

import logging
from functools import lru_cache

from mqtt.decoders import (
    campbell,
    cloud,
    credentials,
    deconz,
    documented,
    esphome,
    flespi,
    general,
    goe1,
    homeassistant,
    homie,
    ignored,
    instruments,
    lineprotocol,
    meshtastic,
    opcua,
    openbeken,
    openmqttgateway,
    owntracks,
    pairs,
    plc,
    presence,
    rtl433,
    ruuvi,
    scalars,
    senml,
    shelly1,
    shelly2,
    structural,
    tables,
    tasmota,
    telegraf,
    teltonika,
    thingsboard,
    victron,
    weather,
    wirenboard,
    ydoc,
    zigbee2mqtt,
    zwavejs,
)
from mqtt.decoders.base import MAX_PAYLOAD_BYTES, MAX_VALUES, BasedDecoder, Content, Decoder, KeyedDecoder
from mqtt.decoders.lorawan import aws as aws_lorawan
from mqtt.decoders.lorawan import chirpstack, servers, things_stack
from mqtt.decoders.memory import Key, Memory
from mqtt.decoders.places import MOST_TOPICS
from mqtt.decoders.sparkplug import decoder as sparkplug
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage

logger = logging.getLogger(__name__)

BY_TOPIC: tuple[Decoder, ...] = (
    structural.DECODER,
    sparkplug.DECODER,
    tasmota.DECODER,
    tasmota.VALVE_DECODER,
    openbeken.DECODER,
    homeassistant.DECODER,
    esphome.DECODER,
    things_stack.V3_DECODER,
    things_stack.V2_DECODER,
    chirpstack.DECODER,
    zigbee2mqtt.DECODER,
    shelly2.DECODER,
    shelly1.DECODER,
    homie.DECODER,
    openmqttgateway.DECODER,
    rtl433.DECODER,
    victron.DECODER,
    owntracks.DECODER,
    owntracks.WITH_POSITIONS,
    thingsboard.DECODER,
    campbell.TOPIC_DECODER,
    cloud.SHADOW_DECODER,
    cloud.AZURE_DECODER,
    plc.UMH_DECODER,
    zwavejs.DECODER,
    meshtastic.DECODER,
    wirenboard.DECODER,
    goe1.DECODER,
    *documented.DECODERS,
)
"""One file a family; the first that claims a message takes it, so the special stand before the broad."""
BY_KEYS: tuple[KeyedDecoder, ...] = (
    chirpstack.GATEWAY_DECODER,
    aws_lorawan.DECODER,
    servers.DECODER,
    ruuvi.DECODER,
    flespi.DECODER,
    teltonika.DECODER,
    senml.DECODER,
    campbell.DECODER,
    deconz.DECODER,
    plc.NEURON_DECODER,
    plc.KEPWARE_DECODER,
    opcua.DECODER,
    telegraf.DECODER,
    ydoc.DECODER,
    weather.ECOWITT_DECODER,
    weather.WEEWX_DECODER,
)
"""Families on topics of the user's choice that some key gives away: the others cost nothing for each of them."""
MARKS = frozenset().union(*(decoder.marks for decoder in BY_KEYS))
FAMILIES: tuple[Decoder, ...] = (*BY_TOPIC, *BY_KEYS)
GENERAL: tuple[Decoder, ...] = (general.DECODER, scalars.DECODER)
DECODERS: tuple[Decoder, ...] = (
    *FAMILIES,
    ignored.DECODER,
    presence.DECODER,
    lineprotocol.DECODER,
    instruments.DECODER,
    tables.DECODER,
    pairs.DECODER,
    *GENERAL,
)
NO_STRUCTURES: tuple[Decoder, ...] = (lineprotocol.DECODER, instruments.DECODER, tables.DECODER, pairs.DECODER)
"""Those who need not be asked for what begins like JSON."""
BY_NAME = {decoder.name: decoder for decoder in DECODERS}
BASED: dict[Decoder, BasedDecoder] = {decoder: decoder for decoder in DECODERS if isinstance(decoder, BasedDecoder)}
"""Sorted out once: the question costs more than all that follows it."""

_reported: set[tuple[str, str]] = set()
MAX_REPORTED = 1000


Candidates = tuple[tuple[Decoder, Key | None], ...]
"""Decoders in their order; each with what must have been announced for it to be asked."""


class Choice:
    """Who may take messages on a topic."""

    __slots__ = ("_others", "_rest", "families")

    def __init__(self, found: Candidates) -> None:
        self.families = tuple([pair for pair in found if pair[0] in BY_TOPIC])
        """Those who may take them by the topic, whatever their content."""
        self._rest = found
        self._others: dict[int, Candidates] = {}

    def others(self, *, is_structure: bool, is_marked: bool) -> Candidates:
        """Who may take what no family took by its topic.

        `is_structure`: it begins like JSON; `is_marked`: it has a key that gives some family away.
        """
        form = is_structure + 2 * is_marked
        known = self._others.get(form)
        if known is None:
            left_out = (*BY_TOPIC, *(NO_STRUCTURES if is_structure else ()), *(() if is_marked else BY_KEYS))
            known = self._others[form] = tuple([pair for pair in self._rest if pair[0] not in left_out])
        return known


@lru_cache(maxsize=MOST_TOPICS)
def candidates(topic: str) -> Choice:
    """Who may take messages on a topic."""
    return _shared(tuple([(one, _needs(one, topic)) for one in DECODERS if one.knows_topic(topic)]))


@lru_cache(maxsize=1000)
def _shared(found: Candidates) -> Choice:
    """The same for equal ones: most topics have the same few decoders, and a hundred thousand of them take room."""
    return Choice(found)


def _needs(decoder: Decoder, topic: str) -> Key | None:
    based = BASED.get(decoder)
    return based.needs(topic) if based else None


def choose(content: Content) -> Decoder:
    """The first decoder that claims a message; the last of them takes everything."""
    knows, asked = content.memory.knows, candidates(content.topic)
    for one, needed in asked.families:
        if (needed is None or knows(needed)) and one.claims(content):
            return one
    for one, needed in asked.others(is_structure=content.is_structure, is_marked=not MARKS.isdisjoint(content.marks)):
        if (needed is None or knows(needed)) and one.claims(content):
            return one
    return scalars.DECODER


def decode(message: InboundMessage, memory: Memory, chosen: str = "") -> Decoded:
    """What a message means; `chosen` names the decoder that a person picked. Raises only UndecodableError.

    The caller puts `announcements` into the memory.
    """
    if len(message.payload) > MAX_PAYLOAD_BYTES:
        raise UndecodableError("too_large", size=message.size, limit=MAX_PAYLOAD_BYTES)
    content = Content(message, memory)
    decoder: Decoder | None = BY_NAME.get(chosen) or memory.mapping_of(message.topic)
    try:
        if decoder is None:
            decoder = choose(content)
        decoded = decoder.decode(content)
        if memory.speaks_of(message.topic):
            decoded = homeassistant.enrich(content, decoded)
    except UndecodableError:
        raise
    except Exception as error:  # noqa: BLE001 - one failing family must not stop the rest; reported with its traceback
        _report(decoder.name if decoder else "", message.topic, error)
        decoded = _without_the_failed(content, decoder, error)
    decoded = credentials.without(decoded)
    if len(decoded.readings) > MAX_VALUES:
        raise UndecodableError("too_many_values", limit=MAX_VALUES)
    decoded.wrong_clock_us = content.wrong_clock_us
    return decoded


def _without_the_failed(content: Content, failed: Decoder | None, error: Exception) -> Decoded:
    """What the general decoders make of a message on which a family's decoder raised."""
    name = failed.name if failed else ""
    if failed not in GENERAL:
        try:
            return next(one for one in GENERAL if one.claims(content)).decode(content)
        except UndecodableError:
            raise
        except Exception:
            logger.exception("The general decoders failed too.")
    raise UndecodableError("decoder_failed", decoder=name) from error


def _report(decoder: str, topic: str, error: Exception) -> None:
    """Log a failure with its traceback, once for each topic."""
    if (decoder, topic) not in _reported and len(_reported) < MAX_REPORTED:
        _reported.add((decoder, topic))
        sentence = "Decoder %s failed on topic %r; the general decoder takes over."
        logger.error(sentence, decoder, topic[:200], exc_info=error)
