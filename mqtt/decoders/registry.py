"""Which decoder takes a message: the families by topic and content, then the general ones; or the chosen one."""

import logging
from functools import lru_cache
from typing import NamedTuple

from mqtt.decoders import (
    campbell,
    cloud,
    documented,
    esphome,
    flespi,
    general,
    homeassistant,
    homie,
    ignored,
    lineprotocol,
    meshtastic,
    openbeken,
    openmqttgateway,
    owntracks,
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
    teltonika,
    thingsboard,
    victron,
    weather,
    zigbee2mqtt,
    zwavejs,
)
from mqtt.decoders.base import MAX_PAYLOAD_BYTES, Content, Decoder, KeyedDecoder
from mqtt.decoders.lorawan import aws as aws_lorawan
from mqtt.decoders.lorawan import chirpstack, things_stack
from mqtt.decoders.memory import Memory
from mqtt.decoders.sparkplug import decoder as sparkplug
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage

logger = logging.getLogger(__name__)

BY_TOPIC: tuple[Decoder, ...] = (
    structural.DECODER,
    sparkplug.DECODER,
    tasmota.DECODER,
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
    *documented.DECODERS,
)
"""One file a family; the first that claims a message takes it, so the special stand before the broad."""
BY_KEYS: tuple[KeyedDecoder, ...] = (
    chirpstack.GATEWAY_DECODER,
    aws_lorawan.DECODER,
    ruuvi.DECODER,
    flespi.DECODER,
    teltonika.DECODER,
    senml.DECODER,
    campbell.DECODER,
    plc.NEURON_DECODER,
    plc.KEPWARE_DECODER,
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
    tables.DECODER,
    *GENERAL,
)
NO_STRUCTURES: tuple[Decoder, ...] = (lineprotocol.DECODER, tables.DECODER)
"""Those who need not be asked for what begins like JSON."""
BY_NAME = {decoder.name: decoder for decoder in DECODERS}

_reported: set[tuple[str, str]] = set()
MAX_REPORTED = 1000


class Candidates(NamedTuple):
    """The decoders that may take messages of a topic, in their order, each with whether it is known by its keys."""

    of_structures: tuple[tuple[Decoder, bool], ...]
    of_others: tuple[tuple[Decoder, bool], ...]


@lru_cache(maxsize=20_000)
def candidates(topic: str) -> Candidates:
    """Who may take what begins like JSON on a topic, and who anything else."""
    asked = tuple((one, one in BY_KEYS) for one in DECODERS if one.knows_topic(topic))
    return Candidates(tuple(pair for pair in asked if pair[0] not in NO_STRUCTURES), asked)


def choose(content: Content) -> Decoder:
    """The first decoder that claims a message; the last of them takes everything."""
    known = candidates(content.topic)
    has_mark: bool | None = None
    for one, is_keyed in known.of_structures if content.is_structure else known.of_others:
        if is_keyed:
            if has_mark is None:
                has_mark = not MARKS.isdisjoint(content.marks)
            if not has_mark:
                continue
        if one.claims(content):
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
